/// @file
/// What a content template is made of: `ContentDefinition` and the types that it may hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <twiliowa/content/finding.hpp>
#include <twiliowa/export.hpp>
#include <twiliowa/types/open_enum.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/template_variables.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// Members that this version does not know, or that are of another kind than it knows: one JSON
/// object as text, or empty. They are read, kept and written as they are.
using UnknownMembers = TextField;

/// What a button does: `ContentActionType{ContentActionType::url}`.
class ContentActionType : public OpenEnum<ContentActionType> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view copy_code = "COPY_CODE";
    static constexpr std::string_view phone_number = "PHONE_NUMBER";
    static constexpr std::string_view quick_reply = "QUICK_REPLY";
    static constexpr std::string_view request_contact_info = "REQUEST_CONTACT_INFO";
    static constexpr std::string_view url = "URL";
    static constexpr std::string_view voice_call = "VOICE_CALL";
    static constexpr std::string_view voice_call_request = "VOICE_CALL_REQUEST";
};

/// A button. Which members count depends on `type`; those functions make the usual ones.
struct TWILIOWA_EXPORT ContentAction {
    ContentActionType type = {};
    TextField title = {};
    TextField id = {};              ///< QUICK_REPLY: what comes back as ButtonPayload.
    TextField url = {};             ///< URL: may end in one variable, after a slash.
    TextField phone = {};           ///< PHONE_NUMBER: E.164.
    TextField code = {};            ///< COPY_CODE.
    TextField copy_code_text = {};  ///< Of whatsapp/authentication: the button's words.
    TextField webview_size = {};    ///< URL on a card: TALL, FULL, HALF or NONE.
    /// VOICE_CALL: how long it may be called, 1 to 43,200; a number or a variable. Twilio's
    /// default: 10,080.
    TextField ttl_minutes = {};
    UnknownMembers extra = {};

    /// `id` is what your webhook gets; left empty, it is the title.
    static ContentAction quick_reply(TextField title, TextField id = {});
    static ContentAction open_url(TextField title, TextField url);
    static ContentAction call_phone(TextField title, TextField phone);
    static ContentAction copy_code(TextField title, TextField code);

    friend bool operator==(const ContentAction&, const ContentAction&) = default;
};

/// `twilio/text`: text and nothing else.
struct TextContent {
    static constexpr std::string_view type = "twilio/text";
    TextField body = {};
    UnknownMembers extra = {};
    friend bool operator==(const TextContent&, const TextContent&) = default;
};

/// `twilio/media`: a file, with a caption if you like.
struct MediaContent {
    static constexpr std::string_view type = "twilio/media";
    TextField body = {};
    TextList media = {};  ///< URLs; a variable may stand after the domain.
    UnknownMembers extra = {};
    friend bool operator==(const MediaContent&, const MediaContent&) = default;
};

/// `twilio/location`: a place. Within the 24-hour window only.
struct LocationContent {
    static constexpr std::string_view type = "twilio/location";
    TextField latitude = {};   ///< Degrees as text, or a variable.
    TextField longitude = {};  ///< Degrees as text, or a variable.
    TextField label = {};
    TextField id = {};
    TextField address = {};
    UnknownMembers extra = {};
    friend bool operator==(const LocationContent&, const LocationContent&) = default;
};

/// `twilio/quick-reply`: text with buttons that answer.
struct QuickReplyContent {
    static constexpr std::string_view type = "twilio/quick-reply";
    TextField body = {};
    std::vector<ContentAction> actions = {};
    UnknownMembers extra = {};
    friend bool operator==(const QuickReplyContent&, const QuickReplyContent&) = default;
};

/// `twilio/call-to-action`: text with buttons that open a page, call a number, copy a code.
struct CallToActionContent {
    static constexpr std::string_view type = "twilio/call-to-action";
    TextField body = {};
    std::vector<ContentAction> actions = {};
    UnknownMembers extra = {};
    friend bool operator==(const CallToActionContent&, const CallToActionContent&) = default;
};

/// One line of a list-picker.
struct ContentListItem {
    TextField id = {};    ///< What comes back as ListId.
    TextField item = {};  ///< The line's title.
    TextField description = {};
    UnknownMembers extra = {};
    friend bool operator==(const ContentListItem&, const ContentListItem&) = default;
};

/// `twilio/list-picker`: a menu of up to ten lines. Within the 24-hour window only.
struct ListPickerContent {
    static constexpr std::string_view type = "twilio/list-picker";
    TextField body = {};
    TextField button = {};  ///< What opens the list.
    std::vector<ContentListItem> items = {};
    UnknownMembers extra = {};
    friend bool operator==(const ListPickerContent&, const ListPickerContent&) = default;
};

/// `twilio/card`: title or body, picture, buttons, on every channel.
struct CardContent {
    static constexpr std::string_view type = "twilio/card";
    TextField title = {};
    TextField body = {};
    TextField subtitle = {};
    TextList media = {};
    std::vector<ContentAction> actions = {};
    UnknownMembers extra = {};
    friend bool operator==(const CardContent&, const CardContent&) = default;
};

