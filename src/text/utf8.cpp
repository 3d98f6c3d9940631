#include "text/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace twiliowa::detail {

std::size_t utf8_sequence_length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto lead = byte(0);
    std::size_t length = 0;
    unsigned char lowest = 0x80;
    unsigned char highest = 0xbf;
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3;
        if (lead == 0xe0) lowest = 0xa0;
        if (lead == 0xed) highest = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4;
        if (lead == 0xf0) lowest = 0x90;
        if (lead == 0xf4) highest = 0x8f;
    }
    if (length == 0 || text.size() < length) return 0;
    if (byte(1) < lowest || byte(1) > highest) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return 0;
    }
    return length;
}

char32_t utf8_code_point(std::string_view text, std::size_t length) noexcept {
    const auto lead = static_cast<unsigned char>(text[0]);
    char32_t point = length == 1 ? lead : lead & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
    }
    return point;
}

bool is_ascii(std::string_view text) noexcept {
    constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080;
    std::array<std::uint64_t, 4> many{};
    for (; text.size() >= sizeof many; text.remove_prefix(sizeof many)) {
        std::memcpy(many.data(), text.data(), sizeof many);
        if (((many[0] | many[1] | many[2] | many[3]) & high_bits) != 0) return false;
    }
    std::uint64_t eight = 0;
    if (text.size() < sizeof eight) {
        return std::all_of(text.begin(), text.end(),
                           [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    }
    const char* const last = text.data() + text.size() - sizeof eight;
    for (const char* at = text.data(); at < last; at += sizeof eight) {
        std::memcpy(&eight, at, sizeof eight);
        if ((eight & high_bits) != 0) return false;
    }
    std::memcpy(&eight, last, sizeof eight);
    return (eight & high_bits) == 0;
}

bool is_valid_utf8(std::string_view text) noexcept {
    if (is_ascii(text)) return true;  // nearly all text is
    while (!text.empty()) {
        const auto length = utf8_sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::size_t count_code_points(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

std::string replace_invalid_utf8(std::string_view text) {
    std::string out;
    append_valid_utf8(out, text);
    return out;
}

void append_valid_utf8(std::string& out, std::string_view text) {
    if (is_valid_utf8(text)) {
        out += text;
        return;
    }
    while (!text.empty()) {
        const auto length = utf8_sequence_length(text);
        out += length == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
}

}  // namespace twiliowa::detail
