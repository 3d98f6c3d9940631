#include <twiliowa/types/template_variables.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>

#include <twiliowa/types/placeholders.hpp>

#include "text/ascii.hpp"
#include "text/json_text.hpp"
#include "text/utf8.hpp"
#include "types/variable_rules.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::size_t max_spaces_in_a_row = 4;
constexpr int content_variables_invalid = 21656;
constexpr int channel_policy_violation = 63013;

Error variables_error(std::string_view problem, std::string_view hint = {},
                      int code = content_variables_invalid) {
    return Error::invalid_request("ContentVariables", problem, hint, code);
}

/// A character of a value, as far as the rules of white space tell characters apart.
enum class VariableText { visible, space, other_space, tab, line_break, control };

struct VariableCharacter {
    VariableText kind = VariableText::visible;
    std::size_t length = 1;
};

/// The space characters of Unicode beyond ASCII, all of which WhatsApp takes but the line breaks.
VariableCharacter front_wide_space(std::string_view text) noexcept {
    constexpr VariableCharacter visible{};
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    if (byte(0) == 0xc2) {
        if (byte(1) == 0x85) return {VariableText::line_break, 2};   // U+0085
        if (byte(1) == 0xa0) return {VariableText::other_space, 2};  // U+00A0
        return visible;
    }
    const auto code = byte(0) << 16U | byte(1) << 8U | byte(2);
    if (code == 0xe280a8 || code == 0xe280a9) return {VariableText::line_break, 3};  // U+2028, 2029
    const bool space = (code >= 0xe28080 && code <= 0xe2808a) ||  // U+2000 to 200A
                       code == 0xe19a80 || code == 0xe280af ||    // U+1680, 202F
                       code == 0xe2819f || code == 0xe38080;      // U+205F, 3000
    return space ? VariableCharacter{VariableText::other_space, 3} : visible;
}

VariableCharacter front_character(std::string_view text) noexcept {
    const char c = text.front();
    if (c == ' ') return {VariableText::space};
    if (c == '\t') return {VariableText::tab};
    if (c >= '\n' && c <= '\r') return {VariableText::line_break};
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return {VariableText::control};
    return byte < 0xc2 ? VariableCharacter{} : front_wide_space(text);
}

}  // namespace

bool holds_long_number(std::string_view name) noexcept {
    constexpr int longest = 5;
    int digits = 0;
    return std::any_of(name.begin(), name.end(), [&](char c) {
        digits = is_digit(c) ? digits + 1 : 0;
        return digits > longest;
    });
}

bool is_blank(std::string_view value) noexcept {
    while (!value.empty()) {
        const auto [kind, length] = front_character(value);
        if (kind == VariableText::visible) return false;
        value.remove_prefix(length);
    }
    return true;
}

std::string_view whitespace_problem(std::string_view value) noexcept {
    std::size_t spaces = 0;
    while (!value.empty()) {
        const auto [kind, length] = front_character(value);
        if (kind == VariableText::line_break) return "holds a line break";
        if (kind == VariableText::tab) return "holds a tab";
        if (kind == VariableText::control) return "holds a control character";
        spaces = kind == VariableText::space ? spaces + 1 : 0;
        if (spaces > max_spaces_in_a_row) return "holds more than four spaces in a row";
        value.remove_prefix(length);
    }
    return {};
}

namespace {

/// Length of what normalising looks at as one: spaces, and whatever is refused.
std::size_t whitespace_run(std::string_view text) noexcept {
    std::size_t end = 0;
    while (end < text.size()) {
        const auto [kind, length] = front_character(text.substr(end));
        if (kind == VariableText::visible || kind == VariableText::other_space) break;
        end += length;
    }
    return end;
}

}  // namespace

std::string quoted_variable(std::string_view name, std::size_t index) {
    if (is_variable_name(name) && !holds_long_number(name)) {
        return "variable \"" + std::string(name) + "\"";
    }
    return "variable number " + std::to_string(index + 1);
}

std::string normalised_whitespace(std::string_view value) {
    std::string out;
    out.reserve(value.size());
    while (!value.empty()) {
        const auto run = value.substr(0, whitespace_run(value));
        if (run.empty()) {
            out += value.front();
            value.remove_prefix(1);
            continue;
        }
        if (whitespace_problem(run).empty()) {
            out += run;
        } else {
            out += ' ';
        }
        value.remove_prefix(run.size());
    }
    return std::string{detail::trim(out, " ")};
}

namespace {

/// Reads one flat object of strings and says by name what else it met.
class VariablesReader final : public nlohmann::json_sax<nlohmann::json> {
public:
    std::vector<TemplateVariables::Entry> entries;
    std::string problem;

    bool start_object(std::size_t) override {
        if (depth_ > 0) return refuse_value("an object");
        ++depth_;
        return true;
    }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override { return refuse_value("an array"); }
    bool end_array() override { return true; }
    bool key(std::string& name) override {
        const auto taken = std::any_of(entries.begin(), entries.end(),
                                       [&](const auto& entry) { return entry.first == name; });
        key_ = std::move(name);
        if (taken) return refuse(quoted_variable(key_, entries.size()) + " is there twice");
        return true;
    }
    bool string(std::string& value) override {
        if (depth_ == 0) return refuse("is a JSON string, not an object");
        if (entries.size() == max_variables) return refuse("has more than 100 variables");
        entries.emplace_back(std::move(key_), std::move(value));
        return true;
    }
    bool null() override { return refuse_value("null"); }
    bool boolean(bool) override { return refuse_value("a boolean"); }
    bool number_integer(std::int64_t) override { return refuse_value("a number"); }
    bool number_unsigned(std::uint64_t) override { return refuse_value("a number"); }
    bool number_float(double, const std::string&) override { return refuse_value("a number"); }
    bool binary(nlohmann::json::binary_t&) override { return refuse_value("binary"); }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception&) override {
        return refuse("is not valid JSON, from byte " + std::to_string(position) + " on");
    }

private:
    bool refuse(std::string words) {
        if (problem.empty()) problem = std::move(words);
        return false;
    }
    bool refuse_value(const char* kind) {
        if (depth_ == 0) return refuse(std::string("is ") + kind + ", not a JSON object");
        return refuse(quoted_variable(key_, entries.size()) + " is " + kind + ", not a string");
    }
    int depth_ = 0;
    std::string key_;
};

}  // namespace
}  // namespace detail

