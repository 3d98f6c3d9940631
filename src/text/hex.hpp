/// @file
/// Bytes as lower-case hexadecimal digits.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace twiliowa::detail {

/// Two digits for each byte, to `out`; answers where they end.
template <class Bytes, class Out>
Out write_hex(const Bytes& bytes, Out out) noexcept {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const auto each : bytes) {
        const auto byte = static_cast<unsigned char>(each);
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
    return out;
}

template <class Bytes>
std::string bytes_in_hex(const Bytes& bytes) {
    std::string hex(2 * bytes.size(), '\0');
    write_hex(bytes, hex.data());
    return hex;
}

}  // namespace twiliowa::detail
