/// @file
/// Where the variables stand in a template's text.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace twiliowa {

/// A `{{name}}` in a text. Blanks around the name do not count: Twilio may answer `{{ 1 }}` for
/// `{{1}}`.
struct Placeholder {
    std::size_t begin = 0;       ///< Of the first brace.
    std::size_t end = 0;         ///< After the last brace.
    std::string_view name = {};  ///< 1 to 16 letters, digits and underscores; empty if malformed.
};

/// Whether a variable may have that name: 1 to 16 letters, digits and underscores (error 21656).
constexpr bool is_variable_name(std::string_view name) noexcept {
    if (name.empty() || name.size() > 16) return false;
    for (const char c : name) {
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '_')) {
            return false;
        }
    }
    return true;
}

namespace detail {

/// What `{{` at `begin` opens. Malformed: up to the braces that close it, or the two alone.
constexpr Placeholder placeholder_at(std::string_view text, std::size_t begin) noexcept {
    auto first = begin + 2;
    while (first < text.size() && text[first] == ' ') ++first;
    auto last = first;
    while (last < text.size() && is_variable_name(text.substr(last, 1))) ++last;
    const auto name = text.substr(first, last - first);
    while (last < text.size() && text[last] == ' ') ++last;
    const bool closed = text.substr(last, 2) == "}}";
    return {begin, closed ? last + 2 : begin + 2,
            closed && is_variable_name(name) ? name : std::string_view{}};
}

}  // namespace detail

/// The first placeholder from `from` on; nullopt when there is none. One that is malformed (`{{}}`,
/// `{{a-b}}`, `{{1`) is told with an empty name: a send would leave it as it is written. Of `{{{`
/// the last two braces open one.
constexpr std::optional<Placeholder> find_placeholder(std::string_view text,
                                                      std::size_t from = 0) noexcept {
    auto begin = text.find("{{", from);
    if (begin == std::string_view::npos) return std::nullopt;
    while (begin + 2 < text.size() && text[begin + 2] == '{') ++begin;
    return detail::placeholder_at(text, begin);
}

}  // namespace twiliowa
