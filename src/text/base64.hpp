/// @file
/// Base64 (RFC 4648): the usual one, with padding, and the one for URLs, without.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace twiliowa::detail {

void append_base64(std::string& out, std::string_view bytes);
void append_base64url(std::string& out, std::string_view bytes);

/// Strict: padded, no white space, no other alphabet; nullopt otherwise.
std::optional<std::string> decode_base64(std::string_view text);

/// The same without an allocation: how many bytes were written; nullopt also where they do not fit.
std::optional<std::size_t> decode_base64_into(std::string_view text,
                                              std::span<unsigned char> out) noexcept;

/// As strict, of the alphabet for URLs, without padding.
std::optional<std::size_t> decode_base64url_into(std::string_view text,
                                                 std::span<unsigned char> out) noexcept;

}  // namespace twiliowa::detail
