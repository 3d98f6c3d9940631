#include "testing/fake_twilio/messages/create.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "net/url.hpp"
#include "testing/fake_twilio/messages/bubble.hpp"
#include "testing/fake_twilio/messages/content.hpp"
#include "testing/fake_twilio/messages/lifecycle.hpp"
#include "testing/fake_twilio/world/address.hpp"
#include "testing/fake_twilio/world/magic.hpp"
#include "text/ascii.hpp"
#include "text/dates.hpp"
#include "text/utf8.hpp"

namespace twiliowa::testing::fake {

namespace {

constexpr std::size_t max_body = 1'600;
constexpr std::size_t max_media = 10;
// Far more than any template shows; a small request must not make a large message.
constexpr std::size_t max_filled = std::size_t{256} * 1024;
constexpr std::chrono::minutes min_schedule{5};
constexpr std::chrono::days max_schedule{35};

FakeProblem refuse_create(int code, std::string_view message, int status = 400) {
    return {status, code, std::string{message}};
}

bool is_web_url(std::string_view url) noexcept {
    return detail::web_url_problem(url).empty();
}

/// The sender the message would leave from.
std::string_view sender_of(const FakeCreate& create) {
    const auto from = create.parameters.get("From");
    if (!from.empty()) return from;
    return pick_sender(create.account, create.parameters.get("MessagingServiceSid"),
                       create.parameters.get("To"));
}

const testing::FakeContent* content_of(const FakeCreate& create) {
    const auto sid = create.parameters.get("ContentSid");
    const auto* found = sid.empty() ? nullptr : create.account.find_template(sid);
    return found == nullptr ? nullptr : &found->content;
}

// ---- The rules, each about one thing.

FakeRefusal check_to(const FakeCreate& create) {
    const auto to = create.parameters.get("To");
    if (to.empty()) return refuse_create(21604, "The message has no recipient: give To");
    if (!is_address(to)) {
        return refuse_create(21211, "To is neither a phone number nor a channel address");
    }
    return std::nullopt;
}

FakeRefusal check_sender_given(const FakeCreate& create) {
    if (create.parameters.get("From").empty() &&
        create.parameters.get("MessagingServiceSid").empty()) {
        return refuse_create(21603, "The message has no sender: give From or MessagingServiceSid");
    }
    return std::nullopt;
}

FakeRefusal check_content_given(const FakeCreate& create) {
    const auto& parameters = create.parameters;
    if (parameters.get("Body").empty() && parameters.all("MediaUrl").empty() &&
        parameters.get("ContentSid").empty()) {
        return refuse_create(21619, "The message is empty: give Body, MediaUrl or ContentSid");
    }
    return std::nullopt;
}

FakeRefusal check_body(const FakeCreate& create) {
    const auto body = create.parameters.get("Body");
    if (body.find('\0') != std::string_view::npos) {
        return refuse_create(21618, "Body holds a NUL character");
    }
    if (detail::count_code_points(body) > max_body) {
        return refuse_create(21617, "Body has more than 1600 characters");
    }
    return std::nullopt;
}

FakeRefusal check_media(const FakeCreate& create) {
    const auto urls = create.parameters.all("MediaUrl");
    if (urls.size() > max_media) {
        return refuse_create(21623, "MediaUrl is given more than 10 times");
    }
    if (!std::all_of(urls.begin(), urls.end(), is_web_url)) {
        return refuse_create(21620, "A MediaUrl is not an http or https URL");
    }
    return std::nullopt;
}

FakeRefusal check_content(const FakeCreate& create) {
    const auto& parameters = create.parameters;
    const auto variables = parameters.get("ContentVariables");
    if (parameters.get("ContentSid").empty()) {
        if (variables.empty()) return std::nullopt;
        return refuse_create(21654, "ContentVariables need a ContentSid");
    }
    const auto* content = content_of(create);
    if (content == nullptr) {
        return refuse_create(21655, "ContentSid names no template of this account");
    }
    FakeVariables read;
    if (auto problem = read_variables(variables, *content, read)) return problem;
    if (filled_size(*content, read) > max_filled) {
        return refuse_create(21658, "The template and its variables are too long together");
    }
    return std::nullopt;
}

FakeRefusal check_service(const FakeCreate& create) {
    const auto service = create.parameters.get("MessagingServiceSid");
    if (service.empty()) return std::nullopt;
    if (!is_sid(service, "MG")) {
        return refuse_create(21705, "MessagingServiceSid is not the SID of a messaging service");
    }
    const auto found = create.account.services.find(service);
    if (found == create.account.services.end()) {
        return refuse_create(21701, "This account has no such messaging service");
    }
    if (sender_of(create).empty()) {
        return refuse_create(21703, "The messaging service holds no sender that can reach To");
    }
    return std::nullopt;
}

FakeRefusal check_from(const FakeCreate& create) {
    const auto from = create.parameters.get("From");
    if (from.empty() || create.account.has_sender(from)) return std::nullopt;
    if (is_whatsapp(from)) {
        return refuse_create(63007, "From is not a WhatsApp sender of this account");
    }
    if (!is_phone_number(from)) return refuse_create(21212, "From is not a valid sender");
    return refuse_create(21660, "From is not a number of this account");
}

FakeRefusal check_channels(const FakeCreate& create) {
    const auto from = create.parameters.get("From");
    // What is no address (a messaging service's SID, say) is on no channel: check_from says so.
    if (!is_address(from) && !create.account.has_sender(from)) return std::nullopt;
    if (is_whatsapp(from) != is_whatsapp(create.parameters.get("To"))) {
        return refuse_create(21910, "To and From are on different channels");
    }
    return std::nullopt;
}

FakeRefusal check_not_oneself(const FakeCreate& create) {
    if (create.parameters.get("From") == create.parameters.get("To")) {
        return refuse_create(63031, "To and From are the same");
    }
    return std::nullopt;
}

FakeRefusal check_schedule(const FakeCreate& create) {
    const auto& parameters = create.parameters;
    const auto type = parameters.get("ScheduleType");
    const auto send_at = parameters.get("SendAt");
    if (type.empty() && send_at.empty()) return std::nullopt;
    if (type != "fixed") return refuse_create(35114, "SendAt goes with ScheduleType=fixed only");
    if (parameters.get("MessagingServiceSid").empty()) {
        return refuse_create(35118, "Scheduling needs a MessagingServiceSid");
    }
    const auto when = detail::parse_iso8601(send_at);
    if (!when) return refuse_create(35114, "SendAt is missing, or not a time in ISO 8601");
    if (*when < create.moment.now + min_schedule) {
        return refuse_create(35115, "SendAt is less than 5 minutes ahead");
    }
    if (*when > create.moment.now + max_schedule) {
        return refuse_create(35117, "SendAt is more than 35 days ahead");
    }
    return std::nullopt;
}

FakeRefusal check_delivery_options(const FakeCreate& create) {
    const auto& parameters = create.parameters;
    const auto one_of = [&](std::string_view name, std::string_view a, std::string_view b) {
        const auto value = parameters.get(name);
        return value.empty() || value == a || value == b;
    };
    const auto validity = parameters.get("ValidityPeriod");
    if (!validity.empty()) {
        const auto seconds = detail::parse_number<int>(validity);
        if (!seconds || *seconds < 1 || *seconds > 36'000) {
            return refuse_create(21624, "ValidityPeriod is not a number of seconds up to 36000");
        }
    }
    const auto callback = parameters.get("StatusCallback");
    if (!callback.empty() && (!is_web_url(callback) || detail::host_and_port(callback).host.find(
                                                           '_') != std::string_view::npos)) {
        return refuse_create(21609, "StatusCallback is not an http or https URL with a valid host");
    }
    const auto application = parameters.get("ApplicationSid");
    if (!application.empty() && !is_sid(application, "AP")) {
        return refuse_create(21218, "ApplicationSid is not the SID of an application");
    }
    if (!one_of("ContentRetention", "retain", "discard")) {
        return refuse_create(30029, "ContentRetention is neither retain nor discard");
    }
    if (!one_of("AddressRetention", "retain", "obfuscate")) {
        return refuse_create(30030, "AddressRetention is neither retain nor obfuscate");
    }
    return std::nullopt;
}

FakeRefusal check_trial(const FakeCreate& create) {
    const auto& limits = create.account.limits;
    const auto customer = create.world.phones.owner_of(create.parameters.get("To"));
    if (limits.trial && limits.verified.find(identity_of(customer)) == limits.verified.end()) {
        return refuse_create(21608, "A trial account reaches verified numbers only; To is not one");
    }
    return std::nullopt;
}

FakeRefusal check_opt_out(const FakeCreate& create) {
    const auto customer = create.world.phones.owner_of(create.parameters.get("To"));
    if (create.world.accounts.is_opted_out(sender_of(create), customer)) {
        return refuse_create(21610, "The recipient has opted out of messages from this sender");
    }
    return std::nullopt;
}

FakeRefusal check_daily_limit(const FakeCreate& create) {
    const auto& limit = create.account.limits.daily_messages;
    if (limit && create.account.created_on(day_of(create.moment.now)) >= *limit) {
        return refuse_create(63038, "The account has used up its messages of today", 429);
    }
    return std::nullopt;
}

/// Recipients that stand for a refusal.
FakeRefusal check_magic(const FakeCreate& create) {
    const auto* magic = find_magic_recipient(create.parameters.get("To"));
    if (magic == nullptr || magic->http_status == 201) return std::nullopt;
    return refuse_create(magic->code, "To stands for this refusal: " + std::string{magic->meaning},
                         magic->http_status);
}

FakeRefusal check_queue(const FakeCreate& create) {
    if (is_queue_full(create.world, sender_of(create), create.moment)) {
        return refuse_create(21611, "The sender has four hours of messages in its queue");
    }
    return std::nullopt;
}

constexpr std::array create_rules{
    check_to,          check_sender_given, check_content_given, check_body,
    check_media,       check_content,      check_channels,      check_from,
    check_not_oneself, check_service,      check_schedule,      check_delivery_options,
    check_trial,       check_magic,        check_opt_out,       check_daily_limit,
    check_queue,
};

// ---- The record.

std::string_view guess_content_type(std::string_view url) noexcept {
    using Entry = std::pair<std::string_view, std::string_view>;
    static constexpr std::array types{
        Entry{".jpg", "image/jpeg"},  Entry{".jpeg", "image/jpeg"},     Entry{".png", "image/png"},
        Entry{".webp", "image/webp"}, Entry{".mp4", "video/mp4"},       Entry{".ogg", "audio/ogg"},
        Entry{".mp3", "audio/mpeg"},  Entry{".pdf", "application/pdf"},
    };
    const auto path = url.substr(0, url.find_first_of("?#"));
    for (const auto& [suffix, type] : types) {
        if (path.size() > suffix.size() &&
            detail::equals_ignoring_case(path.substr(path.size() - suffix.size()), suffix)) {
            return type;
        }
    }
    return "application/octet-stream";
}

testing::FakeBubble bubble_of(const FakeCreate& create) {
    const auto& parameters = create.parameters;
    const bool whatsapp = is_whatsapp(parameters.get("To"));
    const auto* content = content_of(create);
    if (content == nullptr) return draw_message(parameters, whatsapp);
    FakeVariables variables;
    read_variables(parameters.get("ContentVariables"), *content, variables);
    return draw_content(*content, variables, whatsapp);
}

std::string_view initial_status(const FakeCreate& create) noexcept {
    if (!create.parameters.get("SendAt").empty()) return MessageStatus::scheduled;
    if (!create.parameters.get("MessagingServiceSid").empty()) return MessageStatus::accepted;
    return MessageStatus::queued;
}

int count_segments(const FakeCreate& create, std::string_view body) {
    if (!create.parameters.get("MessagingServiceSid").empty()) return 0;
    const auto length = detail::count_code_points(body);
    if (is_whatsapp(create.parameters.get("To")) || length <= 160) return 1;
    return static_cast<int>((length + 152) / 153);
}

}  // namespace

FakeRefusal check_create(const FakeCreate& create) {
    for (const auto& rule : create_rules) {
        if (auto problem = rule(create)) return problem;
    }
    return std::nullopt;
}

FakeMessage build_message(const FakeCreate& create, FakeIds& ids) {
    FakeMessage message;
    message.parameters = create.parameters;
    message.bubble = bubble_of(create);
    auto& urls = message.media_urls = message.bubble.media;
    for (const auto& card : message.bubble.cards) {
        urls.insert(urls.end(), card.media.begin(), card.media.end());
    }

    Message& record = message.record;
    record.sid = MessageSid::from_wire(ids.next(urls.empty() ? "SM" : "MM"));
    record.account_sid = create.account.sid;
    record.messaging_service_sid = create.parameters.get("MessagingServiceSid");
    record.from = create.parameters.get("From");
    record.to = create.parameters.get("To");
    record.body = message.bubble.body;
    record.status = MessageStatus{initial_status(create)};
    record.direction = Direction{Direction::outbound_api};
    record.date_created = create.moment.now;
    record.date_updated = create.moment.now;
    record.num_media = static_cast<int>(urls.size());
    record.num_segments = count_segments(create, record.body);
    set_resource(record);

    for (const auto& url : urls) {
        Media medium;
        medium.sid = MediaSid::from_wire(ids.next("ME"));
        medium.account_sid = record.account_sid;
        medium.parent_sid = record.sid.str();
        medium.content_type = guess_content_type(url);
        medium.date_created = create.moment.now;
        medium.date_updated = create.moment.now;
        medium.uri = medium_uri(medium);
        message.media.emplace(message.media.size(), std::move(medium));
    }
    return message;
}

}  // namespace twiliowa::testing::fake
