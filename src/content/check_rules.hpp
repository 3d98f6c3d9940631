/// @file
/// What Twilio and WhatsApp take in each type of content, as data. The engine that obeys it is
/// check.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <twiliowa/content/definition.hpp>

#include "content/finding_list.hpp"

namespace twiliowa::detail {

/// What a rule asks of the members at its path.
enum class RuleKind {
    required,          ///< Is there, and not empty.
    most_characters,   ///< A variable counts as one; with the samples filled in it is a warning.
    most_with_values,  ///< The same, the samples filled in: what goes out must not be longer.
    fewest,            ///< Items of a list.
    most,              ///< Items of a list, or buttons of one type: `actions[URL]`.
    not_with,          ///< `path` and `words` exclude each other.
    one_type,          ///< All buttons are of one type.
    button_type,       ///< One of `words`.
    word,              ///< One of `words`; Twilio may know others.
    whole_number,      ///< 1 to `limit`, or a variable.
    degrees,           ///< -`limit` to `limit`, or a variable.
    phone,             ///< E.164, or a variable.
    no_variable,       ///< Has none.
    a_variable,        ///< Is one variable and nothing else.
    button_url,        ///< What a server can be asked for; one variable, at the end.
    media_url,         ///< The same; variables after the domain, a file's ending at the end.
    file_ending,       ///< If it has one that is known: one of `words`.
    approved_text,     ///< What WhatsApp's reviewers look at in a text.
    session_only,      ///< The type is never submitted.
    approval_only,     ///< The type is never sent without approval.
};

/// A path names members from the type on: `cards[].actions[URL].title` are the titles of each
/// card's buttons of that type, `[!URL]` those of the others. An empty one names the type.
struct ContentRule {
    std::string_view type = {};
    std::string_view path = {};
    RuleKind kind = RuleKind::required;
    std::size_t limit = 0;
    RuleScope scope = RuleScope::always;
    std::string_view words = {};
    FindingLevel level = FindingLevel::refuse;
};

namespace content_rules {

using enum RuleKind;

inline constexpr auto text = TextContent::type;
inline constexpr auto media = MediaContent::type;
inline constexpr auto location = LocationContent::type;
inline constexpr auto quick_reply = QuickReplyContent::type;
inline constexpr auto list_picker = ListPickerContent::type;
inline constexpr auto call_to_action = CallToActionContent::type;
inline constexpr auto card = CardContent::type;
inline constexpr auto carousel = CarouselContent::type;
inline constexpr auto whatsapp_card = WhatsAppCardContent::type;
inline constexpr auto authentication = AuthenticationContent::type;
inline constexpr auto flows = WhatsAppFlowsContent::type;

inline constexpr auto always = RuleScope::always;
inline constexpr auto session = RuleScope::session;
inline constexpr auto approval = RuleScope::approval;
inline constexpr auto on_whatsapp = RuleScope::on_whatsapp;

inline constexpr std::string_view pictures_and_videos = ".jpg .jpeg .png .webp .gif .mp4 .3gp .mov";
inline constexpr std::string_view flow_files = ".png .jpeg .jpg .mp4 .pdf";

// clang-format off
inline constexpr std::array all{
    ContentRule{text, "body", required},
    ContentRule{text, "body", most_characters, 1600},
    ContentRule{text, "body", most_with_values, 1024, approval},
    ContentRule{text, "body", approved_text, 0, approval},

    ContentRule{media, "media", required},
    ContentRule{media, "media", most, 1, on_whatsapp},
    ContentRule{media, "media[]", media_url},
    ContentRule{media, "body", most_with_values, 1024, approval},
    ContentRule{media, "body", approved_text, 0, approval},

    ContentRule{location, "", session_only, 0, approval},
    ContentRule{location, "latitude", required},
    ContentRule{location, "latitude", degrees, 90},
    ContentRule{location, "longitude", required},
    ContentRule{location, "longitude", degrees, 180},

    ContentRule{quick_reply, "body", required},
    ContentRule{quick_reply, "body", most_characters, 1024},
    ContentRule{quick_reply, "body", most_with_values, 1024, approval},
    ContentRule{quick_reply, "body", approved_text, 0, approval},
    ContentRule{quick_reply, "actions", required},
    ContentRule{quick_reply, "actions", most, 10},
    ContentRule{quick_reply, "actions", most, 3, session},
    ContentRule{quick_reply, "actions[].type", button_type, 0, always, "QUICK_REPLY"},
    ContentRule{quick_reply, "actions[].title", required},
    ContentRule{quick_reply, "actions[].title", most_characters, 20},
    ContentRule{quick_reply, "actions[].title", no_variable, 0, approval},
    ContentRule{quick_reply, "actions[].id", most_characters, 200},

    ContentRule{list_picker, "", session_only, 0, approval},
    ContentRule{list_picker, "body", required},
    ContentRule{list_picker, "body", most_characters, 1024},
    ContentRule{list_picker, "button", required},
    ContentRule{list_picker, "button", most_characters, 20, on_whatsapp, "", FindingLevel::warn},
    ContentRule{list_picker, "items", required},
    ContentRule{list_picker, "items", most, 10},
    ContentRule{list_picker, "items[].item", required},
    ContentRule{list_picker, "items[].item", most_characters, 24},
    ContentRule{list_picker, "items[].id", required},
    ContentRule{list_picker, "items[].id", most_characters, 200},
    ContentRule{list_picker, "items[].description", most_characters, 72},

    ContentRule{call_to_action, "body", required},
    ContentRule{call_to_action, "body", most_characters, 640},
    ContentRule{call_to_action, "body", most_with_values, 1024, approval},
    ContentRule{call_to_action, "body", approved_text, 0, approval},
    ContentRule{call_to_action, "actions", required},
    ContentRule{call_to_action, "actions", most, 3, session},
    ContentRule{call_to_action, "actions", one_type, 0, session},
    ContentRule{call_to_action, "actions[URL]", most, 2},
    ContentRule{call_to_action, "actions[URL]", most, 1, session},
    ContentRule{call_to_action, "actions[QUICK_REPLY]", most, 5},
    ContentRule{call_to_action, "actions[PHONE_NUMBER]", not_with, 0, always, "actions[VOICE_CALL]"},
    ContentRule{call_to_action, "actions[PHONE_NUMBER]", most, 0, session},
    ContentRule{call_to_action, "actions[].type", required},
    ContentRule{call_to_action, "actions[].type", button_type, 0, always,
                "URL PHONE_NUMBER COPY_CODE VOICE_CALL VOICE_CALL_REQUEST REQUEST_CONTACT_INFO QUICK_REPLY"},
    ContentRule{call_to_action, "actions[].title", most_characters, 20},
    ContentRule{call_to_action, "actions[URL].url", required},
    ContentRule{call_to_action, "actions[URL].url", most_characters, 2000},
    ContentRule{call_to_action, "actions[URL].url", button_url},
    ContentRule{call_to_action, "actions[PHONE_NUMBER].phone", required},
    ContentRule{call_to_action, "actions[PHONE_NUMBER].phone", phone, 0, always, "", FindingLevel::warn},
    ContentRule{call_to_action, "actions[COPY_CODE].code", required},
    ContentRule{call_to_action, "actions[VOICE_CALL].ttl_minutes", whole_number, 43200},

    ContentRule{card, "title", most_characters, 1024, on_whatsapp},
    ContentRule{card, "title", most_with_values, 1024, approval},
    ContentRule{card, "title", approved_text, 0, approval},
    ContentRule{card, "body", most_with_values, 1024, approval},
    ContentRule{card, "body", approved_text, 0, approval},
    ContentRule{card, "subtitle", most_characters, 60},
    ContentRule{card, "subtitle", no_variable},
    ContentRule{card, "media", most, 1, on_whatsapp},
    ContentRule{card, "media[]", media_url},
    ContentRule{card, "actions", most, 10},
    ContentRule{card, "actions[URL]", most, 2},
    ContentRule{card, "actions[].type", required},
    ContentRule{card, "actions[].type", button_type, 0, always, "URL PHONE_NUMBER QUICK_REPLY COPY_CODE VOICE_CALL"},
    ContentRule{card, "actions[].title", required},
    ContentRule{card, "actions[QUICK_REPLY].title", most_characters, 20},
    ContentRule{card, "actions[!QUICK_REPLY].title", most_characters, 25},
    ContentRule{card, "actions[URL].url", required},
    ContentRule{card, "actions[URL].url", most_characters, 2000},
    ContentRule{card, "actions[URL].url", button_url},
    ContentRule{card, "actions[].webview_size", word, 0, always, "TALL FULL HALF NONE", FindingLevel::warn},
    ContentRule{card, "actions[PHONE_NUMBER].phone", required},
    ContentRule{card, "actions[PHONE_NUMBER].phone", phone, 0, always, "", FindingLevel::warn},
    ContentRule{card, "actions[COPY_CODE].code", required},
    ContentRule{card, "actions[VOICE_CALL].ttl_minutes", whole_number, 43200},

    ContentRule{carousel, "", approval_only, 0, session},
    ContentRule{carousel, "body", required},
    ContentRule{carousel, "body", most_with_values, 1024, approval},
    ContentRule{carousel, "body", approved_text, 0, approval},
    ContentRule{carousel, "cards", required},
    ContentRule{carousel, "cards", fewest, 2},
    ContentRule{carousel, "cards", most, 10},
    ContentRule{carousel, "cards[].body", required},
    ContentRule{carousel, "cards[].body", approved_text, 0, approval},
    ContentRule{carousel, "cards[].media", required},
    ContentRule{carousel, "cards[].media", media_url},
    ContentRule{carousel, "cards[].media", file_ending, 0, always, pictures_and_videos},
    ContentRule{carousel, "cards[].actions", required},
    ContentRule{carousel, "cards[].actions", most, 2},
    ContentRule{carousel, "cards[].actions[].type", required},
    ContentRule{carousel, "cards[].actions[].type", button_type, 0, always, "URL PHONE_NUMBER QUICK_REPLY"},
    ContentRule{carousel, "cards[].actions[].title", required},
    ContentRule{carousel, "cards[].actions[].title", most_characters, 25},
    ContentRule{carousel, "cards[].actions[URL].url", required},
    ContentRule{carousel, "cards[].actions[URL].url", most_characters, 2000},
    ContentRule{carousel, "cards[].actions[URL].url", button_url},
    ContentRule{carousel, "cards[].actions[PHONE_NUMBER].phone", required},
    ContentRule{carousel, "cards[].actions[PHONE_NUMBER].phone", phone, 0, always, "", FindingLevel::warn},

    ContentRule{whatsapp_card, "body", required},
    ContentRule{whatsapp_card, "body", most_characters, 1024},
    ContentRule{whatsapp_card, "body", most_with_values, 1024, approval},
    ContentRule{whatsapp_card, "body", approved_text, 0, approval},
    ContentRule{whatsapp_card, "footer", most_characters, 60},
    ContentRule{whatsapp_card, "footer", no_variable},
    ContentRule{whatsapp_card, "header_text", most_characters, 60},
    ContentRule{whatsapp_card, "header_text", not_with, 0, always, "media"},
    ContentRule{whatsapp_card, "media", most, 1, on_whatsapp},
    ContentRule{whatsapp_card, "media[]", media_url},
    ContentRule{whatsapp_card, "actions[QUICK_REPLY]", most, 10},
    ContentRule{whatsapp_card, "actions[QUICK_REPLY]", most, 3, session},
    ContentRule{whatsapp_card, "actions[URL]", most, 2},
    ContentRule{whatsapp_card, "actions[PHONE_NUMBER]", not_with, 0, always, "actions[VOICE_CALL]"},
    ContentRule{whatsapp_card, "actions[].type", required},
    ContentRule{whatsapp_card, "actions[].type", button_type, 0, always, "URL PHONE_NUMBER QUICK_REPLY COPY_CODE VOICE_CALL"},
    ContentRule{whatsapp_card, "actions[].title", required},
    ContentRule{whatsapp_card, "actions[QUICK_REPLY].title", most_characters, 25},
    ContentRule{whatsapp_card, "actions[!QUICK_REPLY].title", most_characters, 20},
    ContentRule{whatsapp_card, "actions[URL].url", required},
    ContentRule{whatsapp_card, "actions[URL].url", most_characters, 2000},
    ContentRule{whatsapp_card, "actions[URL].url", button_url},
    ContentRule{whatsapp_card, "actions[].webview_size", word, 0, always, "TALL FULL HALF NONE", FindingLevel::warn},
    ContentRule{whatsapp_card, "actions[PHONE_NUMBER].phone", required},
    ContentRule{whatsapp_card, "actions[PHONE_NUMBER].phone", phone, 0, always, "", FindingLevel::warn},
    ContentRule{whatsapp_card, "actions[COPY_CODE].code", required},
    ContentRule{whatsapp_card, "actions[VOICE_CALL].ttl_minutes", whole_number, 43200},

    ContentRule{authentication, "", approval_only, 0, session},
    ContentRule{authentication, "code_expiration_minutes", whole_number, 90},
    ContentRule{authentication, "actions", required},
    ContentRule{authentication, "actions", most, 1},
    ContentRule{authentication, "actions[].type", required},
    ContentRule{authentication, "actions[].type", button_type, 0, always, "COPY_CODE"},
    ContentRule{authentication, "actions[].copy_code_text", required},

    ContentRule{flows, "body", required},
    ContentRule{flows, "body", most_characters, 1024},
    ContentRule{flows, "body", most_with_values, 1024, approval},
    ContentRule{flows, "body", approved_text, 0, approval},
    ContentRule{flows, "button_text", required},
    ContentRule{flows, "subtitle", most_characters, 80},
    ContentRule{flows, "media_url", media_url},
    ContentRule{flows, "media_url", file_ending, 0, always, flow_files},
    ContentRule{flows, "flow_id", required},
    ContentRule{flows, "flow_token", a_variable},
};
// clang-format on

}  // namespace content_rules

}  // namespace twiliowa::detail
