/// @file
/// Reading small files.
#pragma once

#include <cstddef>
#include <string>

#include <twiliowa/types/result.hpp>
#include <twiliowa/types/secret.hpp>

namespace twiliowa::detail {

/// All of a file of at most `most_mebibytes` MiB. The error does not hold the path, whose field is
/// "path".
Result<std::string> read_whole_file(const std::string& path, std::size_t most_mebibytes);

/// The same for a secret: refused where others than the file's owner may read or write it, and not
/// left in memory that is not wiped. At most `most_bytes`, a multiple of 1024.
Result<Secret> read_secret_file(const std::string& path, std::size_t most_bytes);

}  // namespace twiliowa::detail
