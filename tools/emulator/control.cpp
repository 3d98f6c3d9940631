#include "control.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include <twiliowa/types/error.hpp>

#include "detail/base64.hpp"

namespace emulator {

namespace {

using nlohmann::json;
using twiliowa::testing::FakeBubble;
using twiliowa::testing::FakeTwilio;

constexpr std::size_t shown_messages = 200;  // of a conversation
constexpr std::size_t shown_conversations = 100;

std::string iso_time(twiliowa::TimePoint time) {
    const auto seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

json bubble_json(const FakeBubble& bubble) {
    json buttons = json::array();
    for (const auto& button : bubble.buttons) {
        buttons.push_back({{"type", button.type},
                           {"title", button.title},
                           {"id", button.id},
                           {"value", button.value}});
    }
    json items = json::array();
    for (const auto& item : bubble.items) {
        items.push_back(
            {{"id", item.id}, {"title", item.title}, {"description", item.description}});
    }
    json locations = json::array();
    for (const auto& place : bubble.locations) {
        locations.push_back({{"latitude", place.latitude},
                             {"longitude", place.longitude},
                             {"label", place.label},
                             {"address", place.address}});
    }
    return {{"type", bubble.type},   {"header", bubble.header},
            {"body", bubble.body},   {"footer", bubble.footer},
            {"media", bubble.media}, {"buttons", buttons},
            {"items", items},        {"list_button", bubble.list_button},
            {"locations", locations}};
}

bool is_inbound(const twiliowa::Message& message) {
    return message.direction == twiliowa::Direction::inbound;
}

json message_json(const FakeTwilio& fake, const twiliowa::Message& message) {
    return {{"sid", message.sid.str()},
            {"inbound", is_inbound(message)},
            {"status", message.status.str()},
            {"error_code", message.error_code ? json(*message.error_code) : json()},
            {"when", message.date_created ? iso_time(*message.date_created) : ""},
            {"bubble", bubble_json(fake.bubble(message.sid.str()))}};
}

std::string fault_name(twiliowa::testing::Fault fault) {
    for (const auto& [name, known] : twiliowa::testing::fault_names) {
        if (known == fault) return std::string{name};
    }
    return {};
}

twiliowa::testing::Fault fault_of(const std::string& name) {
    for (const auto& [known, fault] : twiliowa::testing::fault_names) {
        if (known == name) return fault;
    }
    throw std::invalid_argument("there is no fault " + name);
}

json request_json(const twiliowa::testing::FakeRequestRecord& record) {
    return {{"number", record.number},
            {"when", iso_time(record.when)},
            {"method", std::string{to_string(record.method)}},
            {"url", record.url},
            {"body", record.body},
            {"status", record.status},
            {"code", record.code},
            {"response", record.response},
            {"fault", fault_name(record.fault)}};
}

json webhook_json(const twiliowa::testing::FakeWebhookRecord& record) {
    const auto& webhook = record.webhook;
    return {{"number", webhook.number},
            {"when", iso_time(record.when)},
            {"kind", webhook.kind},
            {"url", webhook.url},
            {"body", webhook.request.body},
            {"signature",
             std::string{twiliowa::find_header(webhook.request.headers, "X-Twilio-Signature")}},
            {"message_sid", webhook.message_sid},
            {"attempt", webhook.attempt},
            {"status", record.status},
            {"response", record.response},
            {"outcome", record.outcome},
            {"error_code", record.error_code}};
}

std::string text_of(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return {};
    if (!found->is_string()) throw std::invalid_argument(std::string{name} + " is not text");
    return found->get<std::string>();
}

double number_of(const json& object, const char* name, double otherwise = 0.0) {
    const auto found = object.find(name);
    if (found == object.end()) return otherwise;
    if (!found->is_number()) throw std::invalid_argument(std::string{name} + " is not a number");
    return found->get<double>();
}

bool flag_of(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return true;
    if (!found->is_boolean()) throw std::invalid_argument(std::string{name} + " is not a flag");
    return found->get<bool>();
}

std::string bytes_of(const json& object) {
    auto bytes = twiliowa::detail::decode_base64(text_of(object, "base64"));
    if (!bytes) throw std::invalid_argument("base64 is not base64");
    return std::move(*bytes);
}

/// Does what the customer does; returns the SID of the message, if it is one.
std::string act(FakeTwilio& fake, const json& order) {
    const auto customer = fake.customer(text_of(order, "customer"), text_of(order, "sender"));
    const auto action = text_of(order, "action");
    const auto text = [&](const char* name) { return text_of(order, name); };
    if (action == "text") return customer.sends_text(text("text"));
    if (action == "reply") return customer.replies(text("sid"), text("text"));
    if (action == "media") {
        return customer.sends_media(bytes_of(order), text("content_type"), text("text"));
    }
    if (action == "location") {
        return customer.sends_location(number_of(order, "latitude"), number_of(order, "longitude"),
                                       text("label"), text("address"));
    }
    if (action == "tap") return customer.taps(text("button"));
    if (action == "choose") return customer.chooses(text("item"));
    if (action == "flow") return customer.answers_flow(text("json"));
    if (action == "stop") return customer.stops();
    if (action == "start") return customer.starts_again();
    if (action == "join") return customer.joins(text("code"));
    if (action == "read") {
        customer.reads();
    } else if (action == "read_at_once") {
        customer.reads_at_once(flag_of(order, "on"));
    } else if (action == "block") {
        customer.blocks(flag_of(order, "on"));
    } else if (action == "whatsapp") {
        customer.has_whatsapp(flag_of(order, "on"));
    } else if (action == "name") {
        customer.named(text("text"));
    } else {
        throw std::invalid_argument("there is no action " + action);
    }
    return {};
}

ControlAnswer refusal(const std::string& message) {
    return {400, json{{"message", message}}.dump(-1, ' ', false, json::error_handler_t::replace)};
}

}  // namespace

Control::Control(std::shared_ptr<FakeTwilio> fake, std::shared_ptr<ScaledClock> clock,
                 Runner& runner, const Options& options)
    : fake_(std::move(fake)),
      clock_(std::move(clock)),
      runner_(&runner),
      account_sid_(options.account_sid),
      sender_(options.senders.empty() ? std::string{FakeTwilio::demo_sender}
                                      : options.senders.front()) {}

std::string Control::state(std::uint64_t requests_after, std::uint64_t webhooks_after) const {
    json answer;
    answer["revision"] = revision();
    answer["now"] = iso_time(clock_->now());
    answer["account_sid"] = account_sid_;
    answer["senders"] = json::array({sender_});

    // Newest first, as listed; a conversation is as new as its newest message.
    std::vector<std::pair<std::string, std::string>> order;
    std::map<std::pair<std::string, std::string>, std::vector<twiliowa::Message>> chats;
    for (auto& message : fake_->messages(account_sid_)) {
        const auto& ours = is_inbound(message) ? message.to : message.from;
        const auto key = std::pair{is_inbound(message) ? message.from : message.to,
                                   ours.empty() ? sender_ : ours};
        auto& chat = chats[key];
        if (chat.empty()) order.push_back(key);
        if (chat.size() < shown_messages) chat.push_back(std::move(message));
    }
    auto& conversations = answer["conversations"] = json::array();
    for (const auto& key : order) {
        if (conversations.size() >= shown_conversations) break;
        json messages = json::array();
        auto& chat = chats[key];
        for (auto message = chat.rbegin(); message != chat.rend(); ++message) {
            messages.push_back(message_json(*fake_, *message));
        }
        bool open = false;
        bool typing = false;
        try {
            const auto customer = fake_->customer(key.first, key.second);
            open = customer.window_is_open();
            typing = customer.sees_typing();
        } catch (const twiliowa::TwilioError&) {
            // A recipient that is no phone.
        }
        conversations.push_back({{"customer", key.first},
                                 {"sender", key.second},
                                 {"window_open", open},
                                 {"typing", typing},
                                 {"messages", std::move(messages)}});
    }
    auto& requests = answer["requests"] = json::array();
    for (const auto& record : fake_->requests(requests_after)) {
        requests.push_back(request_json(record));
    }
    auto& webhooks = answer["webhooks"] = json::array();
    for (const auto& record : fake_->webhooks()) {
        if (record.webhook.number > webhooks_after || record.outcome == "pending") {
            webhooks.push_back(webhook_json(record));
        }
    }
    auto& faults = answer["faults"] = json::array();
    for (const auto& [name, fault] : twiliowa::testing::fault_names) faults.push_back(name);
    return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}

ControlAnswer Control::post(std::string_view path, const std::string& body) {
    const auto order = json::parse(body, nullptr, false);
    if (!order.is_object()) return refusal("the body is not a JSON object");
    try {
        if (path == "customer") {
            const auto sid = act(*fake_, order);
            return {200, sid.empty() ? "{}" : json{{"sid", sid}}.dump()};
        }
        if (path == "fault") {
            const auto fault = fault_of(text_of(order, "fault"));
            if (order.contains("probability")) {
                fake_->set_fault_rate(fault, number_of(order, "probability"));
            } else {
                const auto count = number_of(order, "count", 1);
                if (!(count >= 0 && count <= 1e6)) return refusal("count is out of range");
                fake_->next_fault(fault, static_cast<int>(count));
            }
            return {};
        }
        if (path == "webhook_faults") {
            twiliowa::testing::WebhookFaults faults;
            faults.dropped = number_of(order, "dropped");
            faults.doubled = number_of(order, "doubled");
            faults.late = number_of(order, "late");
            faults.reordered = number_of(order, "reordered");
            fake_->set_webhook_faults(faults);
            return {};
        }
        if (path == "webhook") {
            fake_->set_webhook(text_of(order, "owner"), text_of(order, "url"));
            return {};
        }
        if (path == "clock") {
            const auto seconds = number_of(order, "advance_seconds");
            if (!(seconds >= 0 && seconds <= 1e9))
                return refusal("advance_seconds is out of range");
            runner_->advance(std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::duration<double>{seconds}));
            ++moves_;
            return {};
        }
    } catch (const twiliowa::TwilioError& error) {
        return refusal(error.what());
    } catch (const std::exception& error) {
        return refusal(error.what());
    }
    return {404, R"({"message":"there is no such thing to post to"})"};
}

}  // namespace emulator
