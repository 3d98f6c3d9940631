/// @file
/// Reading small files.
#pragma once

#include <cstddef>
#include <string>

#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// All of a file of at most `most_mebibytes` MiB. The error does not hold the path, whose field is
/// "path".
Result<std::string> read_whole_file(const std::string& path, std::size_t most_mebibytes);

}  // namespace twiliowa::detail
