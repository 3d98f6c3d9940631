#include "layout.hpp"

#include <algorithm>
#include <cstddef>

namespace cli {

namespace {

/// Characters of UTF-8.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0U) != 0x80U; }));
}

void append_padded(std::string& line, const std::string& text, std::size_t width) {
    line += text;
    line.append(width - std::min(width, width_of(text)), ' ');
}

}  // namespace

std::string printable(std::string_view text) {
    std::string clean;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
        if (c == 0xc2U && next >= 0x80U && next < 0xa0U) {  // U+0080 to U+009F
            clean += ' ';
            ++i;
        } else {
            clean += c < 0x20U || c == 0x7fU ? ' ' : text[i];
        }
    }
    return clean;
}

std::string table(const std::vector<std::string>& names,
                  const std::vector<std::vector<std::string>>& rows) {
    if (rows.empty()) return {};
    std::vector<std::vector<std::string>> cells{names};
    cells.insert(cells.end(), rows.begin(), rows.end());
    std::vector<std::size_t> widths(names.size(), 0);
    for (auto& row : cells) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            row[i] = printable(row[i]);
            widths[i] = std::max(widths[i], width_of(row[i]));
        }
    }
    std::string text;
    for (const auto& row : cells) {
        std::string line;
        for (std::size_t i = 0; i < widths.size(); ++i) append_padded(line, row[i], widths[i] + 2);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
    }
    return text;
}

std::string facts(const std::vector<std::pair<std::string, std::string>>& values) {
    std::size_t width = 0;
    for (const auto& [name, value] : values) width = std::max(width, width_of(name));
    std::string text;
    for (const auto& [name, value] : values) {
        if (value.empty()) continue;
        append_padded(text, name, width + 2);
        text += printable(value) + '\n';
    }
    return text;
}

}  // namespace cli
