// What the programs of systems begin and end with.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/outbox/outbox.hpp>

#include "log.hpp"
#include "stop_signals.hpp"
#include "web_server.hpp"

namespace support {

/// One thing that a program can do.
struct Command {
    std::string words;  ///< `record`, `add ID`: what is in capitals is its argument. May be none.
    std::function<int(const std::string& argument)> run;
};

/// Runs the command that the words of `main` are. Answers what it does, 2 if there is no such one,
/// and 1 if it throws: why is told on standard error.
int run_command(const std::string& program, int count, char** words,
                const std::vector<Command>& commands);

/// Threads that work, each as long as there is something to do, and then look again.
class Workers {
public:
    /// @param work  false: there is nothing to do. What it throws is logged as `failed`.
    Workers(int threads, const Log& log, std::string failed, std::chrono::milliseconds look_again,
            std::function<bool()> work);
    /// What is under way is ended.
    void end();

private:
    std::vector<std::jthread> threads_ = {};
};

/// GET /metrics: what `metrics` has counted, and how outbox and inbox stand, as long as what is
/// returned lives; they outlive it. Ask for it before there is a route that takes every path.
[[nodiscard]] twiliowa::MetricSource serve_metrics(
    httplib::Server& server, const std::shared_ptr<twiliowa::MetricsObserver>& metrics,
    twiliowa::Outbox& outbox, twiliowa::DurableInbox* inbox = nullptr);

/// Sends, handles and serves until SIGTERM or Ctrl-C. Then what is under way is ended, and what
/// waits is another process's, or the next one's.
struct Service {
    const Log& log;
    const StopSignals& stop;
    WebServer& server;
    int port = 0;
    twiliowa::Outbox* outbox = nullptr;
    twiliowa::DurableInbox* inbox = nullptr;
    Workers* workers = nullptr;  ///< What fills the outbox.

    void run() const;
};

}  // namespace support
