#include "messages_client/outbound_checks.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include <twiliowa/types/sid.hpp>

#include "net/url.hpp"
#include "text/ascii.hpp"
#include "text/utf8.hpp"
#include "types/message_limits.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::chrono::minutes min_schedule_lead{5};
constexpr std::chrono::hours max_schedule_lead{35 * 24};

using Check = Result<void>;

Check check_url(std::string_view field, std::string_view url, int code) {
    const auto problem = web_url_problem(url);
    if (problem.empty()) return {};
    return Error::invalid_request(field, problem, "give an absolute http:// or https:// URL", code);
}

Check check_body(const OutboundMessage& message) {
    if (!is_valid_utf8(message.body))
        return Error::invalid_request("Body", "is not valid UTF-8", {}, 21618);
    if (message.body.find('\0') != std::string::npos) {
        return Error::invalid_request("Body", "holds a NUL",
                                      "is it binary, or cut off in the wrong place?", 21618);
    }
    if (auto problem = body_length_problem(count_code_points(message.body))) return *problem;
    return {};
}

Check check_media(const OutboundMessage& message, Address::Channel channel) {
    const auto& urls = message.media_url;
    if (auto problem = media_count_problem(urls.size(), channel == Address::Channel::whatsapp)) {
        return *problem;
    }
    for (const auto& url : urls) {
        if (auto checked = check_url("MediaUrl", url, 21620); !checked) return checked;
    }
    return {};
}

/// `geo:LAT,LON`, optionally `|LABEL`.
bool is_geo_action(std::string_view action) noexcept {
    if (!action.starts_with("geo:")) return false;
    action.remove_prefix(4);
    action = action.substr(0, action.find('|'));
    const auto comma = action.find(',');
    if (comma == std::string_view::npos) return false;
    const auto latitude = parse_number<double>(action.substr(0, comma));
    const auto longitude = parse_number<double>(action.substr(comma + 1));
    return latitude && longitude && std::abs(*latitude) <= 90.0 && std::abs(*longitude) <= 180.0;
}

Check check_location(const OutboundMessage& message) {
    const auto& actions = message.persistent_action;
    if (actions.empty()) return {};
    if (actions.size() > 1)
        return Error::invalid_request("PersistentAction", "is there more than once");
    if (!is_valid_utf8(actions.front()))
        return Error::invalid_request("PersistentAction", "is not valid UTF-8");
    if (!is_geo_action(actions.front())) {
        return Error::invalid_request(
            "PersistentAction", "is not a place on the map",
            "give a latitude of -90 to 90 and a longitude of -180 to 180 degrees");
    }
    if (message.body.empty() && !names_extra(message, "Body")) {
        return Error::invalid_request("Body", "is empty", "a location needs a name");
    }
    if (!message.media_url.empty()) {
        return Error::invalid_request("MediaUrl", "cannot go with a location", "send two messages");
    }
    return {};
}

Check check_template(const OutboundMessage& message) {
    if (message.content_sid.empty()) {
        if (message.content_variables.empty() || names_extra(message, "ContentSid")) return {};
        return Error::invalid_request("ContentVariables", "are given without a ContentSid", {},
                                      21654);
    }
    if (auto sid = ContentSid::parse(message.content_sid); !sid) {
        return Error::invalid_request("ContentSid", sid.error().data().summary, sid.error().hint(),
                                      21655);
    }
    if (!message.body.empty()) {
        return Error::invalid_request("Body", "cannot go with a ContentSid",
                                      "the template brings its own text");
    }
    if (!message.media_url.empty()) {
        return Error::invalid_request("MediaUrl", "cannot go with a ContentSid",
                                      "the template brings its own media");
    }
    if (!message.persistent_action.empty()) {
        return Error::invalid_request("PersistentAction", "cannot go with a ContentSid");
    }
    return message.content_variables.check(message.whitespace);
}

Check check_fallback(const OutboundMessage& message) {
    if (message.fallback_content_sid.empty()) {
        if (message.fallback_variables.empty()) return {};
        return Error::invalid_request("fallback_variables",
                                      "are given without a fallback_content_sid", {}, 21654);
    }
    if (!message.content_sid.empty() || names_extra(message, "ContentSid")) {
        return Error::invalid_request("fallback_content_sid",
                                      "is given to a message that is a template itself");
    }
    if (auto sid = ContentSid::parse(message.fallback_content_sid); !sid) {
        return Error::invalid_request("fallback_content_sid", sid.error().data().summary,
                                      sid.error().hint(), 21655);
    }
    const auto checked = message.fallback_variables.check(message.whitespace);
    if (checked) return {};
    return checked.error().with([](ErrorData& data) { data.field = "fallback_variables"; });
}

