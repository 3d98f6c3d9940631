/// @file
/// What can be sent. Plain aggregates: building one checks nothing, sending it checks everything
/// and names the field that is wrong.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/template_variables.hpp>

namespace twiliowa {

/// A message with every parameter of Twilio's create call (facts: Messages resource, OpenAPI
/// document of 2026-04-14). Empty text and nullopt are not sent.
struct OutboundMessage {
    std::string to = {};                      ///< `+447700900123` means WhatsApp; see Address.
    std::string from = {};                    ///< As `to`. Default: the client's `from`.
    std::string messaging_service_sid = {};   ///< MG...; instead of `from`, or with it.
    std::string body = {};                    ///< At most 1600 characters (code points).
    std::vector<std::string> media_url = {};  ///< http(s) URLs. WhatsApp takes one.
    std::string content_sid = {};             ///< HX...; excludes body and media_url.
    TemplateVariables content_variables = {};
    /// Local; not sent. Of `content_variables` and `fallback_variables`.
    WhitespacePolicy whitespace = WhitespacePolicy::refuse;
    std::vector<std::string> persistent_action = {};  ///< `geo:LAT,LON|LABEL`
    std::string status_callback = {};                 ///< http(s) URL, no underscore in its host.
    std::string application_sid = {};                 ///< AP...
    std::string schedule_type = {};                   ///< Set by `send_at`; only `fixed` exists.
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
    std::string content_retention = {};  ///< `retain` or `discard`
    std::string address_retention = {};  ///< `retain` or `obfuscate`
    std::string traffic_type = {};       ///< `free`
    std::string risk_check = {};         ///< `enable` or `disable`
    std::string fallback_from = {};
    /// Parameters this version does not know: sent as they are, checked by nobody but Twilio.
    std::vector<std::pair<std::string, std::string>> extra = {};
    /// Local; not sent: the template (HX...) that goes instead of a free-form message outside the
    /// 24-hour window. Needs ClientOptions::window: a client without one refuses the message.
    std::string fallback_content_sid = {};
    TemplateVariables fallback_variables = {};  ///< Of that template.
};

/// A content template. May be sent at any time.
struct OutboundTemplate {
    std::string to = {};
    std::string content_sid = {};
    TemplateVariables variables = {};  ///< What is left out takes the template's default.
    std::string from = {};
    std::string messaging_service_sid = {};
    std::string status_callback = {};
    std::optional<TimePoint> send_at = {};
    WhitespacePolicy whitespace = WhitespacePolicy::refuse;

    TWILIOWA_EXPORT operator OutboundMessage() const&;
    TWILIOWA_EXPORT operator OutboundMessage() &&;
};

/// Free-form text. WhatsApp takes it within 24 hours of the customer's last message only.
struct OutboundText {
    std::string to = {};
    std::string body = {};
    std::string from = {};
    std::string messaging_service_sid = {};
    std::string status_callback = {};
    std::optional<TimePoint> send_at = {};
    std::string fallback_content_sid = {};                   ///< Goes instead outside the window.
    TemplateVariables fallback_variables = {};               ///< See OutboundMessage.
    WhitespacePolicy whitespace = WhitespacePolicy::refuse;  ///< Of `fallback_variables`.

    TWILIOWA_EXPORT operator OutboundMessage() const&;
    TWILIOWA_EXPORT operator OutboundMessage() &&;
};

/// A picture, a voice note, a document: one file, which Twilio fetches from `media_url`.
struct OutboundMedia {
    std::string to = {};
    std::string media_url = {};
    std::string body = {};  ///< A caption.
    std::string from = {};
    std::string messaging_service_sid = {};
    std::string status_callback = {};
    std::optional<TimePoint> send_at = {};
    std::string fallback_content_sid = {};                   ///< Goes instead outside the window.
    TemplateVariables fallback_variables = {};               ///< See OutboundMessage.
    WhitespacePolicy whitespace = WhitespacePolicy::refuse;  ///< Of `fallback_variables`.

    TWILIOWA_EXPORT operator OutboundMessage() const&;
    TWILIOWA_EXPORT operator OutboundMessage() &&;
};

/// A place on the map.
struct OutboundLocation {
    std::string to = {};
    double latitude = 0.0;   ///< Degrees, -90 to 90.
    double longitude = 0.0;  ///< Degrees, -180 to 180.
    std::string name = {};   ///< Needed: WhatsApp shows it as the title.
    std::string label = {};  ///< The address line.
    std::string from = {};
    std::string messaging_service_sid = {};
    std::string status_callback = {};
    std::string fallback_content_sid = {};                   ///< Goes instead outside the window.
    TemplateVariables fallback_variables = {};               ///< See OutboundMessage.
    WhitespacePolicy whitespace = WhitespacePolicy::refuse;  ///< Of `fallback_variables`.

    TWILIOWA_EXPORT operator OutboundMessage() const&;
    TWILIOWA_EXPORT operator OutboundMessage() &&;
};

}  // namespace twiliowa
