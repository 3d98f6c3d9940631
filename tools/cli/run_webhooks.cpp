#include "run_webhooks.hpp"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <utility>

#include <twiliowa/types/error.hpp>

namespace cli {

namespace {

/// As WebhookOptions::max_body_bytes has it; what is larger was not sent by Twilio.
constexpr std::size_t max_body = std::size_t{256} * 1024;

twiliowa::WebhookRequest request_of(const httplib::Request& from, std::string body) {
    twiliowa::WebhookRequest request;
    request.method = from.method;
    request.target = from.target;
    request.headers.assign(from.headers.begin(), from.headers.end());
    request.body = std::move(body);
    request.peer = from.remote_addr;
    return request;
}

void answer_with(const twiliowa::WebhookResponse& answer, httplib::Response& response) {
    response.status = answer.status;
    for (const auto& [name, value] : answer.headers) response.set_header(name, value);
    response.body = answer.body;
}

}  // namespace

struct WebhookServer::State {
    explicit State(twiliowa::WebhookHandler with) : handler(std::move(with)) {}

    twiliowa::WebhookHandler handler;
    httplib::Server server = {};
    int port = 0;
    std::atomic<bool> ended{false};
    std::thread thread = {};
};

WebhookServer::WebhookServer(const std::string& address, int port, twiliowa::WebhookHandler handler)
    : state_(std::make_unique<State>(std::move(handler))) {
    auto& server = state_->server;
    // A connection that is kept keeps one of its few threads, until it times out: others would
    // wait.
    server.set_keep_alive_max_count(1);
    // Not httplib's own options: with SO_REUSEPORT two programs would share a port unnoticed.
    server.set_socket_options([](socket_t socket) {
        const int yes = 1;
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    // The body as it came: httplib would take a form apart.
    server.Post(
        ".*", [&state = *state_](const httplib::Request& request, httplib::Response& response,
                                 const httplib::ContentReader& read) {
            std::string body;
            read([&body](const char* data, std::size_t size) {
                body.append(data, size);
                return body.size() <= max_body;
            });
            answer_with(state.handler.handle(request_of(request, std::move(body))), response);
        });
    state_->port = port == 0 ? server.bind_to_any_port(address)
                             : (server.bind_to_port(address, port) ? port : -1);
    if (state_->port < 0) {
        twiliowa::Error::invalid_request("--webhook-port", "is taken, or not for this program",
                                         "choose another port")
            .raise();
    }
    state_->thread = std::thread([&state = *state_] {
        state.server.listen_after_bind();
        state.ended = true;
    });
}

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
