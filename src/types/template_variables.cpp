#include <twiliowa/types/template_variables.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "detail/json_text.hpp"
#include "detail/utf8.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::size_t max_variables = 100;
constexpr std::size_t max_variable_name = 16;
constexpr std::size_t max_variable_value = 1600;
constexpr std::size_t max_spaces_in_a_row = 4;
constexpr int content_variables_invalid = 21656;

Error variables_error(std::string problem, std::string hint = {},
                      int code = content_variables_invalid) {
    return Error::invalid_request("ContentVariables", std::move(problem), std::move(hint), code);
}

bool is_variable_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= max_variable_name &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '_';
           });
}

/// A name in an error text: names come from outside too, so only harmless ones are quoted.
std::string quoted_variable(std::string_view name, std::size_t index) {
    if (is_variable_name(name)) return "variable \"" + std::string(name) + "\"";
    return "variable number " + std::to_string(index + 1);
}

bool is_breaking_space(char c) noexcept {
    return c == '\n' || c == '\r' || c == '\t';
}

/// What WhatsApp would refuse about the white space of `value`, or empty.
std::string_view whitespace_problem(std::string_view value) noexcept {
    std::size_t spaces = 0;
    for (const char c : value) {
        if (c == '\n' || c == '\r') return "holds a line break";
        if (c == '\t') return "holds a tab";
        spaces = c == ' ' ? spaces + 1 : 0;
        if (spaces > max_spaces_in_a_row) return "holds more than four spaces in a row";
    }
    return {};
}

std::string normalised_whitespace(std::string_view value) {
    std::string out;
    out.reserve(value.size());
    for (std::size_t i = 0; i < value.size();) {
        if (value[i] != ' ' && !is_breaking_space(value[i])) {
            out += value[i++];
            continue;
        }
        const auto start = i;
        while (i < value.size() && (value[i] == ' ' || is_breaking_space(value[i]))) ++i;
        const auto run = value.substr(start, i - start);
        if (whitespace_problem(run).empty()) {
            out += run;
        } else {
            out += ' ';
        }
    }
    const auto first = out.find_first_not_of(' ');
    if (first == std::string::npos) return {};
    return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

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

TemplateVariables TemplateVariables::positional(std::vector<std::string> values) {
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

const std::string* TemplateVariables::find(std::string_view name) const noexcept {
    for (const auto& [key, value] : entries_) {
        if (key == name) return &value;
    }
    return nullptr;
}

Result<void> TemplateVariables::check(WhitespacePolicy policy) const {
    using detail::variables_error;
    if (entries_.size() > detail::max_variables) {
        return variables_error("has " + std::to_string(entries_.size()) + " variables",
                               "at most 100");
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const auto& [name, value] = entries_[i];
        const auto refuse = [&, i](std::string_view problem, std::string hint = {},
                                   int code = detail::content_variables_invalid) {
            return variables_error(
                detail::quoted_variable(entries_[i].first, i) + ' ' + std::string(problem),
                std::move(hint), code);
        };
        if (!detail::is_variable_name(name)) {
            return refuse("has an impossible name", "use 1 to 16 letters, digits or underscores");
        }
        for (std::size_t k = 0; k < i; ++k) {
            if (entries_[k].first == name) return refuse("is there twice");
        }
        if (!detail::is_valid_utf8(value)) return refuse("is not valid UTF-8");
        const bool blank = policy == WhitespacePolicy::normalise &&
                           value.find_first_not_of(" \n\r\t") == std::string::npos;
        if (value.empty() || blank) {
            return refuse("is empty", "leave it out to get the template's default");
        }
        if (value.size() > detail::max_variable_value &&
            detail::count_code_points(value) > detail::max_variable_value) {
            return refuse("has more than 1600 characters");
        }
        if (policy != WhitespacePolicy::refuse) continue;
        const auto problem = detail::whitespace_problem(value);
        if (!problem.empty()) {
            return refuse(problem, "mend it, or set whitespace to WhitespacePolicy::normalise",
                          63013);
        }
    }
    return {};
}

std::string TemplateVariables::to_json(WhitespacePolicy policy) const {
    std::string json = "{";
    for (const auto& [name, value] : entries_) {
        if (json.size() > 1) json += ',';
        detail::append_json_string(json, name);
        json += ':';
        if (policy == WhitespacePolicy::normalise && !detail::whitespace_problem(value).empty()) {
            detail::append_json_string(json, detail::normalised_whitespace(value));
        } else {
            detail::append_json_string(json, value);
        }
    }
    json += '}';
    return json;
}

}  // namespace twiliowa
