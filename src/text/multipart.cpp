#include "text/multipart.hpp"

#include <algorithm>

#include "text/ascii.hpp"
#include "text/media_type.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::size_t max_part_head = 4096;
constexpr std::string_view part_break = "\r\n";

bool is_part_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

void skip_part_blanks(std::string_view& text) noexcept {
    text = trim_front(text, " \t");
}

/// Takes `word` from the front of the text, in any case; false if it is not there.
bool take_part_word(std::string_view& text, std::string_view word) noexcept {
    if (!equals_ignoring_case(text.substr(0, word.size()), word)) return false;
    text.remove_prefix(word.size());
    return true;
}

/// A parameter's value, in quotes or without; nullopt when quotes do not end.
std::optional<std::string> take_part_value(std::string_view& text) {
    if (!text.starts_with('"')) {
        const auto value = text.substr(0, text.find_first_of("; \t"));
        text.remove_prefix(value.size());
        return std::string{value};
    }
    std::string value;
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == '"') {
            text.remove_prefix(at + 1);
            return value;
        }
        const bool escape = text[at] == '\\' && at + 1 < text.size() &&
                            (text[at + 1] == '"' || text[at + 1] == '\\');
        if (escape) ++at;
        value += text[at];
    }
    return std::nullopt;
}

struct PartParameters {
    std::optional<std::string> name = {};
    std::optional<std::string> boundary = {};
    bool has_file_name = false;
};

/// Reads `; name="To"; filename=x` to its end.
std::optional<PartParameters> read_part_parameters(std::string_view text) {
    PartParameters parameters;
    for (;;) {
        skip_part_blanks(text);
        if (text.empty()) return parameters;
        if (!take_part_word(text, ";")) return std::nullopt;
        skip_part_blanks(text);
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) return std::nullopt;
        const auto key = text.substr(0, equals);
        if (key.empty() || key.find_first_of("; \t\"") != std::string_view::npos) {
            return std::nullopt;
        }
        text.remove_prefix(equals + 1);
        auto value = take_part_value(text);
        if (!value) return std::nullopt;
        // A parameter that is given twice means two things.
        auto* slot = equals_ignoring_case(key, "name")       ? &parameters.name
                     : equals_ignoring_case(key, "boundary") ? &parameters.boundary
                                                             : nullptr;
        if (slot != nullptr) {
            if (*slot) return std::nullopt;
            *slot = std::move(value);
        }
        if (equals_ignoring_case(key, "filename") || equals_ignoring_case(key, "filename*")) {
            parameters.has_file_name = true;
        }
    }
}

bool is_multipart_boundary(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 70 && text.back() != ' ' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter_or_digit(c) ||
                      std::string_view{"'()+_,-./:=? "}.find(c) != std::string_view::npos;
           });
}

/// The head of a part: whose field it is. Nullopt when it is not well-formed.
std::optional<PartParameters> read_part_head(std::string_view head) {
    std::optional<PartParameters> field;
    while (!head.empty()) {
        const auto end = std::min(head.find(part_break), head.size());
        auto line = head.substr(0, end);
        head.remove_prefix(std::min(end + part_break.size(), head.size()));
        const auto colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0 || is_part_blank(line.front()) ||
            line.find_first_of("\r\n") != std::string_view::npos) {
            return std::nullopt;
        }
        const auto name = line.substr(0, colon);
        line.remove_prefix(colon + 1);
        skip_part_blanks(line);
        if (equals_ignoring_case(name, "Content-Disposition")) {
            if (field || !take_part_word(line, "form-data")) return std::nullopt;
            field = read_part_parameters(line);
            if (!field || !field->name) return std::nullopt;
        } else if (equals_ignoring_case(name, "Content-Transfer-Encoding")) {
            if (!equals_ignoring_case(line, "7bit") && !equals_ignoring_case(line, "8bit") &&
                !equals_ignoring_case(line, "binary")) {
                return std::nullopt;
            }
        }
    }
    return field;
}

std::optional<std::string> multipart_boundary(std::string_view content_type) {
    if (!is_multipart_form(content_type)) return std::nullopt;
    const auto parameters = read_part_parameters(
        content_type.substr(std::min(content_type.find(';'), content_type.size())));
    if (!parameters || !parameters->boundary || !is_multipart_boundary(*parameters->boundary)) {
        return std::nullopt;
    }
    return parameters->boundary;
}

/// What follows a delimiter: the end of the line, or of the whole.
enum class PartDelimiter { broken, next, last };

PartDelimiter take_part_delimiter_end(std::string_view& text) noexcept {
    const bool last = take_part_word(text, "--");
    skip_part_blanks(text);
    if (take_part_word(text, part_break)) {
        return last && !text.empty() ? PartDelimiter::broken
                                     : (last ? PartDelimiter::last : PartDelimiter::next);
    }
    return last && text.empty() ? PartDelimiter::last : PartDelimiter::broken;
}

}  // namespace

bool is_multipart_form(std::string_view content_type) noexcept {
    return is_media_type(content_type, "multipart/form-data");
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_multipart(
    std::string_view content_type, std::string_view body, std::size_t max_parts) {
    const auto boundary = multipart_boundary(content_type);
    if (!boundary) return std::nullopt;
    const std::string delimiter = "\r\n--" + *boundary;

    std::vector<std::pair<std::string, std::string>> fields;
    // The first delimiter begins the body.
    if (!body.starts_with(std::string_view{delimiter}.substr(part_break.size())))
        return std::nullopt;
    body.remove_prefix(delimiter.size() - part_break.size());
    for (std::size_t parts = 0;; ++parts) {
        const auto kind = take_part_delimiter_end(body);
        if (kind == PartDelimiter::last) return fields;
        if (kind == PartDelimiter::broken || parts == max_parts) return std::nullopt;
        const auto head_end = body.substr(0, max_part_head).find("\r\n\r\n");
        if (head_end == std::string_view::npos) return std::nullopt;
        auto field = read_part_head(body.substr(0, head_end));
        // The blank line's break may be the one that the delimiter begins with.
        body.remove_prefix(head_end + part_break.size());
        const auto end = body.find(delimiter);
        if (!field || end == std::string_view::npos) return std::nullopt;
        const auto value = end < part_break.size()
                               ? std::string_view{}
                               : body.substr(part_break.size(), end - part_break.size());
        if (!field->has_file_name) fields.emplace_back(std::move(*field->name), value);
        body.remove_prefix(end + delimiter.size());
    }
}

}  // namespace twiliowa::detail
