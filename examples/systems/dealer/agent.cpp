#include "agent.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <vector>

#include <twiliowa/media_client.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/split_text.hpp>

#include "support/jobs.hpp"
#include "support/members.hpp"

namespace dealer {

namespace wa = twiliowa;
using nlohmann::json;

namespace {

constexpr const char* twilio = "twilio";  // The source that this program receives from.

/// What begins the keys of what people write.
constexpr const char* agents_key = "agent/";

/// How often an event waits for a customer's file; then it goes on without.
constexpr int media_tries = 3;

}  // namespace

/// Outside of the 24 hours a template asks the customer to write, once; whom WhatsApp does not
/// reach gets the text as an SMS.
wa::JobOptions Agent::job_of(const Conversation& conversation, const std::string& text,
                             bool is_first) const {
    wa::JobOptions job{
        .tag = conversation.id, .account = conversation.account, .order_key = conversation.id};
    const auto site = options.sites.find(conversation.account);
    if (site == options.sites.end()) return job;
    const auto& [sms_sender, asks_to_write] = site->second;
    if (is_first && !asks_to_write.empty()) {
        job.fallbacks.push_back({.message = wa::OutboundTemplate{.content_sid = asks_to_write},
                                 .when = wa::FallbackWhen::window_closed});
    }
    if (!sms_sender.empty() && !text.empty()) {
        job.fallbacks.push_back({.message = wa::OutboundText{.body = text, .from = sms_sender}});
    }
    return job;
}

std::string Agent::describe(const wa::Turn& turn) const {
    const auto& message = turn.message();
    const auto* const account = accounts.find(message.account_sid.str());
    if (account == nullptr) wa::Error::invalid_request("account", "is not known").raise();
    const wa::MediaClient media{account->credentials, account->options};
    std::string text = message.body;
    int number = 0;
    for (const auto& file : message.media) {
        const auto name = message.sid.str() + '-' + std::to_string(++number);
        const auto got = media.try_download_to_file(file.url, options.media_directory + '/' + name,
                                                    wa::IfFileExists::overwrite);
        if (!got && turn.tries() < media_tries) got.error().raise();
        if (!text.empty()) text += '\n';
        text += '[' + file.content_type + (got ? ": " + name : std::string{", not fetched"}) + ']';
    }
    if (message.location) {
        text += "[place: " + std::to_string(message.location->latitude) + ", " +
                std::to_string(message.location->longitude) + ']';
    }
    return text;
}

Conversation Agent::record(const wa::Turn& turn) const {
    const auto& message = turn.message();
    auto conversation = conversations.open(twilio, message.account_sid.str(), message.from);
    // Before the workflow is asked, so that people see it at once; the second time it is there.
    conversations.add({.id = "in/" + message.sid.str(),
                       .conversation = conversation.id,
                       .kind = "incoming",
                       .text = describe(turn),
                       .sid = message.sid.str(),
                       .status = "received"});
    return conversation;
}

void Agent::on_message(wa::Turn& turn) const {
    const auto& message = turn.message();
    const auto sid = message.sid.str();
    const auto from = wa::Address::from_wire(message.from);
    if (from.empty() || from.channel() != wa::Address::Channel::whatsapp) {
        log.info("not_from_whatsapp", {{"message_sid", sid}});
        return;
    }
    const auto conversation = record(turn);
    if (conversations.is_taken_over(conversation.id)) {
        log.info("left_to_person", {{"message_sid", sid}});
        return;
    }
    if (message.body.size() > options.longest_text) {
        answer(turn, conversation, "That is more than I can read. Please say it in short.");
        return;
    }
    log.info("asks_workflow", {{"message_sid", sid}, {"customer", log.hash(message.from)}});
    const auto text = workflow.answer({.source = conversation.source,
                                       .message_sid = sid,
                                       .customer_name = message.profile_name,
                                       .text = message.body,
                                       .files = static_cast<int>(message.media.size())},
                                      turn.lease_lost());
    if (!text.empty()) answer(turn, conversation, text);
}

void Agent::answer(wa::Turn& turn, const Conversation& conversation,
                   const std::string& text) const {
    std::vector<Entry> entries;
    for (const auto& part : wa::split_text(text)) {
        turn.enqueue(
            wa::OutboundText{.to = turn.message().from, .body = part, .from = turn.message().to},
            job_of(conversation, part, entries.empty()));
        entries.push_back(
            {.id = "out/" + turn.message().sid.str() + '/' + std::to_string(entries.size() + 1),
             .conversation = conversation.id,
             .kind = "outgoing",
             .text = part,
             .status = "ready"});
    }
    turn.at_commit([this, id = conversation.id, entries](const wa::NativeTransaction& transaction) {
        // Somebody took the conversation over while the workflow thought: it is handled again, and
        // says nothing.
        if (conversations.is_taken_over(id, transaction.sqlite)) {
            throw std::runtime_error("a person has taken the conversation over");
        }
        for (const auto& entry : entries) conversations.add(entry, transaction.sqlite);
    });
}

void Agent::on_outcome(const wa::JobOutcome& outcome) const {
    const auto& job = outcome.job;
    conversations.follow(outcome);
    const bool follows = job.step > 0 && outcome.outcome == wa::Outcome::accepted;
    const std::string fate{follows ? "What was said before went another way."
                                   : support::fate_of(outcome)};
    if (fate.empty()) return;
    conversations.add({.id = "note/" + job.key + '/' + std::string{to_string(outcome.outcome)},
                       .conversation = job.tag,
                       .kind = "note",
                       .text = fate + '\n' + support::reason_of(outcome)});
}

void Agent::take_over(const Conversation& conversation) const {
    conversations.set_taken_over(conversation.id, true);
    // What the workflow has said and nobody has sent yet stays unsaid.
    for (const auto& job : outbox.list({.state = wa::JobState::ready, .tag = conversation.id})) {
        if (!job.key.starts_with(agents_key)) outbox.cancel(job.id);
    }
}

void Agent::send_by_twilio(const Conversation& conversation, const std::string& key,
                           const std::string& text, const std::vector<std::string>& files) const {
    std::vector<wa::OutboundMessage> messages;
    for (const auto& part : wa::split_text(text)) messages.push_back({.body = part});
    if (messages.empty()) messages.emplace_back();
    // A message has one file; the first goes with the text.
    for (const auto& file : files) {
        auto& message = messages[0].media_url.empty() ? messages[0] : messages.emplace_back();
        message.media_url = {file};
    }
    int number = 0;
    for (auto& message : messages) {
        message.to = conversation.customer;
        auto job = job_of(conversation, message.body, number == 0);
        job.key = key + '/' + std::to_string(++number);
        const Entry entry{.id = job.key,
                          .conversation = conversation.id,
                          .kind = "outgoing",
                          .text = message.body + (message.media_url.empty() ? "" : "[file]"),
                          .status = "ready",
                          .desk_id = key.substr(key.find('/') + 1)};
        const auto handed_over = conversations.hand_over(outbox, entry, message, job);
        if (handed_over) continue;
        if (handed_over.error().kind() != wa::ErrorKind::invalid_request) {
            handed_over.error().raise();
        }
        conversations.add({.id = "note/" + job.key + "/refused",
                           .conversation = conversation.id,
                           .kind = "note",
                           .text = "This cannot be sent.\n" + handed_over.error().what()});
    }
}

int Agent::on_desk_event(std::string_view text) const {
    const auto event = json::parse(text, nullptr, false);
    if (!event.is_object()) return 400;
    const auto word = [&](const char* path) {
        return support::text_at(event, path).value_or(std::string{});
    };
    const auto id_at = [&](const char* path) {
        const json::json_pointer pointer{path};
        return event.contains(pointer) ? event[pointer].dump() : std::string{};
    };
    if (word("event") == "conversation_status_changed") {
        const auto conversation = conversations.at_desk(id_at("/id"));
        if (!conversation) return 404;
        const auto status = word("status");
        if (status == "open") take_over(*conversation);
        if (status == "pending" || status == "resolved") {
            conversations.set_taken_over(conversation->id, false);
        }
        log.info("desk_status", {{"conversation", conversation->desk_id}, {"status", status}});
        return 200;
    }
    // Of messages those that people write: what this program has posted comes back, too.
    const bool is_answer = word("event") == "message_created" &&
                           word("message_type") == "outgoing" &&
                           event.value("private", json{}) != json(true) &&
                           word("/sender/type") == "user" && word("source_id").empty();
    if (!is_answer) return 200;
    const auto conversation = conversations.at_desk(id_at("/conversation/id"));
    static const std::map<std::string, decltype(&Agent::send_by_twilio)> channels{
        {twilio, &Agent::send_by_twilio}};
    const auto channel = conversation ? channels.find(conversation->source) : channels.end();
    if (channel == channels.end()) return 404;
    std::vector<std::string> files;
    for (const auto& file : event.value("attachments", json{})) {
        files.push_back(support::text_at(file, "data_url").value_or(std::string{}));
    }
    (this->*channel->second)(*conversation, agents_key + id_at("/id"), word("content"), files);
    return 200;
}

}  // namespace dealer
