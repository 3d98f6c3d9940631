/// @file
/// Numbers as they are typed.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace tools {

/// All of `text`, whatever the locale; nullopt if it is anything else.
template <class Number>
std::optional<Number> read_number(std::string_view text) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (text.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return number;
}

}  // namespace tools
