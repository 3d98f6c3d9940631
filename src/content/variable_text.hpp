/// @file
/// Texts with variables in them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/placeholders.hpp>

namespace twiliowa::detail {

/// Every placeholder of `text`, the malformed ones too.
std::vector<Placeholder> placeholders_of(std::string_view text);

/// Whether it has one that is not malformed.
bool has_variable(std::string_view text) noexcept;

/// `text` with each variable replaced by what `replacement(name, as_written)` gives for it. What is
/// malformed stays.
template <class Replacement>
std::string replace_variables(std::string_view text, Replacement replacement) {
    std::string replaced;
    std::size_t done = 0;
    while (const auto at = find_placeholder(text, done)) {
        const auto as_written = text.substr(at->begin, at->end - at->begin);
        replaced.append(text.substr(done, at->begin - done));
        if (at->name.empty()) {
            replaced.append(as_written);
        } else {
            replaced.append(replacement(at->name, as_written));
        }
        done = at->end;
    }
    return replaced.append(text.substr(done));
}

/// The same with what `value` gives for its name.
std::string with_values(std::string_view text,
                        const std::function<std::string_view(std::string_view)>& value);

/// Code points, where each variable counts as one: none is ever filled in with nothing.
std::size_t shortest_length(std::string_view text);

/// Whether two variables stand side by side, or with nothing but white space between.
bool has_neighbouring_variables(std::string_view text);
/// White space before it does not count.
bool begins_with_variable(std::string_view text);
/// White space and punctuation after it do not count.
bool ends_with_variable(std::string_view text);

/// Words that are no variables. In a script that is written without blanks each character is one.
std::size_t count_words(std::string_view text);

/// A family, a flag, a hand with a colour of skin are one each.
std::size_t count_emojis(std::string_view text);

/// Whether it has a link to wa.me.
bool has_wa_me_link(std::string_view text);

/// Whether two lines or more in a row have nothing in them.
bool has_run_of_blank_lines(std::string_view text);

}  // namespace twiliowa::detail