TemplateVariables TemplateVariables::positional(TextList values) {
    TemplateVariables variables;
    variables.entries_.reserve(values.size());
    for (auto& value : values) {
        variables.entries_.emplace_back(std::to_string(variables.entries_.size() + 1),
                                        std::move(value));
    }
    return variables;
}

Result<TemplateVariables> TemplateVariables::from_json(std::string_view json) {
    if (!detail::is_valid_utf8(json)) return detail::variables_error("is not valid UTF-8");
    detail::VariablesReader reader;
    if (!nlohmann::json::sax_parse(json, &reader)) {
        return detail::variables_error(std::move(reader.problem),
                                       "give one JSON object whose values are all strings");
    }
    TemplateVariables variables;
    variables.entries_ = std::move(reader.entries);
    return variables;
}

TemplateVariables& TemplateVariables::set(std::string name, std::string value) {
    for (auto& [key, old] : entries_) {
        if (key == name) {
            old = std::move(value);
            return *this;
        }
    }
    entries_.emplace_back(std::move(name), std::move(value));
    return *this;
}

TemplateVariables& TemplateVariables::set_or(std::string name, std::string value,
                                             std::string fallback) {
    return set(std::move(name), detail::is_blank(value) ? std::move(fallback) : std::move(value));
}

TemplateVariables& TemplateVariables::use_default(std::string name) {
    defaults_.push_back(std::move(name));
    return *this;
}

TemplateVariables& TemplateVariables::use_all_defaults() noexcept {
    all_defaults_ = true;
    return *this;
}

bool TemplateVariables::uses_default(std::string_view name) const noexcept {
    return all_defaults_ || std::find(defaults_.begin(), defaults_.end(), name) != defaults_.end();
}

const std::string* TemplateVariables::find(std::string_view name) const noexcept {
    for (const auto& [key, value] : entries_) {
        if (key == name) return &value;
    }
    return nullptr;
}

Result<void> TemplateVariables::try_require_all(std::span<const std::string_view> names) const {
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto* value = find(names[i]);
        if (value != nullptr && !detail::is_blank(*value)) continue;
        return detail::variables_error(
            detail::quoted_variable(names[i], i) + (value == nullptr ? " is missing" : " is blank"),
            "give it a value, or the template's default goes out");
    }
    return {};
}

void TemplateVariables::require_all(std::span<const std::string_view> names) const {
    try_require_all(names).value();
}

Result<void> TemplateVariables::check(WhitespacePolicy policy) const {
    using detail::variables_error;
    if (entries_.size() > detail::max_variables) {
        return variables_error("has " + std::to_string(entries_.size()) + " variables",
                               "at most 100");
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const auto& [name, value] = entries_[i];
        const auto refuse = [&, i](std::string_view problem, std::string_view hint = {},
                                   int code = detail::content_variables_invalid) {
            return variables_error(
                detail::quoted_variable(entries_[i].first, i) + ' ' + std::string(problem), hint,
                code);
        };
        if (!is_variable_name(name)) {
            return refuse("has an impossible name", "use 1 to 16 letters, digits or underscores");
        }
        for (std::size_t k = 0; k < i; ++k) {
            if (entries_[k].first == name) return refuse("is there twice");
        }
        if (!detail::is_valid_utf8(value)) return refuse("is not valid UTF-8");
        if (value.find('\0') != std::string::npos) {
            return refuse("holds a NUL", "is it binary, or cut off in the wrong place?");
        }
        if (value.empty() || (policy != WhitespacePolicy::allow && detail::is_blank(value))) {
            return refuse(value.empty() ? "is empty" : "is blank",
                          "leave it out to get the template's default, or give it a value of your "
                          "own with set_or");
        }
        if (value.size() > detail::max_variable_value &&
            detail::count_code_points(value) > detail::max_variable_value) {
            return refuse("has more than 1600 characters");
        }
        if (policy != WhitespacePolicy::refuse) continue;
        const auto problem = detail::whitespace_problem(value);
        if (!problem.empty()) {
            return refuse(problem, "mend it, or set whitespace to WhitespacePolicy::normalise",
                          detail::channel_policy_violation);
        }
    }
    return {};
}

TemplateVariables TemplateVariables::normalised() const {
    auto variables = *this;
    for (auto& [name, value] : variables.entries_) value = normalised_variable(value);
    return variables;
}

std::string normalised_variable(std::string_view value) {
    return detail::normalised_whitespace(value);
}

std::string TemplateVariables::to_json(WhitespacePolicy policy) const {
    std::string json = "{";
    for (const auto& [name, value] : entries_) {
        if (json.size() > 1) json += ',';
        detail::append_json_string(json, name);
        json += ':';
        if (policy == WhitespacePolicy::normalise) {
            detail::append_json_string(json, detail::normalised_whitespace(value));
        } else {
            detail::append_json_string(json, value);
        }
    }
    json += '}';
    return json;
}

}  // namespace twiliowa
