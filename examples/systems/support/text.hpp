// Bytes as text.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace support {

std::string hex(std::span<const unsigned char> bytes);
/// In hexadecimal digits.
std::string sha256(std::string_view text);
/// Whether it may stand in a path, a log and a table: 1 to `most` letters, digits, `-` and `_`.
bool is_plain_name(std::string_view text, std::size_t most);
/// Of a file; throws InvalidRequestError, naming `name`, if there is none.
std::string contents_of(const std::string& path, const char* name);

}  // namespace support
