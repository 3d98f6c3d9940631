#include "testing/fake_twilio/messages/inbound.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "testing/fake_twilio/webhooks/message_fields.hpp"
#include "testing/fake_twilio/webhooks/webhooks.hpp"
#include "testing/fake_twilio/world/address.hpp"
#include "text/ascii.hpp"

namespace twiliowa::testing::fake {

namespace {

bool is_one_of_words(std::string_view text, const auto& words) {
    text = detail::trim(text, " ");
    return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
        return detail::equals_ignoring_case(word, text);
    });
}

/// `STOP`, `START`, `HELP`, or empty.
std::string_view opt_out_type_of(std::string_view body) {
    constexpr std::array<std::string_view, 8> stop{"STOP",    "UNSUBSCRIBE", "END",    "QUIT",
                                                   "STOPALL", "REVOKE",      "OPTOUT", "CANCEL"};
    constexpr std::array<std::string_view, 2> start{"START", "UNSTOP"};
    constexpr std::array<std::string_view, 2> help{"HELP", "INFO"};
    if (is_one_of_words(body, stop)) return "STOP";
    if (is_one_of_words(body, start)) return "START";
    if (is_one_of_words(body, help)) return "HELP";
    return {};
}

std::string message_type_of(const testing::FakeInbound& inbound) {
    if (!inbound.message_type.empty()) return inbound.message_type;
    auto type = inbound.media_type.substr(0, inbound.media_type.find('/'));
    if (type.empty()) return "text";
    if (type == "image" || type == "audio" || type == "video") return type;
    return type == "text" ? "contacts" : "document";
}

std::string service_of(const FakeAccount& account, std::string_view sender) {
    for (const auto& [service, pool] : account.services) {
        if (std::find(pool.begin(), pool.end(), sender) != pool.end()) return service;
    }
    return {};
}

/// Fills in where the webhook goes; false when nowhere.
bool address_inbound(const FakeHooks& hooks, const Message& record, FakeWebhookJob& job) {
    const auto hook = find_hook(hooks.inbound, record, record.to);
    if (hook == hooks.inbound.end()) return false;
    job.url = FakeWebhookUrl::parse(hook->second);
    const auto options = hooks.inbound_options.find(hook->first);
    if (options == hooks.inbound_options.end()) return true;
    job.method = options->second.method;
    job.fallback_url = options->second.fallback_url;
    job.fallback_method = options->second.fallback_method;
    return true;
}

std::string medium_url(const FakeWorld& world, const Media& medium) {
    return world.public_base("https://api.twilio.com") +
           medium.uri.substr(0, medium.uri.rfind('.'));
}

FakeMessage build_inbound(FakeWorld& world, const FakeAccount& account,
                          const testing::FakeInbound& inbound, const FakeMoment& moment) {
    const bool file = !inbound.media_type.empty();
    FakeMessage message;
    message.bubble.body = inbound.body;
    auto& record = message.record;
    record.sid = MessageSid::from_wire(world.ids.next(file ? "MM" : "SM"));
    record.account_sid = account.sid;
    record.messaging_service_sid = service_of(account, inbound.to);
    record.from = known_as(world, inbound.to, inbound.from);
    record.to = inbound.to;
    record.body = inbound.body;
    record.status = MessageStatus{MessageStatus::received};
    record.direction = Direction{Direction::inbound};
    record.date_created = moment.now;
    record.date_sent = moment.now;
    record.date_updated = moment.now;
    record.num_media = file ? 1 : 0;
    record.num_segments = 1;
    set_resource(record);
    if (file) {
        Media medium;
        medium.sid = MediaSid::from_wire(world.ids.next("ME"));
        medium.account_sid = record.account_sid;
        medium.parent_sid = record.sid.str();
        medium.content_type = inbound.media_type;
        medium.date_created = moment.now;
        medium.date_updated = moment.now;
        medium.uri = medium_uri(medium);
        message.bubble.media.push_back(medium_url(world, medium));
        message.files[medium.sid.str()] = inbound.media;
        message.media.emplace(0, std::move(medium));
    }
    return message;
}

std::string channel_metadata(const std::string& profile_name, const std::string& wa_id) {
    const nlohmann::ordered_json json{
        {"type", "whatsapp"},
        {"data", {{"context", {{"ProfileName", profile_name}, {"WaId", wa_id}}}}}};
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Adds the field, or gives the one that is there another value.
void put_field(std::vector<FakeParameters::Entry>& fields, const std::string& name,
               const std::string& value) {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& field) { return field.first == name; });
    if (found == fields.end()) {
        fields.emplace_back(name, value);
    } else {
        found->second = value;
    }
}

