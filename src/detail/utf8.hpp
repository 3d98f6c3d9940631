/// @file
/// UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace twiliowa::detail {

/// Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_valid_utf8(std::string_view text) noexcept;

/// Code points of valid UTF-8.
std::size_t count_code_points(std::string_view text) noexcept;

}  // namespace twiliowa::detail
