#include "content/variable_text.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "text/ascii.hpp"
#include "text/utf8.hpp"

namespace twiliowa::detail {

namespace {

struct PointRange {
    char32_t first;
    char32_t last;
};

template <std::size_t Count>
bool is_within(const std::array<PointRange, Count>& ranges, char32_t point) noexcept {
    return std::any_of(ranges.begin(), ranges.end(), [point](const PointRange& range) {
        return range.first <= point && point <= range.last;
    });
}

/// What is shown as an emoji by itself. Digits and the signs of text that become one by a variation
/// selector are not among them.
constexpr std::array<PointRange, 13> emoji_points{{{0x231a, 0x231b},
                                                   {0x23e9, 0x23f3},
                                                   {0x2600, 0x26ff},
                                                   {0x2702, 0x27b0},
                                                   {0x2b1b, 0x2b1c},
                                                   {0x2b50, 0x2b55},
                                                   {0x1f004, 0x1f0cf},
                                                   {0x1f18e, 0x1f19a},
                                                   {0x1f200, 0x1f3fa},
                                                   {0x1f400, 0x1f64f},
                                                   {0x1f680, 0x1f6ff},
                                                   {0x1f7e0, 0x1f9ff},
                                                   {0x1fa70, 0x1faff}}};
constexpr PointRange flag_letters{0x1f1e6, 0x1f1ff};
constexpr char32_t zero_width_joiner = 0x200d;
constexpr char32_t keycap = 0x20e3;

/// Thai, Lao and Khmer, kana and the ideographs.
constexpr std::array<PointRange, 5> points_without_blanks{
    {{0x0e00, 0x0eff}, {0x1780, 0x17ff}, {0x3041, 0x30ff}, {0x3400, 0x9fff}, {0x20000, 0x3ffff}}};

/// Punctuation and blanks beyond ASCII.
constexpr std::array<PointRange, 11> punctuation_points{{{0xa0, 0xa1},
                                                         {0xab, 0xab},
                                                         {0xb7, 0xb7},
                                                         {0xbb, 0xbb},
                                                         {0xbf, 0xbf},
                                                         {0x060c, 0x060c},
                                                         {0x061b, 0x061f},
                                                         {0x0964, 0x0965},
                                                         {0x2000, 0x206f},
                                                         {0x3000, 0x3003},
                                                         {0x3008, 0x3011}}};
constexpr std::array<PointRange, 3> wide_punctuation_points{
    {{0xff01, 0xff0f}, {0xff1a, 0xff1f}, {0xff3b, 0xff65}}};

/// Takes a character off the front of `text`; a byte that belongs to none is U+FFFD.
char32_t take_point(std::string_view& text) noexcept {
    const auto length = utf8_sequence_length(text);
    const auto point = length == 0 ? char32_t{0xfffd} : utf8_code_point(text, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
    return point;
}

bool is_white_point(char32_t point) noexcept {
    return point == ' ' || (point >= '\t' && point <= '\r') || point == 0xa0 || point == 0x3000;
}

bool is_punctuation_point(char32_t point) noexcept {
    if (point < 0x80) {
        const auto c = static_cast<char>(point);
        return is_white_point(point) || (c > ' ' && c < 0x7f && !is_letter_or_digit(c));
    }
    return is_within(punctuation_points, point) || is_within(wide_punctuation_points, point);
}

template <class Predicate>
bool all_points(std::string_view text, Predicate predicate) noexcept {
    while (!text.empty()) {
        if (!predicate(take_point(text))) return false;
    }
    return true;
}

std::vector<Placeholder> variables_of(std::string_view text) {
    auto found = placeholders_of(text);
    found.erase(std::remove_if(found.begin(), found.end(),
                               [](const Placeholder& each) { return each.name.empty(); }),
                found.end());
    return found;
}

bool is_part_of_host(char c) noexcept {
    return is_letter_or_digit(c) || c == '-';
}

}  // namespace

std::vector<Placeholder> placeholders_of(std::string_view text) {
    std::vector<Placeholder> found;
    std::size_t done = 0;
    while (const auto placeholder = find_placeholder(text, done)) {
        found.push_back(*placeholder);
        done = placeholder->end;
    }
    return found;
}

bool has_variable(std::string_view text) noexcept {
    std::size_t done = 0;
    while (const auto placeholder = find_placeholder(text, done)) {
        if (!placeholder->name.empty()) return true;
        done = placeholder->end;
    }
    return false;
}

std::string with_values(std::string_view text,
                        const std::function<std::string_view(std::string_view)>& value) {
    return replace_variables(text,
                             [&](std::string_view name, std::string_view) { return value(name); });
}

std::size_t shortest_length(std::string_view text) {
    auto length = count_code_points(text);
    for (const auto& variable : variables_of(text)) length -= variable.end - variable.begin - 1;
    return length;
}

bool has_neighbouring_variables(std::string_view text) {
    const auto found = variables_of(text);
    for (std::size_t i = 1; i < found.size(); ++i) {
        const auto between = text.substr(found[i - 1].end, found[i].begin - found[i - 1].end);
        if (all_points(between, is_white_point)) return true;
    }
    return false;
}

bool begins_with_variable(std::string_view text) {
    const auto found = variables_of(text);
    return !found.empty() && all_points(text.substr(0, found.front().begin), is_white_point);
}

bool ends_with_variable(std::string_view text) {
    const auto found = variables_of(text);
    return !found.empty() && all_points(text.substr(found.back().end), is_punctuation_point);
}

std::size_t count_words(std::string_view text) {
    const auto words = with_values(text, [](std::string_view) { return std::string_view(" "); });
    std::string_view rest = words;
    std::size_t count = 0;
    bool inside = false;
    while (!rest.empty()) {
        const auto point = take_point(rest);
        const bool alone = is_within(points_without_blanks, point);
        if (alone || (!inside && !is_punctuation_point(point))) ++count;
        // An apostrophe or a hyphen does not end a word, a blank does.
        inside = !alone && !is_white_point(point) && (inside || !is_punctuation_point(point));
    }
    return count;
}

std::size_t count_emojis(std::string_view text) {
    std::size_t count = 0;
    bool joined = false;
    bool half_a_flag = false;
    while (!text.empty()) {
        const auto point = take_point(text);
        const bool letter = flag_letters.first <= point && point <= flag_letters.last;
        const bool counts =
            letter ? !half_a_flag : point == keycap || is_within(emoji_points, point);
        if (counts && !joined) ++count;
        half_a_flag = letter && !half_a_flag;
        joined = point == zero_width_joiner;
    }
    return count;
}

bool has_wa_me_link(std::string_view text) {
    constexpr std::string_view host = "wa.me";
    for (std::size_t i = 0; i + host.size() <= text.size(); ++i) {
        if (!equals_ignoring_case(text.substr(i, host.size()), host)) continue;
        const auto after = i + host.size();
        const bool begins = i == 0 || !is_part_of_host(text[i - 1]);
        const bool ends =
            after == text.size() ||
            !(is_part_of_host(text[after]) ||
              (text[after] == '.' && after + 1 < text.size() && is_part_of_host(text[after + 1])));
        if (begins && ends) return true;
    }
    return false;
}

bool has_run_of_blank_lines(std::string_view text) {
    std::size_t breaks = 0;
    while (!text.empty()) {
        const auto point = take_point(text);
        if (point == '\n') {
            if (++breaks > 2) return true;
        } else if (!is_white_point(point)) {
            breaks = 0;
        }
    }
    return false;
}

}  // namespace twiliowa::detail
