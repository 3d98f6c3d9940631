#include "text/base64.hpp"

#include <array>
#include <cstdint>

namespace twiliowa::detail {

namespace {

constexpr std::string_view base64_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using Base64Values = std::array<std::int8_t, 256>;

/// -1 for what is no digit.
constexpr Base64Values values_of(std::string_view alphabet) {
    Base64Values values{};
    for (auto& value : values) value = -1;
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    }
    return values;
}

constexpr auto base64_values = values_of(base64_alphabet);
constexpr auto base64url_values = values_of(base64url_alphabet);

/// Without padding.
void append_digits(std::string& out, std::string_view bytes, std::string_view alphabet) {
    const auto at = [bytes](std::size_t i) -> std::uint32_t {
        return static_cast<unsigned char>(bytes[i]);
    };
    const auto rest = bytes.size() % 3;
    const auto whole = bytes.size() - rest;
    const auto begin = out.size();
    out.resize(begin + whole / 3 * 4 + (rest == 0 ? 0 : rest + 1));
    char* to = out.data() + begin;
    for (std::size_t i = 0; i < whole; i += 3) {
        const auto group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
        *to++ = alphabet[group >> 18];
        *to++ = alphabet[group >> 12 & 63];
        *to++ = alphabet[group >> 6 & 63];
        *to++ = alphabet[group & 63];
    }
    if (rest == 0) return;
    const auto group = at(whole) << 16 | (rest == 2 ? at(whole + 1) << 8 : 0);
    *to++ = alphabet[group >> 18];
    *to++ = alphabet[group >> 12 & 63];
    if (rest == 2) *to++ = alphabet[group >> 6 & 63];
}

/// How many bytes the digits, without padding, were written as; nullopt where they are none, or do
/// not fit.
std::optional<std::size_t> decode_digits(std::string_view digits, const Base64Values& values,
                                         std::span<unsigned char> out) noexcept {
    const auto rest = digits.size() % 4;
    const auto whole = digits.size() - rest;
    if (rest == 1) return std::nullopt;
    const auto size = whole / 4 * 3 + (rest == 0 ? 0 : rest - 1);
    if (size > out.size()) return std::nullopt;
    const auto value = [&](std::size_t i) -> std::int32_t {
        return values[static_cast<unsigned char>(digits[i])];
    };
    unsigned char* to = out.data();
    for (std::size_t i = 0; i < whole; i += 4) {
        // One that is no digit makes all of it negative.
        const auto group = value(i) << 18 | value(i + 1) << 12 | value(i + 2) << 6 | value(i + 3);
        if (group < 0) return std::nullopt;
        *to++ = static_cast<unsigned char>(group >> 16);
        *to++ = static_cast<unsigned char>(group >> 8 & 0xff);
        *to++ = static_cast<unsigned char>(group & 0xff);
    }
    if (rest == 0) return size;
    const auto group =
        value(whole) << 18 | value(whole + 1) << 12 | (rest == 3 ? value(whole + 2) << 6 : 0);
    // Bits that are left over must be zero, or two texts would mean the same.
    if (group < 0 || (group & (rest == 3 ? 0xff : 0xffff)) != 0) return std::nullopt;
    *to++ = static_cast<unsigned char>(group >> 16);
    if (rest == 3) *to++ = static_cast<unsigned char>(group >> 8 & 0xff);
    return size;
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
    append_digits(out, bytes, base64_alphabet);
    if (const auto rest = bytes.size() % 3; rest != 0) out.append(3 - rest, '=');
}

void append_base64url(std::string& out, std::string_view bytes) {
    append_digits(out, bytes, base64url_alphabet);
}

std::optional<std::size_t> decode_base64_into(std::string_view text,
                                              std::span<unsigned char> out) noexcept {
    if (text.empty()) return 0;
    if (text.size() % 4 != 0) return std::nullopt;
    const std::size_t padding = text.back() != '=' ? 0 : text[text.size() - 2] == '=' ? 2 : 1;
    return decode_digits(text.substr(0, text.size() - padding), base64_values, out);
}

std::optional<std::size_t> decode_base64url_into(std::string_view text,
                                                 std::span<unsigned char> out) noexcept {
    return decode_digits(text, base64url_values, out);
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
