#include "masked.hpp"

#include <cstddef>

namespace cli {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
/// What may stand between the digits of one number.
bool is_separator(char c) {
    return std::string_view{" -./()"}.find(c) != std::string_view::npos;
}

constexpr std::size_t shown_first = 3;
constexpr std::size_t shown_last = 2;
constexpr std::size_t shortest_number = 6;

/// Of the number in [begin, end) the first and the last digits stay.
void mask_number(std::string& text, std::size_t begin, std::size_t end, std::size_t digits) {
    std::size_t seen = 0;
    for (auto i = begin; i < end; ++i) {
        if (!is_digit(text[i])) continue;
        ++seen;
        if (seen >= shown_first && seen + shown_last <= digits) text[i] = '*';
    }
}

}  // namespace

std::string masked(const std::string& address) {
    const auto begin = address.rfind(':') == std::string::npos ? 0 : address.rfind(':') + 1;
    auto text = address;
    const auto end = text.size() - begin > 2 * (shown_first + shown_last) - 2
                         ? text.size() - shown_last
                         : text.size();
    for (auto i = begin + shown_first; i < end; ++i) text[i] = '*';
    return text;
}

std::string with_numbers_masked(std::string_view text) {
    std::string masked{text};
    for (std::size_t i = 0; i < masked.size(); ++i) {
        if (!is_digit(masked[i])) continue;
        std::size_t digits = 0;
        auto last = i;
        for (auto j = i; j < masked.size() && (is_digit(masked[j]) || is_separator(masked[j]));
             ++j) {
            if (!is_digit(masked[j])) continue;
            ++digits;
            last = j;
        }
        if (digits >= shortest_number) mask_number(masked, i, last + 1, digits);
        i = last;
    }
    return masked;
}

std::string address_shown(const std::string& address, Numbers numbers) {
    return numbers == Numbers::whole ? address : masked(address);
}

std::string text_shown(const std::string& text, Numbers numbers) {
    return numbers == Numbers::whole ? text : with_numbers_masked(text);
}

}  // namespace cli
