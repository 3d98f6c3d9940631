#include <twiliowa/webhook/parse_webhook.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include "net/url.hpp"
#include "text/ascii.hpp"
#include "text/decoded_form.hpp"
#include "text/media_type.hpp"
#include "webhook/covered_body.hpp"
#include "webhook/read_webhook.hpp"
#include "webhook/webhook_fields.hpp"

namespace twiliowa {

namespace {

using detail::WebhookFields;

/// Taken only as a whole: both numbers must be there, and be angles.
std::optional<InboundLocation> take_location(WebhookFields& fields) {
    const auto angle = [&](std::string_view name, double limit) -> std::optional<double> {
        const auto number = detail::parse_number<double>(fields.peek(name));
        return number && std::isfinite(*number) && std::abs(*number) <= limit ? number
                                                                              : std::nullopt;
    };
    const auto latitude = angle("Latitude", 90);
    const auto longitude = angle("Longitude", 180);
    if (!latitude || !longitude) return std::nullopt;
    fields.take("Latitude");
    fields.take("Longitude");
    return InboundLocation{*latitude, *longitude, fields.take("Address"), fields.take("Label")};
}

std::vector<InboundMedia> take_media(WebhookFields& fields) {
    std::vector<InboundMedia> media;
    auto types = fields.take_numbered("MediaContentType");
    for (auto& [number, url] : fields.take_numbered("MediaUrl")) {
        InboundMedia item{std::move(url), {}};
        const auto type = std::find_if(types.begin(), types.end(),
                                       [of = number](const auto& one) { return one.first == of; });
        if (type != types.end()) {
            item.content_type = std::move(type->second);
            types.erase(type);
        }
        media.push_back(std::move(item));
    }
    for (auto& [number, type] : types) {
        fields.keep("MediaContentType" + std::to_string(number), std::move(type));
    }
    fields.take_if("NumMedia", std::to_string(media.size()));
    return media;
}

std::optional<ButtonReply> take_button(WebhookFields& fields) {
    const bool says_button = fields.peek("MessageType") == "button";
    ButtonReply button{fields.take("ButtonPayload"), fields.take("ButtonText")};
    if (!says_button && button.payload.empty() && button.text.empty()) return std::nullopt;
    return button;
}

std::optional<ListReply> take_list(WebhookFields& fields) {
    ListReply list{fields.take("ListId"), fields.take("ListTitle")};
    if (list.id.empty() && list.title.empty()) return std::nullopt;
    return list;
}

/// Twilio sends some of these with every message, empty.
std::optional<Referral> take_referral(WebhookFields& fields) {
    Referral referral;
    bool any = false;
    const std::pair<std::string_view, std::string Referral::*> members[] = {
        {"ReferralHeadline", &Referral::headline},
        {"ReferralBody", &Referral::body},
        {"ReferralSourceId", &Referral::source_id},
        {"ReferralSourceType", &Referral::source_type},
        {"ReferralSourceUrl", &Referral::source_url},
        {"ReferralMediaId", &Referral::media_id},
        {"ReferralMediaContentType", &Referral::media_content_type},
        {"ReferralMediaUrl", &Referral::media_url},
        {"ReferralCtwaClid", &Referral::click_id},
    };
    for (const auto& [name, member] : members) {
        referral.*member = fields.take(name);
        any = any || !(referral.*member).empty();
    }
    fields.take_if("ReferralNumMedia", referral.media_url.empty() ? "0" : "1");
    return any ? std::optional(std::move(referral)) : std::nullopt;
}

std::optional<ReplyContext> take_reply_context(WebhookFields& fields) {
    ReplyContext context{fields.take("OriginalRepliedMessageSender"),
                         MessageSid::from_wire(fields.take("OriginalRepliedMessageSid"))};
    if (context.sender.empty() && context.message_sid.empty()) return std::nullopt;
    return context;
}

/// The SID under its three names, of which the later ones are the older ones.
MessageSid take_message_sid(WebhookFields& fields) {
    std::string sid;
    for (const auto* name : {"MessageSid", "SmsSid", "SmsMessageSid"}) {
        if (sid.empty()) sid = fields.take(name);
        fields.take_if(name, sid);
    }
    return MessageSid::from_wire(std::move(sid));
}

AccountSid take_account_sid(WebhookFields& fields) {
    return AccountSid::from_wire(fields.take("AccountSid"));
}

Error no_message_sid() {
    return Error::invalid_request("MessageSid", "the webhook has no readable MessageSid",
                                  "Twilio sends one with every message and status");
}

Result<WebhookEvent> read_message(WebhookFields fields) {
    InboundMessage message;
    message.sid = take_message_sid(fields);
    if (message.sid.empty()) return no_message_sid();
    message.account_sid = take_account_sid(fields);
    message.button = take_button(fields);
    message.list = take_list(fields);
    message.location = take_location(fields);
    message.media = take_media(fields);
    message.referral = take_referral(fields);
    message.reply_to = take_reply_context(fields);
    message.messaging_service_sid = fields.take("MessagingServiceSid");
    message.from = fields.take("From");
    message.to = fields.take("To");
    message.body = fields.take("Body");
    message.message_type = fields.take("MessageType");
    message.interactive_data = fields.take("InteractiveData");
    message.forwarded = fields.take_flag("Forwarded");
    message.frequently_forwarded = fields.take_flag("FrequentlyForwarded");
    message.profile_name = fields.take("ProfileName");
    message.wa_id = fields.take("WaId");
    message.external_user_id = fields.take("ExternalUserId");
    message.opt_out_type = OptOutType{fields.take("OptOutType")};
    message.channel_metadata = fields.take("ChannelMetadata");
    message.other = std::move(fields).rest();
    return WebhookEvent{std::move(message)};
}

Result<WebhookEvent> read_status(WebhookFields fields) {
    StatusCallback callback;
    callback.sid = take_message_sid(fields);
    if (callback.sid.empty()) return no_message_sid();
    callback.account_sid = take_account_sid(fields);
    auto status = fields.take("MessageStatus");
    if (status.empty()) status = fields.take("SmsStatus");
    fields.take_if("SmsStatus", status);
    callback.status = MessageStatus{status};
    callback.messaging_service_sid = fields.take("MessagingServiceSid");
    callback.from = fields.take("From");
    callback.to = fields.take("To");
    callback.error_code = fields.take_number<int>("ErrorCode").value_or(0);
    callback.error_message = fields.take("ErrorMessage");
    callback.channel_status_message = fields.take("ChannelStatusMessage");
    callback.channel_prefix = fields.take("ChannelPrefix");
    callback.channel_to_address = fields.take("ChannelToAddress");
    callback.channel_install_sid = fields.take("ChannelInstallSid");
    callback.event_type = fields.take("EventType");
    callback.other = std::move(fields).rest();
    return WebhookEvent{std::move(callback)};
}

/// The message is on its way in, not out.
bool is_inbound_status(std::string_view status) noexcept {
    return status == MessageStatus::received || status == MessageStatus::receiving;
}

/// `where` names them in the error.
Error too_many_parameters(const char* where) {
    return Error::invalid_request(where, "the webhook has more than 1000 parameters");
}

Result<WebhookEvent> read_event(const detail::DecodedForm& form) {
    WebhookFields fields{form};
    const bool has_status = fields.has("MessageStatus") || fields.has("SmsStatus");
    const auto status = fields.peek(fields.has("MessageStatus") ? "MessageStatus" : "SmsStatus");
    if (!status.empty() && !is_inbound_status(status)) return read_status(std::move(fields));
    const bool has_content = fields.has("Body") || fields.has("NumMedia");
    if (fields.has("From") && (has_content || has_status)) return read_message(std::move(fields));
    UnknownWebhook unknown;
    unknown.sid = MessageSid::from_wire(std::string{fields.peek("MessageSid")});
    unknown.account_sid = AccountSid::from_wire(std::string{fields.peek("AccountSid")});
    unknown.parameters = std::move(fields).rest();
    return WebhookEvent{std::move(unknown)};
}

}  // namespace

Result<WebhookEvent> parse_webhook_form(std::string_view form) {
    detail::DecodedForm fields;
    if (!fields.read(form, detail::max_webhook_fields)) return too_many_parameters("body");
    return read_event(fields);
}

Result<WebhookEvent> detail::read_webhook(const WebhookRequest& request, const DecodedForm& body) {
    const bool in_body = has_body(request.method);
    if (in_body && !is_form_type(find_header(request.headers, "Content-Type"))) {
        return Error::invalid_request("Content-Type", "the webhook's body is not a form",
                                      "Twilio sends messages and statuses as forms; handle other "
                                      "webhooks on a URL of their own");
    }
    DecodedForm query;
    if (!query.read(query_of(request.target), max_webhook_fields)) {
        return too_many_parameters("query");
    }
    auto event = read_event(in_body ? body : query);
    if (!event) return event;
    std::visit([&](auto& read) { read.query = list_of(query); }, *event);
    return event;
}

Result<WebhookEvent> parse_webhook(const WebhookRequest& request) {
    detail::DecodedForm body;
    if (detail::is_form_type(find_header(request.headers, "Content-Type")) &&
        !body.read(detail::covered_body(request.method, request.body),
                   detail::max_webhook_fields)) {
        return too_many_parameters("body");
    }
    return detail::read_webhook(request, body);
}

}  // namespace twiliowa
