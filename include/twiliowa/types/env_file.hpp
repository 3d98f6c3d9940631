/// @file
/// Environment variables from a file, as in development: `.env`.
#pragma once

#include <cstddef>
#include <string>

#include <twiliowa/export.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Sets the environment variables that a file names, one `NAME=value` a line; a variable that is
/// set already stays as it is, so that the real environment wins. Returns how many were set.
///
/// A line may begin with `export `. Lines that are empty or begin with `#` are passed over, and so
/// is what follows a blank and a `#` behind a value. A value is taken as it is, without the blanks
/// around it; in single quotes with them; in double quotes a backslash makes a line break of an n,
/// a tab of a t, and takes a quotation mark, a backslash or a dollar sign as it is. Nothing is
/// expanded: `$HOME` stays `$HOME`. A quoted value ends on its line. Where a name comes twice the
/// first counts.
///
/// Call it before threads start: the environment belongs to the whole process, and changing it is
/// not thread-safe (setenv). Nothing is set if there is an error.
///
/// Errors: InvalidRequestError, field "path" when the file cannot be read or is larger than 1 MiB,
/// or with the number of the line that is none of the above; never with what it holds.
/// @throws InvalidRequestError
TWILIOWA_EXPORT std::size_t load_env_file(const std::string& path);
TWILIOWA_EXPORT Result<std::size_t> try_load_env_file(const std::string& path);

}  // namespace twiliowa
