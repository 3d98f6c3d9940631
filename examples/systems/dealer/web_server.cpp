#include "web_server.hpp"

#include <httplib.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <utility>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/metrics_observer.hpp>

namespace dealer {

namespace wa = twiliowa;

namespace {

constexpr int threads = 32;

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
    wa::serve_webhooks(server, twilio_path, handler);
    server.Post("/webhooks/helpdesk",
                [&agent, token = options.desk_token](const httplib::Request& request,
                                                     httplib::Response& response) {
                    response.status = token.matches(request.get_param_value("token"))
                                          ? status_of(agent.on_desk_event(request.body))
                                          : 403;
                });
    server.Get("/metrics",
               [metrics = options.metrics](const httplib::Request&, httplib::Response& response) {
                   response.set_content(metrics(), wa::MetricsObserver::content_type);
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
