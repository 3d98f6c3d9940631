// What an outbox in a file adds before the POST, how long what is urgent waits among much that is
// not, and how soon it sends after a restart with many jobs there.
//
// Usage: outbox_start <directory>
//        outbox_start <directory> restarted   (what the first runs in a process of its own)
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include "measure.hpp"
#include "outbox_sample.hpp"

extern char** environ;

namespace {

using namespace twiliowa;
using benchmark_support::answer_to;
using benchmark_support::fill_jobs;
using benchmark_support::make_client;
using benchmark_support::median;
using benchmark_support::message_of;
using benchmark_support::need;
using benchmark_support::wall_seconds;

/// Answers at once, in a thread of its own; notes when requests come.
class PromptTransport final : public AsyncHttpTransport {
public:
    /// @param noted  only requests with these words are
    explicit PromptTransport(std::string noted = {})
        : noted_(std::move(noted)), thread_([this] { run(); }) {}
    ~PromptTransport() override {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
    PromptTransport(const PromptTransport&) = delete;
    PromptTransport& operator=(const PromptTransport&) = delete;

    Result<HttpResponse> send(const HttpRequest& request, const CallContext&) override {
        return answer_to(request);
    }
    void async_send(HttpRequest request, CallContext, Completion done) override {
        const auto at = wall_seconds();
        {
            const std::lock_guard lock(mutex_);
            if (request.method == HttpMethod::post &&
                request.body.find(noted_) != std::string::npos) {
                posted_.push_back(at);
            }
            tasks_.emplace_back([request = std::move(request), done = std::move(done)] {
                done(answer_to(request));
            });
        }
        changed_.notify_all();
    }
    void call_at(MonotonicTime, std::function<void()> task) override {
        {
            const std::lock_guard lock(mutex_);
            tasks_.push_back(std::move(task));
        }
        changed_.notify_all();
    }
    /// When the n-th POST came, counted from 0; waits for it.
    double posted(std::size_t n) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return posted_.size() > n; });
        return posted_[n];
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
            if (tasks_.empty()) return;
            const auto task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
            lock.lock();
        }
    }

    const std::string noted_;
    std::mutex mutex_ = {};
    std::condition_variable changed_ = {};
    std::deque<std::function<void()>> tasks_ = {};
    std::vector<double> posted_ = {};
    bool stopping_ = false;
    std::thread thread_;
};

double quantile(std::vector<double> values, double share) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

/// From the return of an enqueue to its POST, in commits of the same file, measured in turns.
void measure_delay(const std::string& path) {
    constexpr std::size_t jobs = 500;
    const auto storage = std::make_shared<SqliteOutbox>(path);
    const auto transport = std::make_shared<PromptTransport>();
    const auto client = make_client(transport);
    Outbox outbox{storage, {.client = [&](std::string_view) { return client; }}};
    outbox.start();
    std::vector<double> delays;
    std::vector<double> commits;
    for (std::size_t n = 0; n < jobs; ++n) {
        outbox.enqueue(message_of(static_cast<int>(n)));
        const auto enqueued = wall_seconds();
        delays.push_back(std::max(0.0, transport->posted(n) - enqueued));
        need(outbox.drain(std::chrono::seconds{10}), "drain");
        outbox.stop();
        const auto begun = wall_seconds();
        const auto done = storage->transact([&](OutboxTransaction& transaction) {
            return transaction.set_fact("measured", std::to_string(n));
        });
        need(done.has_value(), "commit");
        commits.push_back(wall_seconds() - begun);
        outbox.start();
    }
    outbox.stop();
    const auto commit = median(commits);
    std::printf(
        "from enqueued to its POST: p50 %.2f commits (target 1.5), p99 %.2f (target 3); a commit "
        "%.2f ms, p99 %.2f\n",
        quantile(delays, 0.5) / commit, quantile(delays, 0.99) / commit, commit * 1e3,
        quantile(commits, 0.99) * 1e3);
}

