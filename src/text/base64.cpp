#include "text/base64.hpp"

#include <array>
#include <cstdint>

namespace twiliowa::detail {

namespace {

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// -1 for what is no digit.
constexpr auto base64_values = [] {
    std::array<std::int8_t, 256> values{};
    for (auto& value : values) value = -1;
    for (std::size_t i = 0; i < base64_alphabet.size(); ++i) {
        values[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::int8_t>(i);
    }
    return values;
}();

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
    std::size_t i = 0;
    const auto at = [&](std::size_t k) -> std::uint32_t {
        return k < bytes.size() ? static_cast<unsigned char>(bytes[k]) : 0u;
    };
    for (; i < bytes.size(); i += 3) {
        const auto group = (at(i) << 16) | (at(i + 1) << 8) | at(i + 2);
        out += base64_alphabet[(group >> 18) & 63];
        out += base64_alphabet[(group >> 12) & 63];
        out += i + 1 < bytes.size() ? base64_alphabet[(group >> 6) & 63] : '=';
        out += i + 2 < bytes.size() ? base64_alphabet[group & 63] : '=';
    }
}

std::optional<std::size_t> decode_base64_into(std::string_view text,
                                              std::span<unsigned char> out) noexcept {
    if (text.empty()) return 0;
    if (text.size() % 4 != 0) return std::nullopt;
    const std::size_t padding = text.back() != '=' ? 0 : text[text.size() - 2] == '=' ? 2 : 1;
    const auto size = text.size() / 4 * 3 - padding;
    if (size > out.size()) return std::nullopt;
    std::size_t written = 0;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const std::size_t digits = i + 4 == text.size() ? 4 - padding : 4;
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const int value =
                k < digits ? base64_values[static_cast<unsigned char>(text[i + k])] : 0;
            if (value < 0) return std::nullopt;
            group = group << 6 | static_cast<std::uint32_t>(value);
        }
        for (std::size_t k = 0; k < 3; ++k, group <<= 8) {
            const auto byte = static_cast<unsigned char>(group >> 16 & 0xff);
            if (written < size) {
                out[written++] = byte;
            } else if (byte != 0) {
                // Bits that padding leaves over must be zero, or two texts would mean the same.
                return std::nullopt;
            }
        }
    }
    return size;
}

std::optional<std::string> decode_base64(std::string_view text) {
    std::string out(text.size() / 4 * 3, '\0');
    const auto size =
        decode_base64_into(text, {reinterpret_cast<unsigned char*>(out.data()), out.size()});
    if (!size) return std::nullopt;
    out.resize(*size);
    return out;
}

}  // namespace twiliowa::detail
