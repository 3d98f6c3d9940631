/// @file
/// What a status callback's URL carries, so that Twilio's own signature proves which attempt of
/// which job it is about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/storage.hpp>

namespace twiliowa::detail {

/// The query parameter's name.
inline constexpr std::string_view marker_name = "twj";

/// 160 bits, written as 32 characters of base32: which outbox, which of its jobs, which attempt.
struct Marker {
    std::uint32_t outbox = 0;
    JobId job = {};
    AttemptNonce nonce = {};

    std::string str() const;
    /// Nullopt unless it is exactly what `str` writes: who has seen a URL can cut its end.
    static std::optional<Marker> parse(std::string_view text) noexcept;
    friend bool operator==(const Marker&, const Marker&) = default;
};

/// `url` with the marker behind its query and before its fragment.
std::string with_marker(std::string_view url, const Marker& marker);

}  // namespace twiliowa::detail
