#include "content/compiled_template.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include <twiliowa/types/placeholders.hpp>

#include "content/chosen_type.hpp"
#include "content/definition_json.hpp"
#include "text/utf8.hpp"
#include "types/variable_rules.hpp"

namespace twiliowa::detail {

namespace {

constexpr int wrong_variables = 21656;
constexpr int text_too_long = 63021;
constexpr int white_space_refused = 63013;
constexpr std::size_t longest_template_text = 1'024;
constexpr std::size_t longest_code = 14;

/// The variables of one template, each once.
class VariableCollection {
public:
    explicit VariableCollection(std::vector<ExpectedVariable>& variables) : variables_(variables) {}

    ExpectedVariable& of(std::string_view name) {
        const auto [at, is_new] = places_.try_emplace(std::string(name), variables_.size());
        if (is_new) variables_.push_back({.name = at->first});
        return variables_[at->second];
    }

private:
    std::vector<ExpectedVariable>& variables_;
    std::unordered_map<std::string, std::size_t> places_;
};

void collect_variables(const ContentJson& json, VariableCollection& variables) {
    if (json.is_string()) {
        const std::string_view text = json.get_ref<const std::string&>();
        for (auto at = find_placeholder(text); at; at = find_placeholder(text, at->end)) {
            if (!at->name.empty()) variables.of(at->name).is_used = true;
        }
    } else if (json.is_structured()) {
        for (const auto& each : json) collect_variables(each, variables);
    }
}

/// The text that counts against the limit of a WhatsApp template.
void measure_body(std::string_view body, CompiledTemplate& compiled,
                  VariableCollection& variables) {
    compiled.body_length = count_code_points(body);
    for (auto at = find_placeholder(body); at; at = find_placeholder(body, at->end)) {
        if (at->name.empty()) continue;
        compiled.body_length -= at->end - at->begin;
        ++variables.of(at->name).in_body;
    }
}

bool is_one_of_types(std::string_view type, std::initializer_list<std::string_view> types) {
    return std::find(types.begin(), types.end(), type) != types.end();
}

/// As `quoted_variable` has it, without the word.
std::string quoted_name(std::string_view name, std::size_t index) {
    constexpr std::string_view word = "variable ";
    return quoted_variable(name, index).substr(word.size());
}

std::string names_given(const TemplateVariables& variables) {
    std::string names;
    for (std::size_t i = 0; i < variables.size(); ++i) {
        if (!names.empty()) names += ", ";
        names += quoted_name(variables.entries()[i].first, i);
    }
    return names.empty() ? "none" : names;
}

Error misfit(const CompiledTemplate& expected, const TemplateVariables& variables,
             const std::string& problem, std::string_view hint) {
    return Error::invalid_request("ContentVariables",
                                  problem + "; the template expects " +
                                      names_of(expected.variables) + " and was given " +
                                      names_given(variables),
                                  hint, wrong_variables);
}

std::optional<Error> unknown_variable(const CompiledTemplate& expected,
                                      const TemplateVariables& variables) {
    const auto& given = variables.entries();
    for (std::size_t i = 0; i < given.size(); ++i) {
        const auto known =
            std::any_of(expected.variables.begin(), expected.variables.end(),
                        [&](const ExpectedVariable& each) { return each.name == given[i].first; });
        if (known) continue;
        return misfit(expected, variables,
                      quoted_variable(given[i].first, i) + " is not one of the template's",
                      "leave it out, or give what the template expects");
    }
    return std::nullopt;
}

std::optional<Error> missing_variable(const CompiledTemplate& expected,
                                      const TemplateVariables& variables) {
    for (std::size_t i = 0; i < expected.variables.size(); ++i) {
        const auto& each = expected.variables[i];
        if (!each.is_used || variables.find(each.name) != nullptr) continue;
        const bool has_sample = each.sample_length > 0 && !expected.is_authentication;
        if (has_sample && variables.uses_default(each.name)) continue;
        return misfit(expected, variables, quoted_variable(each.name, i) + " is missing",
                      has_sample ? "give it a value, or the customer would read the template's "
                                   "sample; if that is what you want, say use_default(name)"
                                 : "give it a value: the template has no default for it");
    }
    return std::nullopt;
}

std::size_t filled_length(const CompiledTemplate& expected, const TemplateVariables& variables,
                          bool normalise) {
    auto length = expected.body_length;
    for (const auto& each : expected.variables) {
        if (each.in_body == 0) continue;
        const auto* value = variables.find(each.name);
        if (value == nullptr) {
            length += each.in_body * each.sample_length;
        } else {
            length += each.in_body * (normalise ? count_code_points(normalised_whitespace(*value))
                                                : count_code_points(*value));
        }
    }
    return length;
}

}  // namespace

std::string names_of(const std::vector<ExpectedVariable>& variables) {
    std::string names;
    for (std::size_t i = 0; i < variables.size(); ++i) {
        if (!variables[i].is_used) continue;
        if (!names.empty()) names += ", ";
        names += quoted_name(variables[i].name, i);
    }
    return names.empty() ? "none" : names;
}

CompiledTemplate compile_template(ContentTemplate content) {
    CompiledTemplate compiled;
    VariableCollection variables{compiled.variables};
    const auto& definition = content.definition;
    const auto json = write_definition(definition);
    if (const auto* types = find_member(json, "types")) {
        collect_variables(*types, variables);
    }
    if (const auto* chosen = chosen_type(definition.types, Address::Channel::whatsapp)) {
        compiled.whatsapp_type = type_name(*chosen);
        measure_body(text_member(write_content_type(*chosen), "body"), compiled, variables);
    }
    const std::string_view type = compiled.whatsapp_type;
    compiled.is_authentication = type == AuthenticationContent::type;
    // The code of an authentication template is written nowhere in it.
    if (compiled.is_authentication) variables.of("1").is_used = true;
    compiled.is_session_only =
        is_one_of_types(type, {ListPickerContent::type, LocationContent::type});
    compiled.needs_approval =
        is_one_of_types(type, {AuthenticationContent::type, CarouselContent::type});
    for (const auto& [name, sample] : definition.variables.entries()) {
        variables.of(name).sample_length = count_code_points(sample);
    }
    compiled.is_approved = content.approval && content.approval->is_approved();
    compiled.is_marketing =
        content.approval && content.approval->category == TemplateCategory::marketing;
    compiled.content = std::move(content);
    return compiled;
}

Result<void> check_fit(const CompiledTemplate& expected, const TemplateVariables& variables,
                       WhitespacePolicy whitespace, bool as_approved) {
    if (auto refusal = unknown_variable(expected, variables)) return std::move(*refusal);
    if (auto refusal = missing_variable(expected, variables)) return std::move(*refusal);
    if (!as_approved) return {};
    if (whitespace == WhitespacePolicy::allow) {
        const auto plain = variables.check(WhitespacePolicy::refuse);
        if (!plain && plain.error().code() == white_space_refused) return plain.error();
    }
    if (filled_length(expected, variables, false) > longest_template_text &&
        (whitespace != WhitespacePolicy::normalise ||
         filled_length(expected, variables, true) > longest_template_text)) {
        return Error::invalid_request("ContentVariables",
                                      "make a text of more than 1024 characters, the most that a "
                                      "WhatsApp template may have",
                                      "give shorter values", text_too_long);
    }
    const auto* code = expected.is_authentication ? variables.find("1") : nullptr;
    if (code != nullptr && count_code_points(*code) > longest_code) {
        return Error::invalid_request("ContentVariables", "hold a code of more than 14 characters",
                                      "an authentication template takes a short code",
                                      wrong_variables);
    }
    return {};
}

std::optional<Error> standing_refusal(const CompiledTemplate& known) {
    struct Standing {
        std::string_view status;
        int code;
        const char* problem;
        const char* hint;
    };
    static constexpr std::array standings{
        Standing{ApprovalStatus::rejected, 63040, "is a template that WhatsApp rejected",
                 "mend it and submit it under a new name"},
        Standing{ApprovalStatus::paused, 63041,
                 "is a template that Meta has paused for its quality",
                 "wait until it is active again, or send another"},
        Standing{ApprovalStatus::disabled, 63042, "is a template that Meta has disabled",
                 "send another"},
    };
    if (!known.content.approval) return std::nullopt;
    const auto& status = known.content.approval->status;
    for (const auto& standing : standings) {
        if (status == standing.status) {
            return Error::invalid_request("ContentSid", standing.problem, standing.hint,
                                          standing.code);
        }
    }
    return std::nullopt;
}

}  // namespace twiliowa::detail
