#include "text/masked.hpp"

#include <cstddef>

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

/// What may stand between the digits of one number.
bool may_separate(char c) {
    return std::string_view{" -./()"}.find(c) != std::string_view::npos;
}

constexpr std::size_t shown_in_front = 3;
constexpr std::size_t shown_at_end = 2;
constexpr std::size_t shortest_masked = 6;

/// Of the number in [begin, end) the first and the last digits stay.
void mask_number(std::string& text, std::size_t begin, std::size_t end, std::size_t digits) {
    std::size_t seen = 0;
    for (auto i = begin; i < end; ++i) {
        if (!is_digit(text[i])) continue;
        ++seen;
        if (seen >= shown_in_front && seen + shown_at_end <= digits) text[i] = '*';
    }
}

}  // namespace

std::string masked(const std::string& address) {
    const auto begin = address.rfind(':') == std::string::npos ? 0 : address.rfind(':') + 1;
    auto text = address;
    const auto end = text.size() - begin > 2 * (shown_in_front + shown_at_end) - 2
                         ? text.size() - shown_at_end
                         : text.size();
    for (auto i = begin + shown_in_front; i < end; ++i) text[i] = '*';
    return text;
}

std::string with_numbers_masked(std::string_view text) {
    std::string masked{text};
    for (std::size_t i = 0; i < masked.size(); ++i) {
        if (!is_digit(masked[i])) continue;
        std::size_t digits = 0;
        auto last = i;
        for (auto j = i; j < masked.size() && (is_digit(masked[j]) || may_separate(masked[j]));
             ++j) {
            if (!is_digit(masked[j])) continue;
            ++digits;
            last = j;
        }
        if (digits >= shortest_masked) mask_number(masked, i, last + 1, digits);
        i = last;
    }
    return masked;
}

}  // namespace twiliowa::detail
