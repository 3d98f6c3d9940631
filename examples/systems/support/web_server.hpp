// A web server on this machine. A proxy in front of it ends TLS.
#pragma once

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace support {

/// cpp-httplib's server, with 32 threads of which each answers what it has accepted: nothing is
/// handed from one to another. A connection is for one request of at most 64 MiB, which has a
/// time to come, and its answer one to be taken. Each has an id, which the log has in its lines and
/// the answer in `X-Request-Id`. What a route throws is 503.
class WebServer final : public httplib::Server {
public:
    /// @param patience  how long a request may take to come, and its answer to be taken
    explicit WebServer(std::chrono::milliseconds patience = std::chrono::seconds{10});
    /// As `end`.
    ~WebServer() override;

    /// Listens on the loopback interface. Throws std::runtime_error if the port is taken. Once.
    void start(int port);
    /// No more connections are accepted, and answers under way are given.
    void end();

private:
    void accept_and_serve(int waiting);
    template <class Self>
    static void serve(Self& self, httplib::Stream& stream);

    const std::chrono::milliseconds patience_;
    int socket_ = -1;
    int port_ = 0;
    std::vector<int> epolls_ = {};  ///< One for each thread.
    std::atomic<bool> ends_{false};
    std::vector<std::jthread> threads_ = {};
};

/// GET /metrics.
/// @param text  of Prometheus, such as MetricsObserver::text
void add_metrics(httplib::Server& server, std::function<std::string()> text);

}  // namespace support
