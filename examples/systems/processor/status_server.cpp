#include "status_server.hpp"

#include <httplib.h>

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/webhook_handler.hpp>

namespace processor {

namespace wa = twiliowa;

struct StatusServer::State {
    State(wa::PublicUrl url, Companies& known, wa::Outbox& jobs, ConversationRecord& conversation,
          std::shared_ptr<wa::Observer> told)
        : public_url(std::move(url)),
          companies(known),
          outbox(jobs),
          record(conversation),
          observer(std::move(told)) {}

    /// The handler of a company: its token, and no other, signs for its account.
    wa::WebhookHandler& handler_of(const std::string& id);

    wa::PublicUrl public_url;
    Companies& companies;
    wa::Outbox& outbox;
    ConversationRecord& record;
    std::shared_ptr<wa::Observer> observer;
    std::mutex mutex = {};
    std::map<std::string, wa::WebhookHandler> handlers = {};
    httplib::Server server = {};
    std::atomic<bool> ended{false};
    std::thread thread = {};
};

wa::WebhookHandler& StatusServer::State::handler_of(const std::string& id) {
    const std::lock_guard lock{mutex};
    if (const auto found = handlers.find(id); found != handlers.end()) return found->second;
    wa::WebhookHandler handler{wa::RequestValidator{[this, id](const wa::KeyQuery& query) {
                                   return companies.signing_keys(id, query.account_sid);
                               }},
                               {.public_url = public_url, .observer = observer}};
    handler.on_status([this, id](const wa::StatusCallback& callback) {
        outbox.learn(callback);
        record.report(id, callback.sid, callback.status, callback.error_code);
    });
    return handlers.emplace(id, std::move(handler)).first->second;
}

StatusServer::StatusServer(int port, wa::PublicUrl public_url, Companies& companies,
                           wa::Outbox& outbox, ConversationRecord& record,
                           std::shared_ptr<wa::Observer> observer)
    : state_(std::make_unique<State>(std::move(public_url), companies, outbox, record,
                                     std::move(observer))) {
    auto& server = state_->server;
    server.set_keep_alive_timeout(1);
    wa::serve_webhooks(server, "/status/([A-Za-z0-9_-]{1,100})",
                       [&state = *state_](const wa::WebhookRequest& request,
                                          const httplib::Request& from) -> wa::WebhookResponse {
                           const std::string id = from.matches[1];
                           // A secret that is not in order at present says nothing of what was sent
                           // before.
                           const auto company = state.companies.get(id);
                           if (!company && company.error().kind() == wa::ErrorKind::not_found) {
                               return {.status = 404, .headers = {}, .body = {}};
                           }
                           return state.handler_of(id).handle(request);
                       });
    if (!server.bind_to_port("127.0.0.1", port)) {
        throw std::runtime_error("port " + std::to_string(port) + " is taken");
    }
    state_->thread = std::thread([&state = *state_] {
        state.server.listen_after_bind();
        state.ended = true;
    });
}

StatusServer::~StatusServer() {
    // One that does not listen yet would not hear it.
    while (!state_->server.is_running() && !state_->ended) std::this_thread::yield();
    state_->server.stop();
    state_->thread.join();
}

}  // namespace processor
