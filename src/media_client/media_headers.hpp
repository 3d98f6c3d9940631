/// @file
/// What an answer's headers say of a file, cleaned.
#pragma once

#include <string>
#include <string_view>

namespace twiliowa::detail {

/// A Content-Type of plain text; empty if it is none.
std::string plain_media_type(std::string_view content_type);

/// The file name of a Content-Disposition (RFC 6266), without directories; empty if there is none
/// that is safe to show and to give to a file.
std::string safe_file_name(std::string_view content_disposition);

}  // namespace twiliowa::detail
