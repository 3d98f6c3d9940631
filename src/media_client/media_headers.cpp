#include "media_client/media_headers.hpp"

#include <algorithm>
#include <iterator>
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

struct CodePoints {
    char32_t first = 0;
    char32_t last = 0;
};

/// Controls, and what is not seen: the marks of format and direction, which let a name be shown
/// otherwise than it is, and fillers.
constexpr CodePoints unseen_in_names[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x034f, 0x034f},   {0x0600, 0x0605},
    {0x061c, 0x061c},   {0x06dd, 0x06dd}, {0x070f, 0x070f}, {0x115f, 0x1160},   {0x17b4, 0x17b5},
    {0x180b, 0x180e},   {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},   {0x3164, 0x3164},
    {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},
};

bool shows_what_it_is(std::string_view name) noexcept {
    constexpr std::string_view refused = "/\\:*?\"<>|";
    while (!name.empty()) {
        if (refused.find(name.front()) != std::string_view::npos) return false;
        const auto length = utf8_sequence_length(name);
        if (length == 0) return false;
        const auto point = utf8_code_point(name, length);
        if (std::any_of(std::begin(unseen_in_names), std::end(unseen_in_names),
                        [point](const CodePoints& range) {
                            return range.first <= point && point <= range.last;
                        })) {
            return false;
        }
        name.remove_prefix(length);
    }
    return true;
}

/// The first `most` bytes of valid UTF-8, or fewer: no character is cut.
std::string_view whole_characters(std::string_view text, std::size_t most) noexcept {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0u) == 0x80) --most;
    return text.substr(0, most);
}

/// Shortened to what file systems take, with its extension where it has one.
std::string shortened_file_name(std::string_view name) {
    constexpr std::size_t longest_extension = 16;
    if (name.size() <= longest_file_name) return std::string(name);
    const auto dot = name.rfind('.');
    auto extension = dot == std::string_view::npos ? std::string_view{} : name.substr(dot);
    if (extension.size() > longest_extension || extension.find(' ') != std::string_view::npos) {
        extension = {};
    }
    auto stem = whole_characters(name, longest_file_name - extension.size());
    while (stem.ends_with('.') || stem.ends_with(' ')) stem.remove_suffix(1);
    return std::string(stem).append(extension);
}

std::string cleaned_file_name(std::string name) {
    const auto slash = name.find_last_of("/\\");
    if (slash != std::string::npos) name.erase(0, slash + 1);
    constexpr std::string_view wrong_fronts = ". -";  // hidden, or an option of a command
    const bool safe = !name.empty() && wrong_fronts.find(name.front()) == std::string_view::npos &&
                      name.back() != '.' && name.back() != ' ' && shows_what_it_is(name);
    return safe ? shortened_file_name(name) : std::string{};
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
