/// @file
/// How long a duration may be that is given as an option.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/types/error.hpp>

namespace twiliowa::detail {

/// Times and durations add up without overflow as long as they stay below it.
inline constexpr std::chrono::hours longest_duration{24 * 36'500};
inline constexpr std::chrono::milliseconds shortest_duration{1};

/// Nullopt for one from `least` up to `longest_duration`.
TWILIOWA_EXPORT std::optional<Error> wrong_duration(
    std::string_view option, std::chrono::milliseconds duration,
    std::chrono::milliseconds least = shortest_duration);
/// @throws InvalidRequestError naming the option, unless it is from `least` up to
/// `longest_duration`.
TWILIOWA_EXPORT void require_duration(std::string_view option, std::chrono::milliseconds duration,
                                      std::chrono::milliseconds least = shortest_duration);

/// `wait` from `now`, but not beyond what its clock can count.
template <class Time>
Time time_after(Time now, std::chrono::milliseconds wait) noexcept {
    // In milliseconds, as the longest of them do not fit into a clock's nanoseconds; nor does the
    // time from before the epoch to the end.
    const auto room =
        std::chrono::floor<std::chrono::milliseconds>(Time::max() - std::max(now, Time{}));
    return wait >= room ? Time::max() : now + wait;
}

}  // namespace twiliowa::detail
