/// @file
/// Which values of a template tell one message from the next.
#pragma once

#include <string_view>

namespace twiliowa::detail {

/// Whether a value is of one message only, as far as its looks tell: one of its words is an order
/// number (Latin letters and four digits in a row), a code (letters and digits in turn) or a number
/// of eight digits. Words, dates, times, amounts, shorter numbers, and where to reach somebody are
/// none: two messages to one customer may well share them. Single-spaced.
bool is_distinctive(std::string_view value) noexcept;

}  // namespace twiliowa::detail
