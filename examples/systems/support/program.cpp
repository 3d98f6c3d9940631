#include "program.hpp"

#include <exception>
#include <iostream>
#include <stop_token>
#include <utility>

namespace support {

using namespace std::chrono_literals;

int run_command(const std::string& program, int count, char** words,
                const std::vector<Command>& commands) try {
    std::string known;
    for (const auto& command : commands) {
        const auto blank = command.words.find(' ');
        const bool has_argument = blank != std::string::npos;
        const int expected = command.words.empty() ? 1 : has_argument ? 3 : 2;
        if (count == expected && (count == 1 || command.words.substr(0, blank) == words[1])) {
            return command.run(has_argument ? words[2] : "");
        }
        known += (known.empty() || command.words.empty() ? "" : ", ") + command.words;
    }
    std::cerr << program << ": knows " << known << '\n';
    return 2;
} catch (const std::exception& error) {
    std::cerr << program << ": " << error.what() << '\n';
    return 1;
}

twiliowa::MetricSource serve_metrics(httplib::Server& server,
                                     const std::shared_ptr<twiliowa::MetricsObserver>& metrics,
                                     twiliowa::Outbox& outbox, twiliowa::DurableInbox* inbox) {
    add_metrics(server, [metrics] { return metrics->text(); });
    return metrics->add_source([&outbox, inbox](twiliowa::MetricSamples& samples) {
        add_samples(samples, outbox);
        if (inbox != nullptr) add_samples(samples, *inbox);
    });
}

void Service::run() const {
    if (outbox != nullptr) outbox->start();
    if (inbox != nullptr) inbox->start();
    server.start(port);
    log.info("works");
    stop.wait();
    server.end();
    if (workers != nullptr) workers->end();
    if (inbox != nullptr) {
        inbox->drain(10s);
        inbox->stop();
    }
    if (outbox != nullptr) {
        outbox->drain(15s);
        outbox->stop();
    }
    log.info("ended");
}

Workers::Workers(int threads, const Log& log, std::string failed,
                 std::chrono::milliseconds look_again, std::function<bool()> work) {
    const auto loop = [&log, failed = std::move(failed), look_again,
                       work = std::move(work)](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            bool worked = false;
            try {
                worked = work();
            } catch (const std::exception& error) {
                log.warning(failed, {{"problem", error.what()}});
            }
            if (!worked) std::this_thread::sleep_for(look_again);
        }
    };
    for (int i = 0; i < threads; ++i) threads_.emplace_back(loop);
}

void Workers::end() {
    for (auto& thread : threads_) thread.request_stop();
    threads_.clear();
}

}  // namespace support
