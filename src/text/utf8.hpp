/// @file
/// UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <twiliowa/export.hpp>

namespace twiliowa::detail {

bool is_ascii(std::string_view text) noexcept;

/// Length of the well-formed sequence at the front of `text` (Unicode, table 3-7), or 0. `text`
/// must not be empty.
std::size_t utf8_sequence_length(std::string_view text) noexcept;

/// The character at the front of `text`, whose sequence is of `length` bytes.
char32_t utf8_code_point(std::string_view text, std::size_t length) noexcept;

/// Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
TWILIOWA_EXPORT bool is_valid_utf8(std::string_view text) noexcept;

/// Code points of valid UTF-8.
TWILIOWA_EXPORT std::size_t count_code_points(std::string_view text) noexcept;

/// With U+FFFD for every byte that belongs to no well-formed sequence.
std::string replace_invalid_utf8(std::string_view text);
/// The same, after what is in `out`.
void append_valid_utf8(std::string& out, std::string_view text);

}  // namespace twiliowa::detail
