#include "media_client/media_headers.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "text/ascii.hpp"
#include "text/percent.hpp"
#include "text/utf8.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::size_t longest_file_name = 255;

/// Takes a parameter's value, a quoted string or up to the next semicolon, off the front.
std::string take_parameter_value(std::string_view& rest) {
    rest = trim(rest, blanks);
    std::string value;
    if (!rest.starts_with('"')) {
        const auto end = std::min(rest.find(';'), rest.size());
        value = trim(rest.substr(0, end), blanks);
        rest.remove_prefix(end);
        return value;
    }
    rest.remove_prefix(1);
    while (!rest.empty() && rest.front() != '"') {
        if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
        value += rest.front();
        rest.remove_prefix(1);
    }
    rest.remove_prefix(std::min(rest.find(';'), rest.size()));
    return value;
}

/// `UTF-8'en'na%C3%AFve.txt`
std::string decode_extended_value(std::string_view value) {
    const auto first = value.find('\'');
    const auto second = first == std::string_view::npos ? first : value.find('\'', first + 1);
    if (second == std::string_view::npos) return {};
    if (!equals_ignoring_case(value.substr(0, first), "utf-8")) return {};
    return percent_decode(value.substr(second + 1), false);
}

/// Controls, and the marks that let a name be shown otherwise than it is.
bool shows_what_it_is(std::string_view name) {
    constexpr std::string_view refused = "/\\:*?\"<>|";
    for (std::size_t i = 0; i < name.size(); ++i) {
        const auto byte = static_cast<unsigned char>(name[i]);
        if (byte < 0x20 || byte == 0x7f || refused.find(name[i]) != std::string_view::npos) {
            return false;
        }
        const auto rest = name.substr(i);
        if (byte == 0xc2 && static_cast<unsigned char>(rest[1]) < 0xa0) return false;  // C1
        if (rest.starts_with("\xe2\x80") || rest.starts_with("\xe2\x81")) {
            const auto last = static_cast<unsigned char>(rest[2]);
            const bool marks =
                byte == 0xe2 && static_cast<unsigned char>(rest[1]) == 0x80
                    ? (last >= 0x8b && last <= 0x8f) || (last >= 0xa8 && last <= 0xae)
                    : last >= 0xa0 && last <= 0xaf;
            if (marks) return false;
        }
    }
    return true;
}

std::string cleaned_file_name(std::string name) {
    const auto slash = name.find_last_of("/\\");
    if (slash != std::string::npos) name.erase(0, slash + 1);
    const bool safe = !name.empty() && name.size() <= longest_file_name && name.front() != '.' &&
                      name.front() != ' ' && name.back() != '.' && name.back() != ' ' &&
                      is_valid_utf8(name) && shows_what_it_is(name);
    return safe ? name : std::string{};
}

}  // namespace

std::string plain_media_type(std::string_view content_type) {
    const auto type = trim(content_type, blanks);
    const bool plain =
        type.size() <= 127 && type.find('/') != std::string_view::npos &&
        std::all_of(type.begin(), type.end(), [](char c) {
            return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f;
        });
    return plain ? std::string(type) : std::string{};
}

std::string safe_file_name(std::string_view content_disposition) {
    auto rest = content_disposition.substr(
        std::min(content_disposition.find(';'), content_disposition.size()));
    std::string plain;
    std::string extended;
    while (rest.starts_with(';')) {
        rest.remove_prefix(1);
        const auto equals = rest.find('=');
        const auto end = rest.find(';');
        if (equals == std::string_view::npos || end < equals) {
            rest.remove_prefix(std::min(end, rest.size()));
            continue;
        }
        const auto name = trim(rest.substr(0, equals), blanks);
        rest.remove_prefix(equals + 1);
        const auto value = take_parameter_value(rest);
        if (equals_ignoring_case(name, "filename") && plain.empty()) plain = value;
        if (equals_ignoring_case(name, "filename*") && extended.empty()) {
            extended = decode_extended_value(value);
        }
    }
    auto file_name = cleaned_file_name(std::move(extended));
    return file_name.empty() ? cleaned_file_name(std::move(plain)) : file_name;
}

}  // namespace twiliowa::detail
