#include <twiliowa/types/env_file.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "text/ascii.hpp"
#include "types/whole_file.hpp"

namespace twiliowa {

namespace {

using detail::blanks;
using detail::trim;

constexpr std::size_t largest_env_file = 1;  // MiB

bool is_variable_of_environment(std::string_view name) noexcept {
    return !name.empty() && !detail::is_digit(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [](char c) { return detail::is_letter_or_digit(c) || c == '_'; });
}

/// Whether `text`, what follows a quoted value, is nothing or a comment.
bool is_end_of_value(std::string_view text) noexcept {
    const auto rest = detail::trim_front(text, blanks);
    return rest.empty() || (rest.front() == '#' && rest.size() < text.size());
}

std::optional<std::string> read_double_quoted(std::string_view text) {
    std::string value;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') {
            if (!is_end_of_value(text.substr(i + 1))) return std::nullopt;
            return value;
        }
        if (text[i] != '\\' || i + 1 == text.size()) {
            value += text[i];
            continue;
        }
        switch (text[++i]) {
            case 'n':
                value += '\n';
                break;
            case 't':
                value += '\t';
                break;
            case '"':
            case '\\':
            case '$':
                value += text[i];
                break;
            default:
                value.append(1, '\\').append(1, text[i]);
        }
    }
    return std::nullopt;  // the quote is not closed
}

/// What stands behind the `=`.
std::optional<std::string> read_value(std::string_view text) {
    text = trim(text, blanks);
    if (text.starts_with('"')) return read_double_quoted(text.substr(1));
    if (text.starts_with('\'')) {
        const auto end = text.find('\'', 1);
        if (end == std::string_view::npos || !is_end_of_value(text.substr(end + 1))) {
            return std::nullopt;
        }
        return std::string{text.substr(1, end - 1)};
    }
    if (text.starts_with('#')) return std::string{};
    for (const std::string_view comment : {" #", "\t#"}) text = text.substr(0, text.find(comment));
    return std::string{detail::trim_back(text, blanks)};
}

using Assignment = std::pair<std::string, std::string>;

/// The line's variable; an empty name where the line says nothing; nullopt where it is none.
std::optional<Assignment> read_line(std::string_view line) {
    line = trim(line, detail::white_space);
    if (line.empty() || line.front() == '#') return Assignment{};
    constexpr std::string_view prefix = "export";
    if (line.starts_with(prefix) && line.size() > prefix.size() &&
        detail::is_one_of(blanks, line[prefix.size()])) {
        line = detail::trim_front(line.substr(prefix.size()), blanks);
    }
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || line.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    const auto name = detail::trim_back(line.substr(0, equals), blanks);
    if (!is_variable_of_environment(name)) return std::nullopt;
    auto value = read_value(line.substr(equals + 1));
    if (!value) return std::nullopt;
    return Assignment{std::string{name}, std::move(*value)};
}

Error wrong_line(std::size_t number) {
    return Error::invalid_request("line " + std::to_string(number),
                                  "is no variable: NAME=value, a comment, or empty",
                                  "is a quotation mark missing?");
}

Result<std::vector<Assignment>> read_assignments(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    std::vector<Assignment> all;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        auto assignment = read_line(text.substr(0, end));
        if (!assignment) return wrong_line(number);
        if (!assignment->first.empty()) all.push_back(std::move(*assignment));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return all;
}

}  // namespace

Result<std::size_t> try_load_env_file(const std::string& path) {
    const auto text = detail::read_whole_file(path, largest_env_file);
    if (!text) return text.error();
    const auto assignments = read_assignments(*text);
    if (!assignments) return assignments.error();
    std::size_t count = 0;
    for (const auto& [name, value] : *assignments) {
        if (std::getenv(name.c_str()) != nullptr) continue;
        if (setenv(name.c_str(), value.c_str(), 0) == 0) ++count;
    }
    return count;
}

std::size_t load_env_file(const std::string& path) {
    return try_load_env_file(path).value();
}

}  // namespace twiliowa
