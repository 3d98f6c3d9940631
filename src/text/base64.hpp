/// @file
/// Base64 (RFC 4648, with padding).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace twiliowa::detail {

void append_base64(std::string& out, std::string_view bytes);

/// Strict: padded, no white space, no other alphabet; nullopt otherwise.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace twiliowa::detail
