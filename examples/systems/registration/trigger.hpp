// The bodies of POST /trigger and POST /message.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>

namespace registration {

/// By their standard names: `player_first_name`.
using Fields = std::map<std::string, std::string, std::less<>>;

/// A parent to write to.
struct Trigger {
    std::string parent_tel = {};  ///< `+` and digits.
    Fields fields = {};           ///< All but `parent_tel`; each one line, or empty.
    /// No variables: the template's own values instead.
    bool use_defaults = false;
};

/// Errors name the field.
twiliowa::Result<Trigger> read_trigger(const nlohmann::json& body);
/// `{"to": "+44...", "text": "..."}`
twiliowa::Result<twiliowa::OutboundText> read_message(const nlohmann::json& body);
twiliowa::OutboundMessage to_template(const Trigger& trigger);

/// A text as one line, as it may stand in a template; empty if it is blank.
/// Errors: `name`, if it has more than 80 characters or some that no text has.
twiliowa::Result<std::string> one_line(std::string_view name, const std::string& text);

}  // namespace registration
