#include "webhook_server.hpp"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>
#include <utility>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/types/error.hpp>

namespace cli {

struct WebhookServer::State {
    httplib::Server server = {};
    int port = 0;
    std::atomic<bool> ended{false};
    std::thread thread = {};
};

WebhookServer::WebhookServer(const std::string& address, int port, Answer answer,
                             const std::string& option)
    : state_(std::make_unique<State>()) {
    auto& server = state_->server;
    // A connection that is kept keeps one of its few threads, until it times out: others would
    // wait.
    server.set_keep_alive_max_count(1);
    // Not httplib's own options: with SO_REUSEPORT two programs would share a port unnoticed.
    server.set_socket_options([](socket_t socket) {
        const int yes = 1;
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    twiliowa::serve_webhooks(
        server, ".*",
        [answer = std::move(answer)](const twiliowa::WebhookRequest& request,
                                     const httplib::Request&) { return answer(request); });
    state_->port = port == 0 ? server.bind_to_any_port(address)
                             : (server.bind_to_port(address, port) ? port : -1);
    if (state_->port < 0) {
        twiliowa::Error::invalid_request(option, "is taken, or not for this program",
                                         "choose another port")
            .raise();
    }
    state_->thread = std::thread([&state = *state_] {
        state.server.listen_after_bind();
        state.ended = true;
    });
}

WebhookServer::WebhookServer(const std::string& address, int port, twiliowa::WebhookHandler handler)
    : WebhookServer(
          address, port,
          [handler = std::make_shared<const twiliowa::WebhookHandler>(std::move(handler))](
              const twiliowa::WebhookRequest& request) { return handler->handle(request); }) {}

WebhookServer::~WebhookServer() {
    // One that does not listen yet would not hear it.
    while (!state_->server.is_running() && !state_->ended) std::this_thread::yield();
    state_->server.stop();
    state_->thread.join();
}

int WebhookServer::port() const noexcept {
    return state_->port;
}

}  // namespace cli