/// The webhook's parameters, in the order seen on real ones.
std::vector<FakeParameters::Entry> inbound_fields(FakeWorld& world,
                                                  const testing::FakeInbound& inbound,
                                                  const FakeMessage& message,
                                                  std::string_view opt_out_type) {
    const auto& record = message.record;
    const auto& sid = record.sid.str();
    std::vector<FakeParameters::Entry> fields;
    fields.emplace_back("SmsMessageSid", sid);
    fields.emplace_back("NumMedia", std::to_string(message.media.size()));
    if (is_whatsapp(record.from)) {
        const auto identity = identity_of(record.from);
        const std::string wa_id{identity.starts_with('+') ? identity.substr(1)
                                                          : std::string_view{}};
        const auto& name = world.phones.phone(inbound.from).name;
        fields.emplace_back("ProfileName", name);
        fields.emplace_back("MessageType", message_type_of(inbound));
        if (!wa_id.empty()) fields.emplace_back("WaId", wa_id);
        append_user_ids(fields, world, inbound.from, record.from);
        fields.emplace_back("ChannelMetadata", channel_metadata(name, wa_id));
        fields.emplace_back("ReferralNumMedia", "0");
    }
    fields.emplace_back("SmsSid", sid);
    fields.emplace_back("SmsStatus", "received");
    fields.emplace_back("Body", record.body);
    fields.emplace_back("To", record.to);
    fields.emplace_back("NumSegments", "1");
    append_message_fields(fields, record);
    for (const auto& [place, medium] : message.media) {
        fields.emplace_back("MediaContentType0", medium.content_type);
        fields.emplace_back("MediaUrl0", medium_url(world, medium));
    }
    if (!inbound.reply_to.empty()) {
        const auto* original = world.store.find(inbound.reply_to);
        fields.emplace_back("OriginalRepliedMessageSid", inbound.reply_to);
        fields.emplace_back("OriginalRepliedMessageSender",
                            original == nullptr ? record.to : original->record.from);
    }
    if (!opt_out_type.empty()) fields.emplace_back("OptOutType", opt_out_type);
    for (const auto& [name, value] : inbound.parameters) put_field(fields, name, value);
    return fields;
}

/// Whether the message is the word that lets a customer into the sandbox, which nobody else sees.
bool enters_sandbox(FakeWorld& world, const testing::FakeInbound& inbound,
                    const FakeMoment& moment) {
    const auto sandbox = world.sandboxes.find(inbound.to);
    if (sandbox == world.sandboxes.end()) return false;
    if (!detail::equals_ignoring_case(inbound.body, "join " + sandbox->second)) return false;
    world.phones.chat(inbound.to, inbound.from).joined = moment.now;
    return true;
}

}  // namespace

FakeRefusal receive_message(FakeWorld& world, testing::FakeInbound inbound,
                            const FakeMoment& moment, std::string& sid) {
    inbound.from = world.phones.owner_of(inbound.from);
    auto* account = world.accounts.owner_of(inbound.to);
    if (account == nullptr) return FakeProblem{404, 20404, "no account has that sender", {}};
    ++world.revision;
    auto built = build_inbound(world, *account, inbound, moment);
    built.parameters = FakeParameters{inbound.parameters};
    if (const auto latitude = built.parameters.get("Latitude"); !latitude.empty()) {
        const auto text = [&](const char* name) { return std::string{built.parameters.get(name)}; };
        built.bubble.locations.push_back(
            {std::string{latitude}, text("Longitude"), text("Label"), text("Address")});
    }
    const auto& message = world.store.add(std::move(built));
    sid = message.record.sid.str();
    auto& chat = world.phones.chat(inbound.to, inbound.from);
    chat.last_inbound = moment.now;
    chat.blocked = 0;  // Nobody can write to whom they block.
    if (enters_sandbox(world, inbound, moment)) return std::nullopt;

    std::string_view opt_out;
    if (world.options.opt_out_words) opt_out = opt_out_type_of(inbound.body);
    if (opt_out == "STOP") world.accounts.opt_out(inbound.to, inbound.from);
    if (opt_out == "START") world.accounts.opt_in(inbound.to, inbound.from);

    FakeWebhookJob job;
    if (!address_inbound(world.hooks, message.record, job)) return std::nullopt;
    job.kind = "inbound";
    job.account_sid = message.record.account_sid;
    job.message_sid = sid;
    job.parameters = inbound_fields(world, inbound, message, opt_out);
    queue_webhook(world, std::move(job), moment);
    return std::nullopt;
}

}  // namespace twiliowa::testing::fake
