#include "messages_client/outbound_form.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "text/dates.hpp"
#include "text/form.hpp"

namespace twiliowa::detail {

namespace {

class FormWriter {
public:
    explicit FormWriter(std::string& body) : body_(body) {}

    void text(std::string_view name, std::string_view value) {
        if (!value.empty()) append_form_field(body_, name, value);
    }
    void texts(std::string_view name, const std::vector<std::string>& values) {
        for (const auto& value : values) append_form_field(body_, name, value);
    }
    void flag(std::string_view name, std::optional<bool> value) {
        if (value) append_form_field(body_, name, *value ? "true" : "false");
    }
    template <class Number>
    void number(std::string_view name, std::optional<Number> value) {
        if (!value) return;
        std::array<char, 32> buffer{};
        const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), *value).ptr;
        append_form_field(body_, name,
                          {buffer.data(), static_cast<std::size_t>(end - buffer.data())});
    }

private:
    std::string& body_;
};

}  // namespace

std::string encode_outbound(const CheckedOutbound& checked) {
    const OutboundMessage& message = *checked.message;
    std::string body;
    body.reserve(256 + message.body.size() + message.body.size() / 2);
    FormWriter form(body);
    form.text("To", checked.to.wire());
    form.text("From", checked.from.wire());
    form.text("MessagingServiceSid", checked.messaging_service_sid.str());
    form.text("Body", message.body);
    form.texts("MediaUrl", message.media_url);
    form.text("ContentSid", message.content_sid);
    if (!message.content_variables.empty()) {
        form.text("ContentVariables", message.content_variables.to_json(message.whitespace));
    }
    form.texts("PersistentAction", message.persistent_action);
    form.text("StatusCallback", checked.status_callback);
    form.text("ApplicationSid", message.application_sid);
    if (message.send_at) {
        form.text("ScheduleType", "fixed");
        form.text("SendAt", format_iso8601_utc(*message.send_at));
    } else {
        form.text("ScheduleType", message.schedule_type);
    }
    form.number("ValidityPeriod", message.validity_period);
    form.number("Attempt", message.attempt);
    form.number("MaxPrice", message.max_price);
    form.flag("ProvideFeedback", message.provide_feedback);
    form.flag("ForceDelivery", message.force_delivery);
    form.flag("SmartEncoded", message.smart_encoded);
    form.flag("ShortenUrls", message.shorten_urls);
    form.flag("SendAsMms", message.send_as_mms);
    form.text("ContentRetention", message.content_retention);
    form.text("AddressRetention", message.address_retention);
    form.text("TrafficType", message.traffic_type);
    form.text("RiskCheck", message.risk_check);
    form.text("FallbackFrom", message.fallback_from);
    form.text("MessageIntent", message.message_intent.str());
    for (const auto& [name, value] : message.extra) append_form_field(body, name, value);
    return body;
}

}  // namespace twiliowa::detail
