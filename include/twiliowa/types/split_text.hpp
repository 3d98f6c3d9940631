/// @file
/// A long text as several messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>

namespace twiliowa {

/// Cuts `text` into pieces of at most `most` characters (code points; a byte that is not UTF-8
/// counts as one), 1600 of which fit into a message (facts 1.1). Cuts at the last blank line, else
/// the last line break, else the end of a sentence, else a space, each if that fills the piece at
/// least by half; inside a word only where there is nothing else. White space at a cut is dropped.
/// A text that fits is one piece; white space alone is none.
TWILIOWA_EXPORT std::vector<std::string> split_text(std::string_view text, std::size_t most = 1600);

}  // namespace twiliowa
