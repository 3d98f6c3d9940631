#include "testing/fake_twilio/messages/inbound.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "testing/fake_twilio/webhooks/webhooks.hpp"
#include "text/ascii.hpp"

namespace twiliowa::testing::fake {

namespace {

constexpr std::string_view whatsapp_scheme = "whatsapp:";

bool is_one_of_words(std::string_view text, const auto& words) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
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
    for (const auto& owner : {record.messaging_service_sid, record.to, record.account_sid}) {
        const auto found = owner.empty() ? hooks.inbound.end() : hooks.inbound.find(owner);
        if (found == hooks.inbound.end()) continue;
        job.url = FakeWebhookUrl::parse(found->second);
        const auto options = hooks.inbound_options.find(owner);
        if (options == hooks.inbound_options.end()) return true;
        job.method = options->second.method;
        job.fallback_url = options->second.fallback_url;
        job.fallback_method = options->second.fallback_method;
        return true;
    }
    return false;
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
    record.from = inbound.from;
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

bool is_phone_identity(std::string_view identity) noexcept {
    return identity.starts_with('+');
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
    const bool whatsapp = record.from.starts_with(whatsapp_scheme);
    std::vector<FakeParameters::Entry> fields;
    fields.emplace_back("SmsMessageSid", sid);
    fields.emplace_back("NumMedia", std::to_string(message.media.size()));
    if (whatsapp) {
        const auto identity = record.from.substr(whatsapp_scheme.size());
        const auto wa_id = is_phone_identity(identity) ? identity.substr(1) : std::string{};
        const auto& name = world.phones.phone(record.from).name;
        fields.emplace_back("ProfileName", name);
        fields.emplace_back("MessageType", message_type_of(inbound));
        if (wa_id.empty())
            fields.emplace_back("ExternalUserId", record.from);
        else
            fields.emplace_back("WaId", wa_id);
        fields.emplace_back("ChannelMetadata", channel_metadata(name, wa_id));
        fields.emplace_back("ReferralNumMedia", "0");
    }
    fields.emplace_back("SmsSid", sid);
    fields.emplace_back("SmsStatus", "received");
    fields.emplace_back("Body", record.body);
    fields.emplace_back("To", record.to);
    fields.emplace_back("NumSegments", "1");
    fields.emplace_back("MessageSid", sid);
    fields.emplace_back("AccountSid", record.account_sid);
    fields.emplace_back("From", record.from);
    fields.emplace_back("ApiVersion", record.api_version);
    if (!record.messaging_service_sid.empty()) {
        fields.emplace_back("MessagingServiceSid", record.messaging_service_sid);
    }
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

template <class Match>
FakeTapped find_tapped(const FakeWorld& world, std::string_view sender, std::string_view customer,
                       Match match) {
    const auto& all = world.store.all();
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
        const auto& record = it->second.record;
        // What never arrived cannot be tapped.
        if (record.from != sender || record.to != customer || record.error_code) continue;
        auto tapped = match(it->second.bubble);
        if (tapped.message == nullptr && tapped.title.empty() && tapped.id.empty()) continue;
        tapped.message = &it->second;
        return tapped;
    }
    return {};
}

}  // namespace

FakeRefusal receive_message(FakeWorld& world, const testing::FakeInbound& inbound,
                            const FakeMoment& moment, std::string& sid) {
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

FakeTapped find_button(const FakeWorld& world, std::string_view sender, std::string_view customer,
                       std::string_view wanted) {
    return find_tapped(world, sender, customer, [&](const testing::FakeBubble& bubble) {
        FakeTapped tapped;
        const auto press = [&](const std::vector<testing::FakeButton>& buttons) {
            for (const auto& button : buttons) {
                if (button.type != "QUICK_REPLY") continue;
                if (button.title != wanted && (button.id != wanted || wanted.empty())) continue;
                tapped.id = button.id;
                tapped.title = button.title;
                return true;
            }
            return false;
        };
        if (press(bubble.buttons)) return tapped;
        for (const auto& card : bubble.cards) {
            if (press(card.buttons)) break;
        }
        return tapped;
    });
}

FakeTapped find_item(const FakeWorld& world, std::string_view sender, std::string_view customer,
                     std::string_view wanted) {
    return find_tapped(world, sender, customer, [&](const testing::FakeBubble& bubble) {
        FakeTapped tapped;
        for (const auto& item : bubble.items) {
            if (item.title != wanted && (item.id != wanted || wanted.empty())) continue;
            tapped.id = item.id;
            tapped.title = item.title;
            tapped.description = item.description;
            break;
        }
        return tapped;
    });
}

}  // namespace twiliowa::testing::fake
