/// @file
/// Text as ASCII, whatever the locale.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace twiliowa::detail {

/// What HTTP allows around a header's value.
inline constexpr std::string_view blanks = " \t";
inline constexpr std::string_view white_space = " \t\r\n";

inline bool is_one_of(std::string_view set, char c) noexcept {
    return std::find(set.begin(), set.end(), c) != set.end();
}

/// Without the characters of `set` at its front.
inline std::string_view trim_front(std::string_view text, std::string_view set) noexcept {
    while (!text.empty() && is_one_of(set, text.front())) text.remove_prefix(1);
    return text;
}

/// Without the characters of `set` at its back.
inline std::string_view trim_back(std::string_view text, std::string_view set) noexcept {
    while (!text.empty() && is_one_of(set, text.back())) text.remove_suffix(1);
    return text;
}

/// Without the characters of `set` at either end.
inline std::string_view trim(std::string_view text, std::string_view set) noexcept {
    return trim_back(trim_front(text, set), set);
}

inline char ascii_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Objects, which algorithms inline where they would call a function.

inline constexpr auto is_digit = [](char c) noexcept { return c >= '0' && c <= '9'; };
inline constexpr auto is_letter = [](char c) noexcept {
    const auto lower = c | 0x20;
    return lower >= 'a' && lower <= 'z';
};
using ByteTable = std::array<bool, 256>;
inline constexpr ByteTable letters_and_digits = [] {
    ByteTable table{};
    for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
    for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
    return table;
}();
constexpr ByteTable with(ByteTable table, std::string_view characters) {
    for (const char c : characters) table[static_cast<unsigned char>(c)] = true;
    return table;
}
inline constexpr auto is_letter_or_digit = [](char c) noexcept {
    return letters_and_digits[static_cast<unsigned char>(c)];
};

/// What each byte is as a hexadecimal digit; -1 if it is none.
inline constexpr auto hex_values = [] {
    std::array<signed char, 256> values{};
    values.fill(-1);
    for (unsigned i = 0; i < 10; ++i) values['0' + i] = static_cast<signed char>(i);
    for (unsigned i = 0; i < 6; ++i) {
        values['a' + i] = values['A' + i] = static_cast<signed char>(10 + i);
    }
    return values;
}();
inline constexpr auto hex_value = [](char c) noexcept -> int {
    return hex_values[static_cast<unsigned char>(c)];
};
inline constexpr auto is_hex_digit = [](char c) noexcept { return hex_value(c) >= 0; };

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
