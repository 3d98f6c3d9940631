/// @file
/// A template as a send needs it: what it expects, and where it may go.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/content/template.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/template_variables.hpp>

namespace twiliowa::detail {

/// A variable that a template's text uses, or declares.
struct ExpectedVariable {
    std::string name = {};
    bool is_used = false;
    std::size_t sample_length = 0;  ///< In characters; 0: there is none.
    std::size_t in_body = 0;        ///< How often the text has it that counts against the limit.
};

/// Made once for each version of a template.
struct CompiledTemplate {
    ContentTemplate content = {};
    std::string whatsapp_type = {};                ///< What WhatsApp shows of it.
    std::vector<ExpectedVariable> variables = {};  ///< In the order in which the text has them.
    std::size_t body_length = 0;                   ///< Characters of the text without variables.
    bool is_authentication = false;
    bool is_session_only = false;  ///< Goes within the 24-hour window, approved or not.
    bool needs_approval = false;   ///< Goes approved, in the window or not.
    bool is_approved = false;
    bool is_marketing = false;
};

CompiledTemplate compile_template(ContentTemplate content);

/// Whether the variables are those of the template: none missing that the caller did not leave out
/// by name, none that it does not know, and for an approved WhatsApp template what WhatsApp refuses
/// of values (63013) and of the length of the whole (63021).
/// @param as_approved  it goes to WhatsApp as an approved template
Result<void> check_fit(const CompiledTemplate& expected, const TemplateVariables& variables,
                       WhitespacePolicy whitespace, bool as_approved);

/// Why a template that is not approved goes nowhere on WhatsApp, window or not; nullopt if it may.
std::optional<Error> standing_refusal(const CompiledTemplate& known);

/// `"1", "2"`, or `none`.
std::string names_of(const std::vector<ExpectedVariable>& variables);

}  // namespace twiliowa::detail
