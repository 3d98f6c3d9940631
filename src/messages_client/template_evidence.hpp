/// @file
/// Whether a text shows that a template was filled with certain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace twiliowa::detail {

/// Each run of white space as one space, none at the ends: how it was sent does not matter then.
std::string single_spaced(std::string_view text);

/// Whether `words` stand in `text` as they are, not inside other words: `Ann` is not in `Anna`, and
/// `A-10` is not in `A-10-B` or `A-1042`.
bool has_whole_words(std::string_view text, std::string_view words) noexcept;

/// Whether `text` holds every one of `values`, and one of them is distinctive. All single-spaced.
bool shows_values(std::string_view text, const std::vector<std::string>& values) noexcept;

}  // namespace twiliowa::detail
