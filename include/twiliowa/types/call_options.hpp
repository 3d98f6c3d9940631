/// @file
/// What a caller may say about one call.
#pragma once

#include <chrono>
#include <optional>

#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/text_field.hpp>

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
    /// Asynchronous calls that wait for a connection take turns by this, one of each key: somebody
    /// who starts thousands does not make the others wait for all of them. A tenant's name, say.
    /// Empty: the account. Keys count by host and transport; it is not sent.
    TextField fairness_key = {};
};

}  // namespace twiliowa
