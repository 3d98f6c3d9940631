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
    const auto angle = [&](detail::FieldName name, double limit) -> std::optional<double> {
        const auto number = detail::parse_number<double>(fields.peek(name));
        return number && std::isfinite(*number) && std::abs(*number) <= limit ? number
                                                                              : std::nullopt;
    };
    const auto latitude = angle("Latitude", 90);
    const auto longitude = latitude ? angle("Longitude", 180) : std::nullopt;
    if (!longitude) return std::nullopt;
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
    if (media.empty()) {
        fields.take_if("NumMedia", "0");
    } else {
        fields.take_if("NumMedia", std::to_string(media.size()));
    }
    return media;
}

std::optional<ButtonReply> take_button(WebhookFields& fields, bool says_button) {
    ButtonReply button;
    fields.take_into(button.payload, "ButtonPayload");
    fields.take_into(button.text, "ButtonText");
    if (!says_button && button.payload.empty() && button.text.empty()) return std::nullopt;
    return button;
}

std::optional<ListReply> take_list(WebhookFields& fields) {
    ListReply list;
    fields.take_into(list.id, "ListId");
    fields.take_into(list.title, "ListTitle");
    if (list.id.empty() && list.title.empty()) return std::nullopt;
    return list;
}

/// Twilio sends some of these with every message, empty.
std::optional<Referral> take_referral(WebhookFields& fields) {
    Referral referral;
    bool any = false;
    struct Member {
        detail::FieldName name;
        std::string Referral::*text = nullptr;
    };
    static constexpr Member members[] = {
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
        fields.take_into(referral.*member, name);
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
    static constexpr detail::FieldName names[] = {"MessageSid", "SmsSid", "SmsMessageSid"};
    for (const auto& name : names) {
        if (sid.empty()) {
            fields.take_into(sid, name);
        } else {
            fields.take_if(name, sid);
        }
    }
    return MessageSid::from_wire(std::move(sid));
}

AccountSid take_account_sid(WebhookFields& fields) {
    return AccountSid::from_wire(fields.take("AccountSid"));
}

// What follows answers the one Result that it makes, so that no event is ever moved.

Result<WebhookEvent> read_message(MessageSid sid, WebhookFields& fields) {
    Result<WebhookEvent> event{std::in_place, std::in_place_type<InboundMessage>};
    auto& message = std::get<InboundMessage>(*event);
    message.sid = std::move(sid);
    message.account_sid = take_account_sid(fields);
    fields.take_into(message.message_type, "MessageType");
    if (fields.has("ButtonType")) message.button_type = ButtonType{fields.take("ButtonType")};
    message.button = take_button(
        fields, message.message_type == "button" || message.button_type == ButtonType::reply);
    message.list = take_list(fields);
    message.location = take_location(fields);
    message.media = take_media(fields);
    message.referral = take_referral(fields);
    message.reply_to = take_reply_context(fields);
    fields.take_into(message.messaging_service_sid, "MessagingServiceSid");
    fields.take_into(message.from, "From");
    fields.take_into(message.to, "To");
    fields.take_into(message.body, "Body");
    fields.take_into(message.interactive_data, "InteractiveData");
    fields.take_into(message.flow_data, "FlowData");
    message.forwarded = fields.take_flag("Forwarded");
    message.frequently_forwarded = fields.take_flag("FrequentlyForwarded");
    fields.take_into(message.profile_name, "ProfileName");
    fields.take_into(message.wa_id, "WaId");
    fields.take_into(message.external_user_id, "ExternalUserId");
    fields.take_into(message.parent_external_user_id, "ParentExternalUserId");
    message.opt_out_type = OptOutType{fields.take("OptOutType")};
    fields.take_into(message.channel_metadata, "ChannelMetadata");
    message.other = std::move(fields).rest();
    return event;
}

Result<WebhookEvent> read_status(MessageSid sid, WebhookFields& fields) {
    Result<WebhookEvent> event{std::in_place, std::in_place_type<StatusCallback>};
    auto& callback = std::get<StatusCallback>(*event);
    callback.sid = std::move(sid);
    callback.account_sid = take_account_sid(fields);
    auto status = fields.take("MessageStatus");
    if (status.empty()) status = fields.take("SmsStatus");
    fields.take_if("SmsStatus", status);
    callback.status = MessageStatus{status};
    fields.take_into(callback.messaging_service_sid, "MessagingServiceSid");
    fields.take_into(callback.from, "From");
    fields.take_into(callback.to, "To");
    callback.error_code = fields.take_number<int>("ErrorCode").value_or(0);
    fields.take_into(callback.error_message, "ErrorMessage");
    fields.take_into(callback.channel_status_message, "ChannelStatusMessage");
    fields.take_into(callback.channel_prefix, "ChannelPrefix");
    fields.take_into(callback.channel_to_address, "ChannelToAddress");
    fields.take_into(callback.channel_install_sid, "ChannelInstallSid");
    fields.take_into(callback.event_type, "EventType");
    fields.take_into(callback.external_user_id, "ExternalUserId");
    fields.take_into(callback.parent_external_user_id, "ParentExternalUserId");
    callback.other = std::move(fields).rest();
    return event;
}

Result<WebhookEvent> read_unknown(WebhookFields& fields) {
    Result<WebhookEvent> event{std::in_place, std::in_place_type<UnknownWebhook>};
    auto& unknown = std::get<UnknownWebhook>(*event);
    unknown.sid = MessageSid::from_wire(std::string{fields.peek("MessageSid")});
    unknown.account_sid = AccountSid::from_wire(std::string{fields.peek("AccountSid")});
    unknown.parameters = std::move(fields).rest();
    return event;
}

/// The message is on its way in, not out.
bool is_inbound_status(std::string_view status) noexcept {
    return status == MessageStatus::received || status == MessageStatus::receiving;
}

/// `where` names them in the error.
Error too_many_parameters(const char* where) {
    return Error::invalid_request(where, "the webhook has more than 1000 parameters");
}

/// Whether the first of what was signed behind the URL may be its end, cut off and made a
/// parameter: `7` of `?job=17`, `/status` of a path. The signature fits that, too. Twilio's names
/// that sort before AccountSid begin with A and a small letter; a URL's end seldom does.
bool holds_end_of_url(const detail::DecodedForm& form) noexcept {
    for (const auto& field : form.fields()) {
        const auto name = field.name();
        if (!name.empty() && name.front() > 'A') continue;  // nearly all
        if (name >= "AccountSid" || field.name_and_value().empty()) continue;
        if (name.size() < 2 || name[0] != 'A' || name[1] < 'a' || name[1] > 'z') return true;
    }
    return false;
}

enum class ReadFrom { body, query };

Result<WebhookEvent> read_event(const detail::DecodedForm& form, ReadFrom place) {
    WebhookFields fields{form};
    const bool has_newer = fields.has("MessageStatus");
    const bool has_status = has_newer || fields.has("SmsStatus");
    const auto status = has_newer ? fields.peek("MessageStatus") : fields.peek("SmsStatus");
    const bool is_status = !status.empty() && !is_inbound_status(status);
    const bool has_content = fields.has("Body") || fields.has("NumMedia");
    const bool is_message = !is_status && fields.has("From") && (has_content || has_status);
    if (!is_status && !is_message) return read_unknown(fields);
    if (place == ReadFrom::body && holds_end_of_url(form)) {
        return Error::invalid_request("body", "a parameter may be the end of a URL",
                                      "all names of Twilio's begin with a letter: somebody may "
                                      "have seen a webhook and cut its text anew");
    }
    auto sid = take_message_sid(fields);
    if (sid.empty()) {
        return Error::invalid_request("MessageSid", "the webhook has no readable MessageSid",
                                      "Twilio sends one with every message and status");
    }
    return is_status ? read_status(std::move(sid), fields) : read_message(std::move(sid), fields);
}

Result<WebhookEvent> read_event_and_query(const detail::DecodedForm& form,
                                          const detail::DecodedForm& query, ReadFrom place) {
    auto event = read_event(form, place);
    if (event) std::visit([&](auto& read) { read.query = list_of(query); }, *event);
    return event;
}

}  // namespace

Result<WebhookEvent> parse_webhook_form(std::string_view form) {
    detail::DecodedForm fields;
    if (!fields.read(form, detail::max_webhook_fields)) return too_many_parameters("body");
    return read_event(fields, ReadFrom::body);
}

Result<WebhookEvent> detail::read_webhook(const WebhookRequest& request, const DecodedForm& body) {
    const bool in_body = has_body(request.method);
    if (in_body && !body.is_read()) {
        return Error::invalid_request("Content-Type", "the webhook's body is not a form",
                                      "Twilio sends messages and statuses as forms; handle other "
                                      "webhooks on a URL of their own");
    }
    DecodedForm query;
    if (!query.read(query_of(request.target), max_webhook_fields)) {
        return too_many_parameters("query");
    }
    return in_body ? read_event_and_query(body, query, ReadFrom::body)
                   : read_event_and_query(query, query, ReadFrom::query);
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
