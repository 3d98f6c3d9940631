/// @file
/// What a caller may say about one call.
#pragma once

#include <chrono>
#include <optional>

#include <twiliowa/types/cancel.hpp>

namespace twiliowa {

/// Options of one call. Every verb takes them last.
struct CallOptions {
    /// For the whole call, retries and waiting included. Default: the client's.
    std::optional<std::chrono::milliseconds> timeout = {};
    /// Cancels the call, at whatever stage, within about 50 ms.
    CancelToken cancel = {};
    /// The slot of ClientOptions::rate_limiter is held already (MessagesClient::take_slot): no
    /// attempt of this call takes or gives back one. Without effect on what no rate limit is for.
    bool slot_held = false;
};

}  // namespace twiliowa
