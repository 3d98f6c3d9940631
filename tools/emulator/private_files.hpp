/// @file
/// Files that hold a token, or are trusted: nobody else may read them, or have put them there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace emulator {

/// Writes the file whole or not at all, for its owner alone. A link that is in its place is
/// replaced, not followed. @throws std::runtime_error that names the file
void write_private_file(const std::string& file, std::string_view bytes);

/// Nullopt where there is none. @throws std::runtime_error if there is, and it cannot be read
std::optional<std::string> read_file(const std::string& file);

/// Makes a new directory for temporary files, for its owner alone. @throws std::runtime_error
std::string make_private_directory();

}  // namespace emulator
