/// @file
/// What a caller may say about one call.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include <twiliowa/types/cancel.hpp>

namespace twiliowa {

/// By what calls take turns: any text, of which a hash is kept. Trivial to copy, since GCC before
/// 13 copies an aggregate that is written into a `co_await` byte by byte.
class FairnessKey {
public:
    /// None: so is an empty text.
    constexpr FairnessKey() noexcept = default;
    /// As the one of std::string_view, so that a text may stand where a key is expected.
    template <std::convertible_to<std::string_view> Text>
    FairnessKey(const Text& text) noexcept : FairnessKey(std::string_view{text}) {}
    /// Equal texts are equal keys.
    FairnessKey(std::string_view text) noexcept
        : hash_(text.empty() ? 0 : std::hash<std::string_view>{}(text)) {}
    /// Whether there is none.
    constexpr bool empty() const noexcept { return hash_ == 0; }
    /// As CallContext::fairness_key has it. Another one in another program.
    constexpr std::uint64_t hash() const noexcept { return hash_; }

private:
    std::uint64_t hash_ = 0;
};

/// The program's own name for what a call is part of: its request's id, a job's. Held in place,
/// since it must be trivial to copy, as FairnessKey is.
class CorrelationId {
public:
    /// Room for a UUID, a `traceparent`, any usual id. A longer one is refused by the call.
    static constexpr std::size_t most_bytes = 64;

    /// None: so is an empty text.
    constexpr CorrelationId() noexcept = default;
    /// As the one of std::string_view, so that a text may stand where an id is expected.
    template <std::convertible_to<std::string_view> Text>
    CorrelationId(const Text& text) noexcept : CorrelationId(std::string_view{text}) {}
    /// What is longer than `most_bytes` is cut there, and does not fit.
    CorrelationId(std::string_view text) noexcept
        : size_(static_cast<std::uint8_t>((std::min)(text.size(), most_bytes))),
          fits_(text.size() <= most_bytes) {
        std::copy_n(text.begin(), size_, text_.begin());
    }
    /// Whether there is none.
    constexpr bool empty() const noexcept { return size_ == 0; }
    /// Its text, as long as this lives.
    std::string_view text() const noexcept { return {text_.data(), size_}; }
    /// Whether it is as it was given.
    constexpr bool fits() const noexcept { return fits_; }

private:
    std::array<char, most_bytes> text_ = {};
    std::uint8_t size_ = 0;
    bool fits_ = true;
};

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
    FairnessKey fairness_key = {};
    /// What every event of this call tells the observer (CallInfo::correlation_id), also where one
    /// verb makes several requests. Not sent. An id only: it goes wherever your logs go, so no
    /// customer may be named in it. One with a control character is refused.
    CorrelationId correlation_id = {};
};

}  // namespace twiliowa
