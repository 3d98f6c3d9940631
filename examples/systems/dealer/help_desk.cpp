#include "help_desk.hpp"

#include <httplib.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

namespace dealer {

using nlohmann::json;

namespace {

/// An entry is another process's again after that; a request ends before.
constexpr std::chrono::seconds lease{30};
constexpr int request_seconds = 5;

std::string id_of(const json& object) {
    return object.at("id").dump();
}

}  // namespace

HelpDesk::HelpDesk(HelpDeskOptions options, Conversations& conversations, Telemetry& telemetry)
    : options_(std::move(options)),
      conversations_(conversations),
      telemetry_(telemetry),
      thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
              bool worked = false;
              try {
                  worked = post_next();
              } catch (const std::exception& error) {
                  telemetry_.line("help desk failed", {{"problem", error.what()}});
              }
              if (!worked) std::this_thread::sleep_for(std::chrono::milliseconds{100});
          }
      }) {}

bool HelpDesk::post_next() {
    auto posting = conversations_.next_posting(lease);
    if (!posting) return false;
    const auto id = posting->entry.id;
    const auto tries = posting->tries;
    try {
        post(*std::move(posting));
        telemetry_.count_post(true);
    } catch (const std::exception& error) {
        telemetry_.count_post(false);
        telemetry_.line("not posted", {{"entry", id}, {"problem", error.what()}});
        conversations_.post_later(id, std::chrono::seconds{std::min(1 << std::min(tries, 6), 60)});
    }
    return true;
}

void HelpDesk::post(Posting posting) {
    const auto& entry = posting.entry;
    auto& conversation = posting.conversation;
    const auto base = "/api/v1/accounts/" + options_.account + "/conversations";
    if (conversation.desk_id.empty()) {
        // Pending: a bot answers. Chatwoot shows it to agents when they look for such.
        const json made = {
            {"source_id", conversation.id},
            {"inbox_id", options_.inbox},
            {"status", "pending"},
            {"custom_attributes",
             {{"source", conversation.source}, {"customer", conversation.customer}}}};
        conversation.desk_id = id_of(json::parse(ask("POST", base, made.dump())));
        conversations_.opened_at_desk(conversation.id, conversation.desk_id);
    }
    auto desk_id = posting.tries > 1 ? find(posting) : std::string{};
    if (desk_id.empty()) {
        const json message = {{"content", entry.text},
                              {"message_type", entry.kind == "incoming" ? "incoming" : "outgoing"},
                              {"private", entry.kind == "note"},
                              {"content_type", "text"},
                              {"source_id", entry.id}};
        const auto answer =
            ask("POST", base + '/' + conversation.desk_id + "/messages", message.dump());
        desk_id = id_of(json::parse(answer));
    }
    conversations_.posted(entry.id, desk_id);
}

std::string HelpDesk::find(const Posting& posting) {
    const auto answer = ask("GET",
                            "/api/v1/accounts/" + options_.account + "/conversations/" +
                                posting.conversation.desk_id + "/messages",
                            {});
    const auto found = json::parse(answer);
    for (const auto& message : found.at("payload")) {
        if (message.value("source_id", "") == posting.entry.id) return id_of(message);
    }
    return {};
}

std::string HelpDesk::ask(const std::string& method, const std::string& path,
                          const std::string& body) {
    httplib::Client client{options_.url};
    client.set_connection_timeout(request_seconds);
    client.set_read_timeout(request_seconds);
    const httplib::Headers headers{
        {"api_access_token", std::string{options_.access_token.reveal()}}};
    const auto answer = method == "GET" ? client.Get(path, headers)
                                        : client.Post(path, headers, body, "application/json");
    if (!answer) throw std::runtime_error("no answer: " + httplib::to_string(answer.error()));
    if (answer->status / 100 != 2) {
        throw std::runtime_error("answered " + std::to_string(answer->status));
    }
    return answer->body;
}

}  // namespace dealer
