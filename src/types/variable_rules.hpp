/// @file
/// What variables of templates may be, wherever they are looked at.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace twiliowa::detail {

inline constexpr std::size_t max_variables = 100;
/// Code points.
inline constexpr std::size_t max_variable_value = 1600;

/// Whether a name may hold somebody's number: such a one is not repeated in errors.
bool holds_long_number(std::string_view name) noexcept;

/// Whether nobody would see anything of it.
bool is_blank(std::string_view value) noexcept;

/// What WhatsApp does not take about the white space of `value`, or empty.
std::string_view whitespace_problem(std::string_view value) noexcept;

/// `variable "name"`: names come from outside, too, so only harmless ones are quoted; another is
/// `variable number 3`, `index` counting from 0.
std::string quoted_variable(std::string_view name, std::size_t index);

/// What WhitespacePolicy::normalise makes of a value.
std::string normalised_whitespace(std::string_view value);

}  // namespace twiliowa::detail
