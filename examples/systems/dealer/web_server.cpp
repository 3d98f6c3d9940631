#include "web_server.hpp"

#include <httplib.h>
#include <openssl/crypto.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <utility>

#include <twiliowa/adapters/httplib.hpp>

namespace dealer {

namespace wa = twiliowa;

namespace {

constexpr const char* proxy = "127.0.0.1";
constexpr int threads = 32;

bool is_same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

int status_of(DeskAnswer answer) {
    switch (answer) {
        case DeskAnswer::done:
            return 200;
        case DeskAnswer::not_known:
            return 404;
        case DeskAnswer::unreadable:
            break;
    }
    return 400;
}

}  // namespace

struct WebServer::State {
    httplib::Server server = {};
    std::atomic<bool> ended{false};
    std::thread thread = {};
};

WebServer::WebServer(const wa::WebhookHandler& handler, Agent& agent, WebServerOptions options)
    : state_(std::make_unique<State>()) {
    auto& server = state_->server;
    server.new_task_queue = [] { return new httplib::ThreadPool(threads); };
    server.set_keep_alive_max_count(1);
    // A port is one process's: httplib would share it, and requests would go to either.
    server.set_socket_options([](socket_t socket) {
        const int yes = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    // The library's handler counts by address who fails the signature; behind a proxy that is whom
    // the proxy names.
    wa::serve_webhooks(
        server, twilio_path,
        [&handler](const wa::WebhookRequest& request, const httplib::Request& from) {
            if (request.peer != proxy || !from.has_header("X-Real-IP")) {
                return handler.handle(request);
            }
            auto passed_on = request;
            passed_on.peer = from.get_header_value("X-Real-IP");
            return handler.handle(passed_on);
        },
        handler.max_body_bytes());
    server.Post("/webhooks/helpdesk",
                [&agent, token = options.desk_token](const httplib::Request& request,
                                                     httplib::Response& response) {
                    response.status = is_same(request.get_param_value("token"), token.reveal())
                                          ? status_of(agent.on_desk_event(request.body))
                                          : 403;
                });
    server.Get("/metrics",
               [metrics = options.metrics](const httplib::Request&, httplib::Response& response) {
                   response.set_content(metrics(), "text/plain; version=0.0.4");
               });
    server.set_exception_handler([](const httplib::Request&, httplib::Response& response,
                                    std::exception_ptr) { response.status = 503; });
    if (!server.bind_to_port("127.0.0.1", options.port)) {
        throw std::runtime_error("port " + std::to_string(options.port) + " is taken");
    }
    state_->thread = std::thread([&state = *state_] {
        state.server.listen_after_bind();
        state.ended = true;
    });
}

WebServer::~WebServer() {
    // One that does not listen yet would not hear it.
    while (!state_->server.is_running() && !state_->ended) std::this_thread::yield();
    state_->server.stop();
    state_->thread.join();
}

}  // namespace dealer
