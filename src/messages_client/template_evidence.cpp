#include "messages_client/template_evidence.hpp"

#include <algorithm>

#include "messages_client/distinctive_value.hpp"
#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

/// Any letter beyond ASCII counts, in whatever script.
bool is_in_word(char c) noexcept {
    return is_letter_or_digit(c) || static_cast<unsigned char>(c) > 0x7f;
}

/// What joins two parts of one word: `A-1042`, `10.50`, `lee@example.com`.
bool joins_words(char c) noexcept {
    return std::string_view("-._:/@'+&").find(c) != std::string_view::npos;
}

/// Whether a word that ends with `last` is over before `rest`.
bool is_over(char last, std::string_view rest) noexcept {
    if (rest.empty() || !is_in_word(last)) return true;
    if (is_in_word(rest.front())) return false;
    return rest.size() < 2 || !joins_words(rest[0]) || !is_in_word(rest[1]);
}

/// Whether a word that begins with `first` begins behind `before`.
bool is_begun(std::string_view before, char first) noexcept {
    if (before.empty() || !is_in_word(first)) return true;
    if (is_in_word(before.back())) return false;
    const auto end = before.size();
    return end < 2 || !joins_words(before[end - 1]) || !is_in_word(before[end - 2]);
}

}  // namespace

std::string single_spaced(std::string_view text) {
    std::string result;
    bool pending = false;
    for (const char c : text) {
        if (c == ' ' || (c >= '\t' && c <= '\r')) {
            pending = !result.empty();
            continue;
        }
        if (pending) result.push_back(' ');
        pending = false;
        result.push_back(c);
    }
    return result;
}

bool has_whole_words(std::string_view text, std::string_view words) noexcept {
    if (words.empty()) return false;
    for (auto at = text.find(words); at != std::string_view::npos; at = text.find(words, at + 1)) {
        if (is_begun(text.substr(0, at), words.front()) &&
            is_over(words.back(), text.substr(at + words.size()))) {
            return true;
        }
    }
    return false;
}

bool shows_values(std::string_view text, const std::vector<std::string>& values) noexcept {
    return std::any_of(values.begin(), values.end(), is_distinctive) &&
           std::all_of(values.begin(), values.end(),
                       [text](std::string_view value) { return has_whole_words(text, value); });
}

}  // namespace twiliowa::detail
