// A web server on this machine. A proxy in front of it ends TLS.
#pragma once

#include <httplib.h>

#include <atomic>
#include <string>
#include <thread>

namespace support {

/// Lets a server, which has its routes, listen in threads of its own. Each request has an id, which
/// the log has in its lines and the answer in `X-Request-Id`. What a route throws is 503.
class WebServer {
public:
    /// @param server  lives as long as this. Throws std::runtime_error if the port is taken.
    WebServer(httplib::Server& server, int port);
    /// Ends it; answers under way are given.
    ~WebServer();
    WebServer(const WebServer&) = delete;
    WebServer& operator=(const WebServer&) = delete;

private:
    httplib::Server& server_;
    std::atomic<bool> ended_{false};
    std::thread thread_ = {};
};

/// GET /metrics.
/// @param text  of Prometheus, such as MetricsObserver::text
void add_metrics(httplib::Server& server, std::function<std::string()> text);

}  // namespace support
