#include "web_server.hpp"

#include <exception>
#include <stdexcept>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <twiliowa/metrics_observer.hpp>

#include "log.hpp"

namespace support {

WebServer::WebServer(httplib::Server& server, int port) : server_(server) {
    server.new_task_queue = [] { return new httplib::ThreadPool(32); };
    server.set_keep_alive_max_count(1);
    server.set_socket_options([](socket_t socket) {
        const int yes = 1;
        // A port is one process's: httplib would share it, and requests would go to either.
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        // A connection is accepted when its request is there. What httplib writes as head and body
        // leaves as one, with the connection's end; who wants `100 Continue` waits 200 ms for it.
        ::setsockopt(socket, IPPROTO_TCP, TCP_DEFER_ACCEPT, &yes, sizeof yes);
        ::setsockopt(socket, IPPROTO_TCP, TCP_CORK, &yes, sizeof yes);
    });
    server.set_pre_routing_handler([](const httplib::Request&, httplib::Response& response) {
        response.set_header("X-Request-Id", begin_request());
        return httplib::Server::HandlerResponse::Unhandled;
    });
    server.set_exception_handler([](const httplib::Request&, httplib::Response& response,
                                    std::exception_ptr) { response.status = 503; });
    if (!server.bind_to_port("127.0.0.1", port)) {
        throw std::runtime_error("port " + std::to_string(port) + " is taken");
    }
    thread_ = std::thread([this] {
        server_.listen_after_bind();
        ended_ = true;
    });
}

WebServer::~WebServer() {
    // One that does not listen yet would not hear it.
    while (!server_.is_running() && !ended_) std::this_thread::yield();
    server_.stop();
    thread_.join();
}

void add_metrics(httplib::Server& server, std::function<std::string()> text) {
    server.Get("/metrics",
               [text = std::move(text)](const httplib::Request&, httplib::Response& response) {
                   response.set_content(text(), twiliowa::MetricsObserver::content_type);
               });
}

}  // namespace support
