/// @file
/// Identifiers of C++, made of whatever somebody called something.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cli {

/// Whether a program may call something of its own so: an identifier of ASCII that is no keyword,
/// no usual macro and not the implementation's.
bool is_free_identifier(std::string_view text);

/// `text` in small letters with underscores: "Order update (v2)" is order_update_v2, "firstName" is
/// first_name. What begins with a digit begins with `prefix`; a keyword or a usual macro gets an
/// underscore. Empty if nothing of `text` can stay.
std::string snake_identifier(std::string_view text, std::string_view prefix);

/// order_update_v2 as OrderUpdateV2. What differs as one differs as the other.
std::string pascal_identifier(std::string_view snake);

/// Of each list of names, best first, one that none of the others has. The last of each must be
/// its own.
std::vector<std::string> distinct_names(const std::vector<std::vector<std::string>>& candidates);

}  // namespace cli
