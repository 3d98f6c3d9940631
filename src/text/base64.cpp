#include "text/base64.hpp"

#include <cstdint>

namespace twiliowa::detail {

namespace {

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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

std::optional<std::string> decode_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        const std::size_t padding = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const auto value = k < 4 - padding ? base64_alphabet.find(text[i + k]) : 0;
            if (value == std::string_view::npos) return std::nullopt;
            group = (group << 6) | static_cast<std::uint32_t>(value);
        }
        // The bits that padding leaves over must be zero, or two texts would mean the same.
        if ((padding == 1 && (group & 0xff) != 0) || (padding == 2 && (group & 0xffff) != 0)) {
            return std::nullopt;
        }
        out += static_cast<char>(group >> 16 & 0xff);
        if (padding < 2) out += static_cast<char>(group >> 8 & 0xff);
        if (padding < 1) out += static_cast<char>(group & 0xff);
    }
    return out;
}

}  // namespace twiliowa::detail
