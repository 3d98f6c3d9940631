/// @file
/// What every storage of consents refuses, and how it writes times.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/consent_storage.hpp>

namespace twiliowa::detail {

using ConsentMicros = std::int64_t;  ///< Since 1970.

inline ConsentMicros consent_micros(TimePoint time) noexcept {
    return std::chrono::floor<std::chrono::microseconds>(time).time_since_epoch().count();
}
inline TimePoint consent_time(ConsentMicros micros) noexcept {
    return TimePoint{std::chrono::microseconds{micros}};
}

/// `2026-11-30`, which is its beginning in UTC, or as ISO 8601 has it with a time.
TWILIOWA_EXPORT std::optional<TimePoint> parse_consent_time(std::string_view text);
/// InvalidRequestError, field "source".
TWILIOWA_EXPORT Result<void> check_consent_source(std::string_view source);
/// InvalidRequestError, field "purpose".
TWILIOWA_EXPORT Result<void> check_named_purpose(std::string_view purpose);
TWILIOWA_EXPORT Result<void> check_consent_person(std::string_view person);
TWILIOWA_EXPORT Result<void> check_consent_records(std::span<const ConsentRecord> records);
TWILIOWA_EXPORT Result<void> check_consent_questions(std::span<const ConsentQuestion> questions);

/// In the order of their keys, each once: so two that write the same do not wait for each other.
TWILIOWA_EXPORT std::vector<ConsentRecord> consents_in_order(
    std::span<const ConsentRecord> records);

}  // namespace twiliowa::detail
