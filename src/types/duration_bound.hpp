/// @file
/// How long a duration may be that is given as an option.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <twiliowa/types/error.hpp>

namespace twiliowa::detail {

/// Times and durations add up without overflow as long as they stay below it.
inline constexpr std::chrono::hours longest_duration{24 * 36'500};
inline constexpr std::chrono::milliseconds shortest_duration{1};

/// Nullopt for one from `least` up to `longest_duration`.
std::optional<Error> wrong_duration(std::string_view option, std::chrono::milliseconds duration,
                                    std::chrono::milliseconds least = shortest_duration);
/// @throws InvalidRequestError naming the option, unless it is from `least` up to
/// `longest_duration`.
void require_duration(std::string_view option, std::chrono::milliseconds duration,
                      std::chrono::milliseconds least = shortest_duration);

}  // namespace twiliowa::detail
