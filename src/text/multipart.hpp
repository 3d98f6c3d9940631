/// @file
/// Form bodies in parts: multipart/form-data (RFC 7578).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace twiliowa::detail {

/// Whether a Content-Type says multipart/form-data.
bool is_multipart_form(std::string_view content_type) noexcept;

/// The fields in their order, repeated ones too; files (parts with a file name) are left out.
/// Nullopt when the body is not well-formed to the letter, or has more than `max_parts` parts.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_multipart(
    std::string_view content_type, std::string_view body, std::size_t max_parts = 1000);

}  // namespace twiliowa::detail
