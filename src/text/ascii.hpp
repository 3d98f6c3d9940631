/// @file
/// Text as ASCII, whatever the locale.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace twiliowa::detail {

/// What HTTP allows around a header's value.
inline constexpr std::string_view blanks = " \t";
inline constexpr std::string_view white_space = " \t\r\n";

/// Without the characters of `set` at its front.
inline std::string_view trim_front(std::string_view text, std::string_view set) noexcept {
    return text.substr(std::min(text.find_first_not_of(set), text.size()));
}

/// Without the characters of `set` at its back.
inline std::string_view trim_back(std::string_view text, std::string_view set) noexcept {
    return text.substr(0, text.find_last_not_of(set) + 1);  // npos + 1 is 0
}

/// Without the characters of `set` at either end.
inline std::string_view trim(std::string_view text, std::string_view set) noexcept {
    return trim_back(trim_front(text, set), set);
}

inline char ascii_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

/// The whole of `text` as a decimal number, or nullopt (also when it does not fit).
template <class Number>
std::optional<Number> parse_number(std::string_view text) noexcept {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace twiliowa::detail
