/// @file
/// A file that a command writes.
#pragma once

#include <string>
#include <string_view>

namespace cli {

/// Makes the file hold `text`, all of it or what it held before; one that holds it already is left
/// alone, so that nothing is built anew for it. Whether it was changed.
/// @param option  that names the file: the field of an error
/// @throws TwilioError if it cannot be written.
bool write_file(const std::string& file, std::string_view text, std::string_view option);

}  // namespace cli
