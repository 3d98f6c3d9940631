/// @file
/// Variables in error texts, and values as they are sent.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace twiliowa::detail {

/// `variable "name"`: names come from outside, too, so only harmless ones are quoted; another is
/// `variable number 3`, `index` counting from 0.
std::string quoted_variable(std::string_view name, std::size_t index);

/// What WhitespacePolicy::normalise makes of a value.
std::string normalised_whitespace(std::string_view value);

}  // namespace twiliowa::detail
