#include "agent.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include <twiliowa/types/address.hpp>
#include <twiliowa/types/error_advice.hpp>
#include <twiliowa/types/split_text.hpp>

namespace dealer {

namespace wa = twiliowa;
using nlohmann::json;

namespace {

constexpr const char* twilio = "twilio";  // The source that this program receives from.

/// How often an event waits for a customer's file; then it goes on without.
constexpr int media_tries = 3;

wa::JobOptions job_of(const Conversation& conversation) {
    return {.tag = conversation.id, .order_key = conversation.id};
}

}  // namespace

Agent::Agent(Conversations& conversations, Workflow& workflow, wa::Outbox& outbox,
             wa::MediaClient media, Telemetry& telemetry, AgentOptions options)
    : conversations_(conversations),
      workflow_(workflow),
      outbox_(outbox),
      media_(std::move(media)),
      telemetry_(telemetry),
      options_(std::move(options)) {
    channels_[twilio] = [this](const auto& conversation, const auto& key, const auto& text,
                               const auto& file_url) {
        send_by_twilio(conversation, key, text, file_url);
    };
}

wa::JobOptions Agent::reply_options(const wa::InboundMessage& message) {
    return job_of(conversations_.open(twilio, message.from));
}

std::string Agent::describe(const wa::Turn& turn) {
    const auto& message = turn.message();
    std::string text = message.body;
    int number = 0;
    for (const auto& file : message.media) {
        const auto name = message.sid.str() + '-' + std::to_string(++number);
        const auto got = media_.try_download_to_file(
            file.url, options_.media_directory + '/' + name, wa::IfFileExists::overwrite);
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

Conversation Agent::record(const wa::Turn& turn) {
    const auto& message = turn.message();
    auto conversation = conversations_.open(twilio, message.from);
    // Before the workflow is asked, so that people see it at once; the second time it is there.
    conversations_.add({.id = "in/" + message.sid.str(),
                        .conversation = conversation.id,
                        .kind = "incoming",
                        .text = describe(turn),
                        .sid = message.sid.str(),
                        .status = "received"});
    return conversation;
}

void Agent::on_opt_out(wa::Turn& turn) {
    record(turn);
}

void Agent::on_message(wa::Turn& turn) {
    const auto& message = turn.message();
    const auto sid = message.sid.str();
    const auto from = wa::Address::from_wire(message.from);
    if (from.empty() || from.channel() != wa::Address::Channel::whatsapp) {
        telemetry_.line("not from WhatsApp", {{"sid", sid}});
        return;
    }
    const auto conversation = record(turn);
    if (conversations_.is_taken_over(conversation.id)) {
        telemetry_.line("left to a person", {{"sid", sid}});
        return;
    }
    if (message.body.size() > options_.longest_text) {
        answer(turn, conversation, "That is more than I can read. Please say it in short.");
        return;
    }
    telemetry_.line("asks the workflow",
                    {{"sid", sid}, {"customer", telemetry_.hash(message.from)}});
    const auto text = workflow_.answer({.source = conversation.source,
                                        .message_sid = sid,
                                        .customer_name = message.profile_name,
                                        .text = message.body,
                                        .files = static_cast<int>(message.media.size())},
                                       turn.lease_lost());
    if (!text.empty()) answer(turn, conversation, text);
}

void Agent::answer(wa::Turn& turn, const Conversation& conversation, const std::string& text) {
    std::vector<Entry> entries;
    for (const auto& part : wa::split_text(text)) {
        turn.reply(part);
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
        if (conversations_.is_taken_over(id, transaction.sqlite)) {
            throw std::runtime_error("a person has taken the conversation over");
        }
        for (const auto& entry : entries) conversations_.add(entry, transaction.sqlite);
    });
}

void Agent::on_outcome(const wa::JobOutcome& outcome) {
    const auto& job = outcome.job;
    const bool failed = outcome.outcome == wa::Outcome::dead ||
                        outcome.outcome == wa::Outcome::held ||
                        outcome.outcome == wa::Outcome::undelivered;
    const auto advice = std::string{wa::advise(job.error_code).advice};
    const auto code = job.error_code == 0 ? std::string{} : std::to_string(job.error_code);
    if (conversations_.follow(outcome)) {
        telemetry_.line(to_string(outcome.outcome), {{"job", job.key},
                                                     {"sid", job.sid.str()},
                                                     {"code", code},
                                                     {"problem", job.problem},
                                                     {"advice", advice}});
    }
    if (!failed) return;
    std::string text = outcome.outcome == wa::Outcome::held
                           ? "Nobody knows whether this reached the customer: look in Twilio's "
                             "console, and decide by `twiliowa outbox resolve`."
                           : "This did not reach the customer.";
    for (const auto& part : {code, job.problem, advice}) {
        if (!part.empty()) text += "\n" + part;
    }
    conversations_.add({.id = "note/" + job.key + '/' + std::string{to_string(outcome.outcome)},
                        .conversation = job.tag,
                        .kind = "note",
                        .text = text});
}

void Agent::take_over(const Conversation& conversation) {
    conversations_.set_taken_over(conversation.id, true);
    // What the workflow has said and nobody has sent yet stays unsaid.
    for (const auto& job : outbox_.list({.state = wa::JobState::ready, .tag = conversation.id})) {
        outbox_.cancel(job.id);
    }
}

void Agent::send_by_twilio(const Conversation& conversation, const std::string& key,
                           const std::string& text, const std::string& file_url) {
    auto parts = wa::split_text(text);
    if (parts.empty()) parts.emplace_back();
    int number = 0;
    for (const auto& part : parts) {
        auto options = job_of(conversation);
        options.key = key + '/' + std::to_string(++number);
        const bool has_file = number == 1 && !file_url.empty();
        wa::OutboundMessage message{.to = conversation.customer, .body = part};
        if (has_file) message.media_url = {file_url};
        // Outside of the window a template asks the customer to write.
        message.fallback_content_sid = options_.fallback_template;
        const auto handed_over =
            conversations_.hand_over(outbox_,
                                     {.id = options.key,
                                      .conversation = conversation.id,
                                      .kind = "outgoing",
                                      .text = part + (has_file ? "[file]" : ""),
                                      .status = "ready",
                                      .desk_id = key.substr(key.find('/') + 1)},
                                     message, options);
        if (handed_over) continue;
        if (handed_over.error().kind() != wa::ErrorKind::invalid_request) {
            handed_over.error().raise();
        }
        conversations_.add({.id = "note/" + options.key + "/refused",
                            .conversation = conversation.id,
                            .kind = "note",
                            .text = "This cannot be sent.\n" + handed_over.error().what()});
    }
}

DeskAnswer Agent::on_desk_event(std::string_view text) {
    const auto event = json::parse(text, nullptr, false);
    if (!event.is_object()) return DeskAnswer::unreadable;
    const auto word = [&](const json& in, const char* name) {
        return in.is_object() && in.contains(name) && in[name].is_string()
                   ? in[name].get<std::string>()
                   : std::string{};
    };
    const auto number = [](const json& in) {
        return in.is_object() && in.contains("id") ? in["id"].dump() : std::string{};
    };
    const auto member = [&](const char* name) {
        return event.contains(name) ? event[name] : json{};
    };
    const auto name = word(event, "event");
    if (name == "conversation_status_changed") {
        const auto conversation = conversations_.at_desk(number(event));
        if (!conversation) return DeskAnswer::not_known;
        const auto status = word(event, "status");
        if (status == "open") take_over(*conversation);
        if (status == "pending" || status == "resolved") {
            conversations_.set_taken_over(conversation->id, false);
        }
        telemetry_.line("help desk", {{"conversation", conversation->desk_id}, {"status", status}});
        return DeskAnswer::done;
    }
    // Of messages those that people write: what this program has posted comes back, too.
    const bool is_answer = name == "message_created" && word(event, "message_type") == "outgoing" &&
                           event.value("private", json{}) != json(true) &&
                           word(member("sender"), "type") == "user" &&
                           word(event, "source_id").empty();
    if (!is_answer) return DeskAnswer::done;
    const auto conversation = conversations_.at_desk(number(member("conversation")));
    const auto channel = conversation ? channels_.find(conversation->source) : channels_.end();
    if (channel == channels_.end()) return DeskAnswer::not_known;
    std::string file_url;
    if (const auto files = member("attachments"); files.is_array() && !files.empty()) {
        file_url = word(files[0], "data_url");
    }
    channel->second(*conversation, "agent/" + number(event), word(event, "content"), file_url);
    return DeskAnswer::done;
}

}  // namespace dealer
