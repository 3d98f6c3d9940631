#include "help_desk.hpp"

#include <httplib.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace dealer {

using nlohmann::json;

namespace {

/// An entry is another process's again after that; a request ends before.
constexpr std::chrono::seconds lease{30};
constexpr int request_seconds = 5;

/// There, of which `inbox` is one.
constexpr const char* conversations_path = "/api/v1/accounts/1/conversations";
constexpr int inbox = 1;

}  // namespace

HelpDesk::HelpDesk(HelpDeskOptions options, Conversations& conversations, const support::Log& log)
    : options_(std::move(options)),
      conversations_(conversations),
      log_(log),
      worker_(1, log, "desk_failed", std::chrono::milliseconds{100},
              [this] { return post_next(); }) {}

bool HelpDesk::post_next() {
    auto posting = conversations_.next_posting(lease);
    if (!posting) return false;
    const auto id = posting->entry.id;
    const auto tries = posting->tries;
    try {
        post(*std::move(posting));
        ++posts_;
    } catch (const std::exception& error) {
        ++failed_posts_;
        log_.warning("not_posted", {{"entry", id}, {"problem", error.what()}});
        conversations_.post_later(id, std::chrono::seconds{std::min(1 << std::min(tries, 6), 60)});
    }
    return true;
}

void HelpDesk::add_to(twiliowa::MetricSamples& samples) const {
    samples.counter("dealer_help_desk_posts_total", "Entries that the help desk has taken.",
                    static_cast<double>(posts_));
    samples.counter("dealer_help_desk_failures_total", "Entries that it did not take.",
                    static_cast<double>(failed_posts_));
}

void HelpDesk::post(Posting posting) {
    const auto& entry = posting.entry;
    auto& conversation = posting.conversation;
    if (conversation.desk_id.empty()) {
        // Pending: a bot answers. Chatwoot shows it to agents when they look for such.
        const json made = {
            {"source_id", conversation.id},
            {"inbox_id", inbox},
            {"status", "pending"},
            {"custom_attributes",
             {{"source", conversation.source}, {"customer", conversation.customer}}}};
        conversation.desk_id = ask("POST", "", made.dump()).at("id").dump();
        conversations_.opened_at_desk(conversation.id, conversation.desk_id);
    }
    const auto messages = '/' + conversation.desk_id + "/messages";
    std::string desk_id;
    // A try before this one may have got there.
    const auto known = posting.tries > 1 ? ask("GET", messages, {}).at("payload") : json{};
    for (const auto& each : known) {
        if (each.value("source_id", "") == entry.id) desk_id = each.at("id").dump();
    }
    if (desk_id.empty()) {
        const json message = {{"content", entry.text},
                              {"message_type", entry.kind == "incoming" ? "incoming" : "outgoing"},
                              {"private", entry.kind == "note"},
                              {"content_type", "text"},
                              {"source_id", entry.id}};
        desk_id = ask("POST", messages, message.dump()).at("id").dump();
    }
    conversations_.posted(entry.id, desk_id);
}

json HelpDesk::ask(const std::string& method, const std::string& path, const std::string& body) {
    const auto url = conversations_path + path;
    httplib::Client client{options_.url};
    client.set_connection_timeout(request_seconds);
    client.set_read_timeout(request_seconds);
    const httplib::Headers headers{
        {"api_access_token", std::string{options_.access_token.reveal()}}};
    const auto answer = method == "GET" ? client.Get(url, headers)
                                        : client.Post(url, headers, body, "application/json");
    if (!answer) throw std::runtime_error("no answer: " + httplib::to_string(answer.error()));
    if (answer->status / 100 != 2) {
        throw std::runtime_error("answered " + std::to_string(answer->status));
    }
    return json::parse(answer->body);
}

}  // namespace dealer