/// One card of a carousel.
struct CarouselCard {
    TextField title = {};
    TextField body = {};
    TextField media = {};  ///< A picture or video; each card has one.
    std::vector<ContentAction> actions = {};
    UnknownMembers extra = {};
    friend bool operator==(const CarouselCard&, const CarouselCard&) = default;
};

/// `twilio/carousel`: two to ten cards to swipe. Approved templates only.
struct CarouselContent {
    static constexpr std::string_view type = "twilio/carousel";
    TextField body = {};
    std::vector<CarouselCard> cards = {};
    UnknownMembers extra = {};
    friend bool operator==(const CarouselContent&, const CarouselContent&) = default;
};

/// `whatsapp/card`: header, body, footer, buttons.
struct WhatsAppCardContent {
    static constexpr std::string_view type = "whatsapp/card";
    TextField body = {};
    TextField footer = {};
    TextField header_text = {};  ///< Either this or media.
    TextList media = {};
    std::vector<ContentAction> actions = {};
    UnknownMembers extra = {};
    friend bool operator==(const WhatsAppCardContent&, const WhatsAppCardContent&) = default;
};

/// `whatsapp/authentication`: a one-time code, in WhatsApp's own words. Approved templates to phone
/// numbers only; takes exactly one variable at send, `1`, the code.
struct AuthenticationContent {
    static constexpr std::string_view type = "whatsapp/authentication";
    std::optional<bool> add_security_recommendation = {};
    std::optional<int> code_expiration_minutes = {};  ///< 1 to 90.
    std::vector<ContentAction> actions = {};          ///< One COPY_CODE with copy_code_text.
    UnknownMembers extra = {};
    friend bool operator==(const AuthenticationContent&, const AuthenticationContent&) = default;
};

/// `whatsapp/flows`: a button that opens one of your WhatsApp Flows.
struct WhatsAppFlowsContent {
    static constexpr std::string_view type = "whatsapp/flows";
    TextField body = {};
    TextField button_text = {};
    TextField subtitle = {};
    TextField media_url = {};
    TextField flow_id = {};
    TextField flow_token = {};  ///< A variable, new at each send.
    TextField flow_first_page_id = {};
    std::optional<bool> is_flow_first_page_endpoint = {};
    UnknownMembers extra = {};
    friend bool operator==(const WhatsAppFlowsContent&, const WhatsAppFlowsContent&) = default;
};

/// A type that is not modelled here (twilio/catalog, twilio/schedule, twilio/flows, and whatever
/// Twilio adds): passes as JSON. Only its texts' variables are checked, and `check` says so.
struct OtherContent {
    TextField type = {};  ///< `twilio/catalog`
    TextField json = {};  ///< One JSON value.
    friend bool operator==(const OtherContent&, const OtherContent&) = default;
};

/// A template's content, by type.
using ContentType =
    std::variant<TextContent, MediaContent, LocationContent, QuickReplyContent, CallToActionContent,
                 ListPickerContent, CardContent, CarouselContent, WhatsAppCardContent,
                 AuthenticationContent, WhatsAppFlowsContent, OtherContent>;

/// `twilio/text`, ...
TWILIOWA_EXPORT std::string_view type_name(const ContentType& content) noexcept;

/// What a content template is made of: what Twilio's Content API takes as JSON. A plain aggregate;
/// `check` says what is wrong with it.
struct TWILIOWA_EXPORT ContentDefinition {
    TextField friendly_name = {};
    TextField language = "en";
    /// An example for each variable. Approval demands them, and each goes out in place of a
    /// variable that a send leaves out.
    TemplateVariables variables = {};
    /// Usually one. A channel takes the richest that it can show.
    std::vector<ContentType> types = {};
    UnknownMembers extra = {};

    /// Reads what the Content API takes or answers; what only an answer has (SIDs, dates, links) is
    /// left out. Refuses what is not one JSON object, nests deeper than 32 levels or is not UTF-8;
    /// everything else is kept, for `check` to judge.
    static Result<ContentDefinition> from_json(std::string_view json);
    /// What the Content API takes. Empty members are left out.
    /// @param indent  blanks for each level; -1: one line.
    std::string to_json(int indent = -1) const;

    /// Everything that is wrong with it, worst first; empty if nothing is.
    /// @param use  what it is for, when that is known; see ContentUse.
    ContentFindings check(ContentUse use = ContentUse::any) const;

    /// Same name, language, variables and types, whatever the order of what is named, and however
    /// placeholders are spelled (Twilio may answer `{{ 1 }}` for `{{1}}`).
    bool same_content(const ContentDefinition& other) const;

    friend bool operator==(const ContentDefinition&, const ContentDefinition&) = default;
};

}  // namespace twiliowa