/// A code to log in with, while all slots of a second are wanted by what waits.
void measure_urgent(const std::string& path) {
    constexpr std::size_t codes = 300;
    constexpr double per_second = 80;
    { const SqliteOutbox made{path}; }
    fill_jobs(path, JobState::ready, 100'000);
    const auto transport = std::make_shared<PromptTransport>("Code");
    const auto client = make_client(transport, token_bucket({.per_second = per_second}));
    Outbox outbox{std::make_shared<SqliteOutbox>(path),
                  {.client = [&](std::string_view) { return client; }}};
    outbox.start();
    std::vector<double> delays;
    for (std::size_t n = 0; n < codes; ++n) {
        const auto begun = wall_seconds();
        outbox.enqueue(OutboundText{.to = "+447700900123", .body = "Code " + std::to_string(n)},
                       {.lane = Lane::urgent});
        delays.push_back(transport->posted(n) - begun);
    }
    outbox.stop();
    std::printf(
        "urgent among 100,000 that wait, %.0f a second: enqueued and posted within p50 %.1f ms, "
        "p99 %.1f (target: 100 and a slot of %.1f)\n",
        per_second, quantile(delays, 0.5) * 1e3, quantile(delays, 0.99) * 1e3, 1e3 / per_second);
}

/// The most memory that this process had, in MB.
double peak_memory() {
    std::ifstream status{"/proc/self/status"};
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmHWM:", 0) == 0) return std::atof(line.c_str() + 6) / 1024;
    }
    return 0;
}

/// Ends the process once it has sent a good part of what waits.
class LastingTransport final : public HttpTransport {
public:
    explicit LastingTransport(double started) : started_(started) {}

    Result<HttpResponse> send(const HttpRequest& request, const CallContext&) override {
        if (request.method == HttpMethod::post && ++sent_ == 1) first_ = wall_seconds() - started_;
        if (sent_ == 20'000) {
            std::printf(
                "restarted with 100,000 waiting and 10,000 sending: first send after %.2f s "
                "(target 2); %.0f MB after 20,000 (target 50)\n",
                first_, peak_memory());
            std::fflush(stdout);
            ::_exit(0);
        }
        return answer_to(request);
    }

private:
    const double started_;
    double first_ = 0;
    int sent_ = 0;
};

int run_restarted(const std::string& path) {
    const auto client = make_client(std::make_shared<LastingTransport>(wall_seconds()));
    Outbox outbox{std::make_shared<SqliteOutbox>(path),
                  {.client = [&](std::string_view) { return client; }}};
    outbox.run_until_idle();
    return 1;
}

void measure_restart(const char* program, const char* folder, const std::string& path) {
    {
        // Whose identity it is, so that nothing is suspect.
        const Outbox outbox{std::make_shared<SqliteOutbox>(path), {}};
    }
    fill_jobs(path, JobState::ready, 100'000);
    fill_jobs(path, JobState::sending, 10'000);
    std::fflush(stdout);
    std::string name{program};
    std::string directory{folder};
    std::string mode{"restarted"};
    char* arguments[] = {name.data(), directory.data(), mode.data(), nullptr};
    pid_t child = 0;
    need(::posix_spawn(&child, program, nullptr, nullptr, arguments, environ) == 0, "spawn");
    int status = 0;
    ::waitpid(child, &status, 0);
    need(status == 0, "the restarted process");
}

}  // namespace

int main(int count, char** arguments) try {
    if (count < 2) {
        std::fprintf(stderr, "usage: outbox_start <directory>\n");
        return 2;
    }
    const auto folder = std::filesystem::path{arguments[1]};
    const auto waiting = (folder / "waiting.db").string();
    if (count > 2) return run_restarted(waiting);
    measure_delay((folder / "delay.db").string());
    measure_urgent((folder / "urgent.db").string());
    measure_restart("/proc/self/exe", arguments[1], waiting);
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
