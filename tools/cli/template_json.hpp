/// @file
/// Templates as they are printed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include <twiliowa/content/template.hpp>

namespace cli {

/// As the Content API takes it.
nlohmann::ordered_json json_of_definition(const twiliowa::ContentDefinition& definition);
nlohmann::ordered_json json_of_approval(const twiliowa::ContentApproval& approval);
/// As an item of the Content API's lists, which `Templates` reads.
nlohmann::ordered_json json_of_template(const twiliowa::ContentTemplate& content);

/// "approved", or "rejected: INVALID_FORMAT".
std::string text_of_approval(const twiliowa::ContentApproval& approval);
/// `json` for people, lines of it indented.
std::string pretty(const nlohmann::ordered_json& json);

/// @throws Failure (usage) if it is none.
twiliowa::ContentSid template_sid(const std::string& text);

}  // namespace cli