Check check_content(const OutboundMessage& message, Address::Channel channel) {
    const bool has_content = !message.body.empty() || !message.media_url.empty() ||
                             !message.content_sid.empty() || !message.persistent_action.empty();
    const bool has_extra = names_extra(message, "Body") || names_extra(message, "MediaUrl") ||
                           names_extra(message, "ContentSid");
    if (!has_content && !has_extra && message.content_variables.empty()) {
        return Error::invalid_request("Body",
                                      "is empty, and there is no MediaUrl and no ContentSid",
                                      "give the message some content", 21619);
    }
    if (auto checked = check_template(message); !checked) return checked;
    if (auto checked = check_location(message); !checked) return checked;
    if (auto checked = check_body(message); !checked) return checked;
    return check_media(message, channel);
}

Check check_schedule(const OutboundMessage& message, bool has_service, TimePoint now) {
    if (!message.schedule_type.empty() && message.schedule_type != "fixed") {
        return Error::invalid_request("ScheduleType", "is not \"fixed\"",
                                      "leave it empty: SendAt sets it", 35114);
    }
    if (!message.send_at) {
        if (message.schedule_type.empty() || names_extra(message, "SendAt")) return {};
        return Error::invalid_request("SendAt", "is missing", "a scheduled message needs a time",
                                      35114);
    }
    if (!has_service) {
        return Error::invalid_request("MessagingServiceSid", "is missing",
                                      "a scheduled message goes through a messaging service",
                                      35118);
    }
    if (*message.send_at < now + min_schedule_lead) {
        return Error::invalid_request("SendAt", "is less than 5 minutes ahead",
                                      "choose a later time", 35115);
    }
    if (*message.send_at > now + max_schedule_lead) {
        return Error::invalid_request("SendAt", "is more than 35 days ahead",
                                      "choose an earlier time", 35117);
    }
    return {};
}

Check check_word(std::string_view field, std::string_view value, std::string_view first,
                 std::string_view second, int code = 0) {
    if (value.empty() || value == first || (!second.empty() && value == second)) return {};
    std::string hint = "use ";
    hint += first;
    if (!second.empty()) hint.append(" or ").append(second);
    return Error::invalid_request(field, "is not a value that Twilio knows", hint, code);
}

/// Twilio may add words: which they are is its affair, that they are words is not.
Check check_intent(std::string_view intent) {
    constexpr std::size_t longest = 64;
    if (intent.size() > longest) {
        return Error::invalid_request("MessageIntent", "is longer than 64 characters");
    }
    const bool is_word = std::all_of(intent.begin(), intent.end(), [](char c) {
        return is_letter_or_digit(c) || c == '_' || c == '-';
    });
    if (is_word) return {};
    return Error::invalid_request("MessageIntent", "is not a word of letters, digits, _ and -",
                                  "use one of MessageIntent's, such as otp or notifications");
}

Check check_settings(const OutboundMessage& message) {
    if (auto checked =
            check_word("ContentRetention", message.content_retention, "retain", "discard", 30029);
        !checked) {
        return checked;
    }
    if (auto checked =
            check_word("AddressRetention", message.address_retention, "retain", "obfuscate", 30030);
        !checked) {
        return checked;
    }
    if (auto checked = check_word("TrafficType", message.traffic_type, "free", {}); !checked)
        return checked;
    if (auto checked = check_word("RiskCheck", message.risk_check, "enable", "disable"); !checked) {
        return checked;
    }
    if (auto checked = check_intent(message.message_intent.str()); !checked) return checked;
    if (message.validity_period &&
        (*message.validity_period < 1 || *message.validity_period > 36000)) {
        return Error::invalid_request("ValidityPeriod", "is not between 1 and 36000 seconds", {},
                                      21624);
    }
    if (message.attempt && *message.attempt < 1)
        return Error::invalid_request("Attempt", "is less than 1");
    if (message.max_price && !(std::isfinite(*message.max_price) && *message.max_price >= 0)) {
        return Error::invalid_request("MaxPrice", "is not a price");
    }
    if (!message.application_sid.empty()) {
        if (auto sid = ApplicationSid::parse(message.application_sid); !sid) {
            return Error::invalid_request("ApplicationSid", sid.error().data().summary,
                                          sid.error().hint(), 21218);
        }
    }
    if (!message.fallback_from.empty() && !is_valid_utf8(message.fallback_from)) {
        return Error::invalid_request("FallbackFrom", "is not valid UTF-8");
    }
    return {};
}

Check check_status_callback(std::string_view url) {
    if (url.empty()) return {};
    if (auto checked = check_url("StatusCallback", url, 21609); !checked) return checked;
    if (host_and_port(url).host.find('_') != std::string_view::npos) {
        return Error::invalid_request("StatusCallback", "has an underscore in its host name",
                                      "Twilio refuses those; use another host name", 21609);
    }
    return {};
}

