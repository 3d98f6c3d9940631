/// @file
/// What can be sent. Plain aggregates: building one checks nothing, sending it checks everything
/// and names the field that is wrong.
#pragma once

#include <optional>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/open_enum.hpp>
#include <twiliowa/types/template_variables.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// What Meta approved a template for: `TemplateCategory{TemplateCategory::marketing}`. Twilio's
/// words; upper and lower case are the same to a send.
class TemplateCategory : public OpenEnum<TemplateCategory> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view authentication = "AUTHENTICATION";
    static constexpr std::string_view marketing = "MARKETING";
    static constexpr std::string_view utility = "UTILITY";
};

/// What a message is for, which Twilio's Traffic Shaping and Compliance Toolkit go by:
/// `MessageIntent{MessageIntent::otp}`. Any other word of letters, digits, `_` and `-`, up to 64 of
/// them, goes to Twilio as it is. Source: Twilio's Node library 6.2.0; no OpenAPI document of
/// 2026-04-14 has it.
class MessageIntent : public OpenEnum<MessageIntent> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view announcements = "announcements";
    static constexpr std::string_view customercare = "customercare";
    static constexpr std::string_view delivery = "delivery";
    static constexpr std::string_view education = "education";
    static constexpr std::string_view events = "events";
    static constexpr std::string_view fraud = "fraud";
    static constexpr std::string_view marketing = "marketing";
    static constexpr std::string_view notifications = "notifications";
    static constexpr std::string_view otp = "otp";
    static constexpr std::string_view polling = "polling";
    static constexpr std::string_view security = "security";
};

/// A message with every parameter of Twilio's create call (the Messages resource's OpenAPI document
/// of 2026-04-14, and MessageIntent). Empty text and nullopt are not sent.
struct OutboundMessage {
    TextField to = {};                     ///< `+447700900123` means WhatsApp; see Address.
    TextField from = {};                   ///< As `to`. Default: the client's `from`.
    TextField messaging_service_sid = {};  ///< MG...; instead of `from`, or with it.
    TextField body = {};                   ///< At most 1600 characters (code points).
    TextList media_url = {};               ///< http(s) URLs. WhatsApp takes one.
    TextField content_sid = {};            ///< HX...; excludes body and media_url.
    TemplateVariables content_variables = {};
    /// Local; not sent. Of `content_variables` and `fallback_variables`.
    WhitespacePolicy whitespace = WhitespacePolicy::refuse;
    TextList persistent_action = {};  ///< `geo:LAT,LON|LABEL`
    TextField status_callback = {};   ///< http(s) URL, no underscore in its host.
    TextField application_sid = {};   ///< AP...
    TextField schedule_type = {};     ///< Set by `send_at`; only `fixed` exists.
    /// Deliver at this time: 5 minutes to 35 days ahead, with a messaging service.
    std::optional<TimePoint> send_at = {};
    std::optional<int> validity_period = {};  ///< Seconds in Twilio's queue, 1 to 36000.
    std::optional<int> attempt = {};
    std::optional<double> max_price = {};  ///< Obsolete; without effect since 2024-06-03.
    std::optional<bool> provide_feedback = {};
    std::optional<bool> force_delivery = {};
    std::optional<bool> smart_encoded = {};
    std::optional<bool> shorten_urls = {};
    std::optional<bool> send_as_mms = {};
    TextField content_retention = {};  ///< `retain` or `discard`
    TextField address_retention = {};  ///< `retain` or `obfuscate`
    TextField traffic_type = {};       ///< `free`
    TextField risk_check = {};         ///< `enable` or `disable`
    TextField fallback_from = {};
    /// Parameters this version does not know: sent as they are, checked by nobody but Twilio.
    NamedTexts extra = {};
    /// Local; not sent: the template (HX...) that goes instead of a free-form message outside the
    /// 24-hour window. Needs ClientOptions::window: a client without one refuses the message.
    TextField fallback_content_sid = {};
    TemplateVariables fallback_variables = {};  ///< Of that template.
    /// Local; not sent: what the template of `content_sid` is for. A client with
    /// ClientOptions::opt_outs refuses a marketing template to who wants none (63050); a template
    /// whose category is not said goes.
    TemplateCategory category = {};
    MessageIntent message_intent = {};  ///< Sent with the fallback template, too.
};

/// A content template. May be sent at any time.
struct OutboundTemplate {
    TextField to = {};
    TextField content_sid = {};
    TemplateVariables variables = {};  ///< What is left out takes the template's default.
    TextField from = {};
    TextField messaging_service_sid = {};
    TextField status_callback = {};
    std::optional<TimePoint> send_at = {};
    WhitespacePolicy whitespace = WhitespacePolicy::refuse;
    TemplateCategory category = {};  ///< See OutboundMessage. Empty: not known.
    MessageIntent message_intent = {};

    TWILIOWA_EXPORT operator OutboundMessage() const&;
    TWILIOWA_EXPORT operator OutboundMessage() &&;
};

/// Free-form text. WhatsApp takes it within 24 hours of the customer's last message only.
struct OutboundText {
    TextField to = {};
    TextField body = {};
    TextField from = {};
    TextField messaging_service_sid = {};
    TextField status_callback = {};
    std::optional<TimePoint> send_at = {};
    TextField fallback_content_sid = {};                     ///< Goes instead outside the window.
    TemplateVariables fallback_variables = {};               ///< See OutboundMessage.
    WhitespacePolicy whitespace = WhitespacePolicy::refuse;  ///< Of `fallback_variables`.
    MessageIntent message_intent = {};

    TWILIOWA_EXPORT operator OutboundMessage() const&;
    TWILIOWA_EXPORT operator OutboundMessage() &&;
};

/// A picture, a voice note, a document: one file, which Twilio fetches from `media_url`.
struct OutboundMedia {
    TextField to = {};
    TextField media_url = {};
    TextField body = {};  ///< A caption.
    TextField from = {};
    TextField messaging_service_sid = {};
    TextField status_callback = {};
    std::optional<TimePoint> send_at = {};
    TextField fallback_content_sid = {};                     ///< Goes instead outside the window.
    TemplateVariables fallback_variables = {};               ///< See OutboundMessage.
    WhitespacePolicy whitespace = WhitespacePolicy::refuse;  ///< Of `fallback_variables`.
    MessageIntent message_intent = {};

    TWILIOWA_EXPORT operator OutboundMessage() const&;
    TWILIOWA_EXPORT operator OutboundMessage() &&;
};

/// A place on the map.
struct OutboundLocation {
    TextField to = {};
    double latitude = 0.0;   ///< Degrees, -90 to 90.
    double longitude = 0.0;  ///< Degrees, -180 to 180.
    TextField name = {};     ///< Needed: WhatsApp shows it as the title.
    TextField label = {};    ///< The address line.
    TextField from = {};
    TextField messaging_service_sid = {};
    TextField status_callback = {};
    TextField fallback_content_sid = {};                     ///< Goes instead outside the window.
    TemplateVariables fallback_variables = {};               ///< See OutboundMessage.
    WhitespacePolicy whitespace = WhitespacePolicy::refuse;  ///< Of `fallback_variables`.
    MessageIntent message_intent = {};

    TWILIOWA_EXPORT operator OutboundMessage() const&;
    TWILIOWA_EXPORT operator OutboundMessage() &&;
};

}  // namespace twiliowa
