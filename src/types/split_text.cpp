#include <twiliowa/types/split_text.hpp>

#include <algorithm>
#include <span>

#include "text/ascii.hpp"
#include "text/utf8.hpp"

namespace twiliowa {
namespace {

using detail::trim_back;
using detail::trim_front;
using detail::white_space;

/// Bytes of the first `most` characters.
std::size_t bytes_of(std::string_view text, std::size_t most) noexcept {
    std::size_t bytes = 0;
    for (; most > 0 && bytes < text.size(); --most) {
        bytes += std::max<std::size_t>(detail::utf8_sequence_length(text.substr(bytes)), 1);
    }
    return bytes;
}

/// Behind the last of `marks` in `text`, and what closes a quotation behind it; 0 without any.
std::size_t end_behind(std::string_view text, std::span<const std::string_view> marks) noexcept {
    std::size_t end = 0;
    for (const auto mark : marks) {
        if (const auto at = text.rfind(mark); at != text.npos)
            end = std::max(end, at + mark.size());
    }
    constexpr std::string_view closing[] = {"」", "』", "）", "】", "》", "”", "’", ")", "\""};
    for (bool found = end > 0; found;) {
        found = false;
        for (const auto mark : closing) {
            if (!text.substr(end).starts_with(mark)) continue;
            end += mark.size();
            found = true;
        }
    }
    return end;
}

/// Where to cut `text`, of which `room` bytes fit into a piece.
std::size_t place_to_cut(std::string_view text, std::size_t room) noexcept {
    // What follows the piece may be the space to cut at.
    const auto seen = text.substr(0, room + 1);
    for (const std::string_view end : {"\n\n", "\r\n\r\n", "\n"}) {
        if (const auto at = seen.rfind(end); at != seen.npos && at >= room / 2) return at;
    }
    std::size_t sentence = 0;
    for (const std::string_view end : {". ", "! ", "? ", "… ", "؟ ", "۔ ", "। "}) {
        if (const auto at = seen.rfind(end); at != seen.npos) {
            sentence = std::max(sentence, at + end.size() - 1);
        }
    }
    // Chinese and Japanese put no space behind a sentence.
    constexpr std::string_view wide_ends[] = {"。", "！", "？", "｡"};
    sentence = std::max(sentence, end_behind(text.substr(0, room), wide_ends));
    if (sentence > 0 && sentence >= room / 2) return sentence;
    constexpr std::string_view wide_commas[] = {"、", "，", "；"};
    const auto comma = end_behind(text.substr(0, room), wide_commas);
    const auto space = seen.find_last_of(white_space);
    const auto phrase = std::max(comma, space == seen.npos ? 0 : space);
    return phrase > 0 ? phrase : room;
}

}  // namespace

std::vector<std::string> split_text(std::string_view text, std::size_t most) {
    most = std::max<std::size_t>(most, 1);
    std::vector<std::string> pieces;
    for (auto rest = trim_back(text, white_space); !trim_front(rest, white_space).empty();) {
        if (!pieces.empty()) rest = trim_front(rest, white_space);
        const auto room = bytes_of(rest, most);
        if (room == rest.size()) {
            pieces.emplace_back(rest);
            break;
        }
        const auto cut = place_to_cut(rest, room);
        const auto piece = trim_back(rest.substr(0, cut), white_space);
        if (!trim_front(piece, white_space).empty()) pieces.emplace_back(piece);
        rest.remove_prefix(cut);
    }
    return pieces;
}

}  // namespace twiliowa