/// The sender may be the client's default, and a bare number means WhatsApp: the hint names both
/// ways out.
Error refuse_other_channel(Address::Channel recipient) {
    if (recipient == Address::Channel::sms) {
        return Error::invalid_request(
            "From", "is a WhatsApp sender, and To is an SMS number",
            "set from to sms:+<number> to send SMS, or write To without sms:", 21910);
    }
    return Error::invalid_request(
        "From", "is an SMS sender, and To is on WhatsApp",
        "set from to whatsapp:+<number>, or write sms:+<number> in To to send SMS", 21910);
}

Check check_pair(const OutboundMessage& message, const CheckedOutbound& checked) {
    if (checked.to.empty()) return {};
    if (!checked.from.empty()) {
        if (checked.from.channel() != checked.to.channel()) {
            return refuse_other_channel(checked.to.channel());
        }
        if (checked.from == checked.to) {
            return Error::invalid_request("To", "is the sender itself", "choose another recipient",
                                          63031);
        }
    }
    if (checked.to.channel() == Address::Channel::whatsapp && checked.to.phone_number().empty() &&
        equals_ignoring_case(message.category.str(), TemplateCategory::authentication)) {
        return user_id_for_authentication();
    }
    if (message.shorten_urls.value_or(false) &&
        checked.to.channel() == Address::Channel::whatsapp) {
        return Error::invalid_request("ShortenUrls", "does not work on WhatsApp", "leave it out");
    }
    return {};
}

Result<Address> checked_from(const OutboundMessage& message, const OutboundDefaults& defaults) {
    if (!message.from.empty()) return Address::parse(message.from, "From");
    if (!message.messaging_service_sid.empty()) return Address{};
    return defaults.from;
}

/// The client's default only where the message names no sender at all.
Result<MessagingServiceSid> checked_service(const OutboundMessage& message,
                                            const OutboundDefaults& defaults) {
    if (!message.messaging_service_sid.empty()) {
        return MessagingServiceSid::parse(message.messaging_service_sid);
    }
    return message.from.empty() ? defaults.messaging_service_sid : MessagingServiceSid{};
}

}  // namespace

const std::string* find_extra(const OutboundMessage& message, std::string_view name) noexcept {
    const auto found = std::find_if(message.extra.begin(), message.extra.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    return found == message.extra.end() ? nullptr : &found->second;
}

bool names_extra(const OutboundMessage& message, std::string_view name) noexcept {
    return find_extra(message, name) != nullptr;
}

Result<OutboundSender> check_sender(const OutboundMessage& message,
                                    const OutboundDefaults& defaults) {
    auto from = checked_from(message, defaults);
    if (!from) return from.error();
    auto service = checked_service(message, defaults);
    if (!service) return service.error();
    return OutboundSender{std::move(*from), std::move(*service)};
}

Error user_id_for_authentication() {
    return Error::invalid_request(
        "To", "is a WhatsApp user id, and an authentication template needs a phone number",
        "send it to the number, if you have it, or the code another way");
}

Result<CheckedOutbound> check_outbound(const OutboundMessage& message,
                                       const OutboundDefaults& defaults, TimePoint now) {
    CheckedOutbound outbound;
    outbound.message = &message;
    if (message.to.empty()) {
        if (!names_extra(message, "To")) {
            return Error::invalid_request("To", "is empty",
                                          "name a recipient: +<country code><number>", 21604);
        }
    } else {
        auto to = Address::parse(message.to, "To");
        if (!to) return to.error();
        outbound.to = std::move(*to);
    }
    auto sender = check_sender(message, defaults);
    if (!sender) return sender.error();
    static_cast<OutboundSender&>(outbound) = std::move(*sender);
    const bool has_service =
        !outbound.messaging_service_sid.empty() || names_extra(message, "MessagingServiceSid");
    if (outbound.from.empty() && !has_service && !names_extra(message, "From")) {
        return Error::invalid_request(
            "From", "is missing",
            "give the message or the client a from or a messaging_service_sid", 21603);
    }
    outbound.status_callback =
        message.status_callback.empty() ? defaults.status_callback : message.status_callback;

    const auto channel = outbound.to.channel();
    if (auto checked = check_pair(message, outbound); !checked) return checked.error();
    if (auto checked = check_content(message, channel); !checked) return checked.error();
    if (auto checked = check_fallback(message); !checked) return checked.error();
    if (auto checked = check_schedule(message, has_service, now); !checked) return checked.error();
    if (auto checked = check_status_callback(outbound.status_callback); !checked)
        return checked.error();
    if (auto checked = check_settings(message); !checked) return checked.error();
    return outbound;
}

}  // namespace twiliowa::detail
