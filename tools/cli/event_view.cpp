#include "event_view.hpp"

#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "layout.hpp"
#include "moment.hpp"

namespace cli {

using twiliowa::InboundMessage;
using twiliowa::InboxEvent;
using twiliowa::InboxState;
using twiliowa::StatusCallback;
using twiliowa::UnknownWebhook;
using Json = nlohmann::ordered_json;

namespace {

/// What a webhook says: names as JSON has them, and values that may be shown.
using Said = std::vector<std::pair<std::string, std::string>>;

std::string words_of_media(const InboundMessage& message) {
    std::string words;
    for (const auto& each : message.media) {
        words.append(words.empty() ? "" : " ").append(each.content_type);
    }
    return words;
}

std::string words_of_location(const InboundMessage& message) {
    if (!message.location) return {};
    const auto& place = *message.location;
    auto words = std::to_string(place.latitude) + " " + std::to_string(place.longitude);
    for (const auto* part : {&place.label, &place.address}) {
        if (!part->empty()) words += ", " + *part;
    }
    return words;
}

/// What a tap or a choice means to the program, and what it said to the customer.
std::string words_of_choice(const std::string& id, const std::string& title) {
    if (id.empty() || title.empty()) return id + title;
    return id + " (" + title + ")";
}

Said said_by(const InboundMessage& message, Numbers numbers) {
    const auto text = [numbers](const std::string& words) { return text_shown(words, numbers); };
    const auto& button = message.button;
    const auto& list = message.list;
    return {
        {"from", address_shown(message.from, numbers)},
        {"to", message.to},
        {"profile_name", text(message.profile_name)},
        {"type", text(message.message_type)},
        {"body", text(message.body)},
        {"media", text(words_of_media(message))},
        {"button", button ? text(words_of_choice(button->payload, button->text)) : ""},
        {"list", list ? text(words_of_choice(list->id, list->title)) : ""},
        {"location", text(words_of_location(message))},
        {"opt_out", text(message.opt_out_type.str())},
        {"reply_to", message.reply_to ? message.reply_to->message_sid.str() : ""},
    };
}

Said said_by(const StatusCallback& callback, Numbers numbers) {
    return {
        {"from", callback.from},
        {"to", address_shown(callback.to, numbers)},
        {"status", text_shown(callback.status.str(), numbers)},
        {"error_code", callback.error_code == 0 ? "" : std::to_string(callback.error_code)},
        {"error_message", text_shown(callback.error_message, numbers)},
        {"channel_status_message", text_shown(callback.channel_status_message, numbers)},
    };
}

/// It may hold anything: names, too, are somebody's words.
Said said_by(const UnknownWebhook& webhook, Numbers numbers) {
    Said said;
    for (const auto& [name, value] : webhook.parameters) {
        said.emplace_back(text_shown(name, numbers), text_shown(value, numbers));
    }
    return said;
}

Said said_in(const InboxEvent& event, Numbers numbers) {
    return std::visit([numbers](const auto& webhook) { return said_by(webhook, numbers); },
                      *event.event);
}

Json json_of_webhook(const InboxEvent& event, Numbers numbers) {
    if (!event.event) return nullptr;
    auto json = Json::object();
    for (auto& [name, value] : said_in(event, numbers)) json[name] = std::move(value);
    const auto* const message = std::get_if<InboundMessage>(&*event.event);
    if (message == nullptr) return json;
    json["media"] = Json::array();
    for (const auto& each : message->media) {
        // Twilio's own, which names nobody; its digits are SIDs.
        json["media"].push_back({{"url", each.url}, {"content_type", each.content_type}});
    }
    return json;
}

std::string with_blanks(std::string name) {
    for (auto& c : name) {
        if (c == '_') c = ' ';
    }
    return name;
}

}  // namespace

Json summary_of_event(const InboxEvent& event, Numbers numbers) {
    std::string from;
    std::string to;
    if (event.event) {
        if (const auto* message = std::get_if<InboundMessage>(&*event.event)) {
            from = address_shown(message->from, numbers);
            to = message->to;
        } else if (const auto* callback = std::get_if<StatusCallback>(&*event.event)) {
            from = callback->from;
            to = address_shown(callback->to, numbers);
        }
    }
    return {{"number", event.sequence},
            {"sid", event.message_sid},
            {"kind", event.kind},
            {"account_sid", event.account_sid},
            {"state", to_string(event.state)},
            {"tries", event.tries},
            {"problem", event.problem},
            {"from", std::move(from)},
            {"to", std::move(to)},
            {"arrived_at", json_of(event.arrived_at)},
            {"updated_at", json_of(event.updated_at)}};
}

Json json_of_event(const InboxEvent& event, Numbers numbers) {
    auto json = summary_of_event(event, numbers);
    const bool waits = event.state == InboxState::waiting;
    json.update({{"not_before", waits ? json_of(event.not_before) : Json{}},
                 {"caught_up", event.caught_up},
                 {"out_of_order", event.out_of_order},
                 {"webhook", json_of_webhook(event, numbers)}});
    return json;
}

std::string text_of_event(const InboxEvent& event, Numbers numbers) {
    const bool waits = event.state == InboxState::waiting;
    std::vector<std::pair<std::string, std::string>> known{
        {"number", std::to_string(event.sequence)},
        {"sid", event.message_sid},
        {"kind", event.kind},
        {"account", event.account_sid},
        {"state", std::string{to_string(event.state)}},
        {"tries", std::to_string(event.tries)},
        {"problem", event.problem},
        {"arrived", text_of(event.arrived_at)},
        {"updated", text_of(event.updated_at)},
        {"not before", waits ? text_of(event.not_before) : ""},
        {"caught up", event.caught_up ? "yes: read from Twilio's list" : ""},
        {"out of order", event.out_of_order ? "yes: a person has tried it again" : ""}};
    if (event.event) {
        for (auto& [name, value] : said_in(event, numbers)) {
            known.emplace_back(with_blanks(printable(name)), std::move(value));
        }
    } else {
        known.emplace_back("webhook", "not kept any more, or sealed with keys that are not here");
    }
    return facts(known);
}

}  // namespace cli
