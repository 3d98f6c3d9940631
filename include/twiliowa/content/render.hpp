/// @file
/// What a customer will see of a template: `render`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/content/definition.hpp>
#include <twiliowa/export.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/template_variables.hpp>

namespace twiliowa {

/// A button as it is shown.
struct RenderedButton {
    ContentActionType type = {};
    std::string title = {};
    std::string id = {};     ///< What comes back as ButtonPayload.
    std::string value = {};  ///< The URL that it opens, the number that it calls, the code.
    friend bool operator==(const RenderedButton&, const RenderedButton&) = default;
};

/// A line of a list.
struct RenderedItem {
    std::string id = {};
    std::string title = {};
    std::string description = {};
    friend bool operator==(const RenderedItem&, const RenderedItem&) = default;
};

/// A card of a carousel.
struct RenderedCard {
    std::string title = {};
    std::string body = {};
    std::vector<std::string> media = {};
    std::vector<RenderedButton> buttons = {};
    friend bool operator==(const RenderedCard&, const RenderedCard&) = default;
};

/// A message made of a template.
struct RenderedContent {
    std::string type = {};  ///< The type that was chosen: `twilio/quick-reply`.
    std::string header = {};
    std::string body = {};  ///< The text that Twilio keeps as the message's Body.
    std::string footer = {};
    std::vector<std::string> media = {};  ///< URLs.
    std::vector<RenderedButton> buttons = {};
    std::string list_button = {};  ///< What opens a list or a flow.
    std::vector<RenderedItem> items = {};
    std::vector<RenderedCard> cards = {};
    std::string latitude = {};
    std::string longitude = {};
    /// Names of variables that have neither a value nor a sample: they stay as they are written.
    std::vector<std::string> unfilled = {};
    friend bool operator==(const RenderedContent&, const RenderedContent&) = default;
};

/// Fills in a template as Twilio does: a variable that is left out takes its sample. Of several
/// types the richest is taken that the channel shows. Sends nothing, asks nobody. The words of
/// whatsapp/authentication are WhatsApp's; they are given in English.
TWILIOWA_EXPORT RenderedContent render(const ContentDefinition& definition,
                                       const TemplateVariables& variables = {},
                                       Address::Channel channel = Address::Channel::whatsapp);

}  // namespace twiliowa
