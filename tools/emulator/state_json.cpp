#include "state_json.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include <twiliowa/request_validator.hpp>

#include "text/dates.hpp"

namespace emulator {

namespace {

using nlohmann::json;
using twiliowa::testing::FakeBubble;
using twiliowa::testing::FakeTwilio;

constexpr std::size_t shown_messages = 200;  // of a conversation
constexpr std::size_t shown_conversations = 100;
constexpr std::size_t shown_templates = 200;
constexpr std::size_t shown_text = 64 * 1024;  // of a body or an answer in the log
constexpr std::size_t shown_next_faults = 20;

json buttons_json(const std::vector<twiliowa::testing::FakeButton>& from) {
    json buttons = json::array();
    for (const auto& button : from) {
        buttons.push_back({{"type", button.type},
                           {"title", button.title},
                           {"id", button.id},
                           {"value", button.value}});
    }
    return buttons;
}

json bubble_json(const FakeBubble& bubble) {
    json items = json::array();
    for (const auto& item : bubble.items) {
        items.push_back(
            {{"id", item.id}, {"title", item.title}, {"description", item.description}});
    }
    json cards = json::array();
    for (const auto& card : bubble.cards) {
        cards.push_back({{"title", card.title},
                         {"body", card.body},
                         {"media", card.media},
                         {"buttons", buttons_json(card.buttons)}});
    }
    json locations = json::array();
    for (const auto& place : bubble.locations) {
        locations.push_back({{"latitude", place.latitude},
                             {"longitude", place.longitude},
                             {"label", place.label},
                             {"address", place.address}});
    }
    return {{"type", bubble.type},    {"header", bubble.header},
            {"body", bubble.body},    {"footer", bubble.footer},
            {"media", bubble.media},  {"buttons", buttons_json(bubble.buttons)},
            {"items", items},         {"list_button", bubble.list_button},
            {"locations", locations}, {"cards", cards}};
}

bool is_inbound(const twiliowa::Message& message) {
    return message.direction == twiliowa::Direction::inbound;
}

json message_json(const FakeTwilio& fake, const twiliowa::Message& message) {
    return {
        {"sid", message.sid.str()},
        {"inbound", is_inbound(message)},
        {"status", message.status.str()},
        {"error_code", message.error_code ? json(*message.error_code) : json()},
        {"when",
         message.date_created ? twiliowa::detail::format_iso8601_utc(*message.date_created) : ""},
        {"bubble", bubble_json(fake.bubble(message.sid.str()))}};
}

std::string fault_name(twiliowa::testing::Fault fault) {
    for (const auto& [name, known] : twiliowa::testing::fault_names) {
        if (known == fault) return std::string{name};
    }
    return {};
}

json request_json(const twiliowa::testing::FakeRequestRecord& record) {
    return {{"number", record.number},
            {"when", twiliowa::detail::format_iso8601_utc(record.when)},
            {"method", std::string{to_string(record.method)}},
            {"url", record.url},
            {"body", record.body},
            {"credentials", record.credentials},
            {"status", record.status},
            {"code", record.code},
            {"response", record.response.substr(0, shown_text)},
            {"fault", fault_name(record.fault)}};
}

/// With the verdict of whoever checks the signature for the URL as it was called.
json webhook_json(const twiliowa::testing::FakeWebhookRecord& record,
                  const twiliowa::RequestValidator& validator) {
    const auto& webhook = record.webhook;
    const auto& headers = webhook.request.headers;
    const auto signature = twiliowa::find_header(headers, "X-Twilio-Signature");
    const auto verdict =
        validator.check({.method = webhook.request.method,
                         .url = webhook.url,
                         .content_type = twiliowa::find_header(headers, "Content-Type"),
                         .body = webhook.request.body,
                         .signature = signature});
    return {{"number", webhook.number},
            {"when", twiliowa::detail::format_iso8601_utc(record.when)},
            {"kind", webhook.kind},
            {"url", webhook.url},
            {"body", webhook.request.body.substr(0, shown_text)},
            {"signature", std::string{signature}},
            {"verdict", std::string{to_string(verdict.reason)}},
            {"hint", std::string{verdict.hint}},
            {"message_sid", webhook.message_sid},
            {"attempt", webhook.attempt},
            {"status", record.status},
            {"response", record.response.substr(0, shown_text)},
            {"outcome", record.outcome},
            {"error_code", record.error_code}};
}

/// Adds the conversations to `answer`, each with the newest of its messages.
void add_conversations(json& answer, const StateSource& from) {
    using Key = std::pair<std::string, std::string>;  // customer and sender
    // Newest first, as listed; a conversation is as new as its newest message.
    std::vector<Key> order;
    std::map<Key, std::vector<twiliowa::Message>> messages_of;
    std::vector<twiliowa::Message> all;
    for (const auto& account : from.accounts) {
        auto more = from.fake.messages(account);
        const auto middle = static_cast<std::ptrdiff_t>(all.size());
        all.insert(all.end(), std::make_move_iterator(more.begin()),
                   std::make_move_iterator(more.end()));
        std::inplace_merge(
            all.begin(), all.begin() + middle, all.end(),
            [](const auto& a, const auto& b) { return a.date_created > b.date_created; });
    }
    for (auto& message : all) {
        const bool inbound = is_inbound(message);
        auto ours = inbound ? message.to : message.from;
        // A messaging service chooses among its senders when it sends; the one there is has this.
        if (ours.empty()) ours = FakeTwilio::demo_sender;
        // A customer is one, by number or by user id.
        const Key key{from.fake.customer_address(inbound ? message.from : message.to),
                      std::move(ours)};
        auto& messages = messages_of[key];
        if (messages.empty()) order.push_back(key);
        if (messages.size() < shown_messages) messages.push_back(std::move(message));
    }
    std::map<Key, twiliowa::testing::FakeChatView> views;
    for (auto& view : from.fake.chats()) {
        const Key key{view.customer, view.sender};
        if (messages_of.find(key) == messages_of.end()) order.push_back(key);
        views[key] = std::move(view);
    }
    auto& conversations = answer["conversations"] = json::array();
    for (const auto& key : order) {
        if (conversations.size() >= shown_conversations) break;
        json messages = json::array();
        const auto& newest = messages_of[key];
        for (auto message = newest.rbegin(); message != newest.rend(); ++message) {
            messages.push_back(message_json(from.fake, *message));
        }
        const auto& view = views[key];
        conversations.push_back({{"customer", key.first},
                                 {"sender", key.second},
                                 {"name", view.profile_name},
                                 {"window_open", view.window_is_open},
                                 {"typing", view.sees_typing},
                                 {"block", view.blocks},
                                 {"whatsapp", view.has_whatsapp},
                                 {"read_at_once", view.reads_at_once},
                                 {"opted_out", view.opted_out},
                                 {"hide_number", view.hides_number},
                                 {"known_as", view.known_as},
                                 {"user_id", view.user_id},
                                 {"parent_user_id", view.parent_user_id},
                                 {"messages", std::move(messages)}});
    }
}

/// Adds to `answer` what can go wrong, and what does.
void add_faults(json& answer, const StateSource& from) {
    const auto plan = from.fake.faults();
    auto& names = answer["faults"] = json::array();
    for (const auto& [name, fault] : twiliowa::testing::fault_names) names.push_back(name);
    auto& next = answer["next_faults"] = json::array();
    for (const auto fault : plan.next) {
        const auto name = fault_name(fault);
        if (next.empty() || next.back()["fault"] != name) {
            if (next.size() >= shown_next_faults) break;
            next.push_back({{"fault", name}, {"count", 0}});
        }
        next.back()["count"] = next.back()["count"].get<int>() + 1;
    }
    auto& rates = answer["fault_rates"] = json::object();
    for (const auto& [fault, rate] : plan.rates) rates[fault_name(fault)] = rate;
    answer["webhook_faults"] = {{"dropped", plan.webhooks.dropped},
                                {"doubled", plan.webhooks.doubled},
                                {"late", plan.webhooks.late},
                                {"reordered", plan.webhooks.reordered}};
    answer["fault_seed"] = std::to_string(from.fault_seed);
}

/// Adds what Twilio shows late, or not at all.
void add_delays(json& answer, const StateSource& from) {
    using Seconds = std::chrono::duration<double>;
    const auto prices = from.fake.prices();
    answer["lists"] = {{"lag_seconds", Seconds{from.fake.list_lag()}.count()},
                       {"scheduled", from.fake.scheduled_in_lists()}};
    answer["prices"] = {{"delay_seconds", Seconds{prices.delay}.count()}, {"never", prices.never}};
}

json sender_json(const twiliowa::ChannelSender& sender) {
    json reasons = json::array();
    for (const auto& reason : sender.offline_reasons) {
        reasons.push_back(
            {{"code", reason.code}, {"message", reason.message}, {"more_info", reason.more_info}});
    }
    return {{"sender", sender.sender_id},
            {"sid", sender.sid.str()},
            {"status", sender.status.str()},
            {"quality_rating", sender.quality_rating},
            {"messaging_limit", sender.messaging_limit},
            {"display_name", sender.display_name},
            {"pending_display_name", sender.pending_display_name},
            {"pending_display_name_status", sender.pending_display_name_status.str()},
            {"callback_url", sender.callback_url},
            {"offline_reasons", std::move(reasons)}};
}

/// The type of a template that the API names first, and the text in it.
std::pair<std::string, std::string> type_and_body(const twiliowa::testing::FakeContent& content) {
    if (content.types.empty()) return {"twilio/text", content.body};
    if (content.types.size() > shown_text) return {};
    const auto types = json::parse(content.types, nullptr, false);
    if (!types.is_object() || types.empty()) return {};
    const auto first = types.begin();
    const auto body = first->is_object() ? first->value("body", json()) : json();
    return {first.key(), body.is_string() ? body.get<std::string>() : std::string{}};
}

json template_json(const std::string& account, const twiliowa::testing::FakeTemplateView& view) {
    const auto& content = view.content;
    const auto [type, body] = type_and_body(content);
    return {{"account", account},
            {"sid", content.sid},
            {"friendly_name", content.friendly_name},
            {"language", content.language},
            {"type", type},
            {"body", body.substr(0, shown_text)},
            {"approval", content.approval},
            {"approval_name", view.approval_name},
            {"category", content.category},
            {"rejection_reason", view.rejection_reason}};
}

/// Adds what Twilio reports of the accounts and of their senders and templates.
void add_accounts(json& answer, const StateSource& from) {
    auto& accounts = answer["accounts"] = json::array();
    auto& senders = answer["sender_states"] = json::array();
    auto& templates = answer["templates"] = json::array();
    for (const auto& sid : from.accounts) {
        const auto balance = from.fake.balance(sid);
        accounts.push_back({{"sid", sid},
                            {"status", from.fake.account_status(sid)},
                            {"balance", balance.balance},
                            {"currency", balance.currency}});
        for (const auto& sender : from.fake.channel_senders(sid)) {
            senders.push_back(sender_json(sender));
        }
        const auto all = from.fake.templates(sid);
        for (auto view = all.rbegin(); view != all.rend(); ++view) {
            if (templates.size() >= shown_templates) break;
            templates.push_back(template_json(sid, *view));
        }
    }
}

}  // namespace

std::string state_json(const StateSource& from, std::uint64_t requests_after,
                       std::uint64_t webhooks_after) {
    json answer;
    answer["revision"] = from.revision;
    answer["now"] = twiliowa::detail::format_iso8601_utc(from.now);
    answer["account_sid"] = from.accounts.front();
    const auto& accounts = from.accounts;
    answer["subaccounts"] = json::array();
    for (std::size_t i = 1; i < accounts.size(); ++i) answer["subaccounts"].push_back(accounts[i]);
    answer["senders"] = from.senders;
    add_conversations(answer, from);
    auto& requests = answer["requests"] = json::array();
    for (const auto& record : from.fake.requests(requests_after)) {
        requests.push_back(request_json(record));
    }
    const twiliowa::RequestValidator validator{[&](const twiliowa::KeyQuery& query) {
        const bool known =
            std::find(accounts.begin(), accounts.end(), query.account_sid) != accounts.end();
        const auto login = from.fake.credentials(known ? query.account_sid : from.accounts.front());
        return std::vector{twiliowa::SigningKey{login.password()}};
    }};
    auto& webhooks = answer["webhooks"] = json::array();
    for (const auto& record : from.fake.webhooks()) {
        if (record.webhook.number > webhooks_after || record.outcome == "pending") {
            webhooks.push_back(webhook_json(record, validator));
        }
    }
    auto& urls = answer["webhook_urls"] = json::object();
    for (const auto& account : accounts) urls[account] = from.fake.webhook(account);
    for (const auto& sender : from.senders) urls[sender] = from.fake.webhook(sender);
    add_accounts(answer, from);
    add_faults(answer, from);
    add_delays(answer, from);
    return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace emulator
