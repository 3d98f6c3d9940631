/// @file
/// Text for people: aligned, and without what a terminal would obey.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

/// `text` on one line: control characters, which may come from anybody's display name, are blanks.
std::string printable(std::string_view text);

/// Columns, the names in the first line. Without rows: nothing.
std::string table(const std::vector<std::string>& names,
                  const std::vector<std::vector<std::string>>& rows);

/// Names and values, a line each; those without a value are left out.
std::string facts(const std::vector<std::pair<std::string, std::string>>& values);

}  // namespace cli
