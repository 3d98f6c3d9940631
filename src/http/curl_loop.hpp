/// @file
/// The asynchronous side of CurlTransport: one thread, one libcurl multi handle.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/curl_exchange.hpp"
#include "http/curl_sockets.hpp"
#include "http/fair_queue.hpp"

namespace twiliowa::detail {

/// Runs exchanges and timers on a thread of its own. The thread holds a reference to this, so that
/// it may outlive the transport when that is destroyed from inside a completion.
class CurlLoop : public std::enable_shared_from_this<CurlLoop> {
public:
    using Completion = AsyncHttpTransport::Completion;

    explicit CurlLoop(std::shared_ptr<const CurlSettings> settings);

    void start();
    /// Completes what is pending, and waits for the thread, unless this is the thread.
    void stop();
    void submit(HttpRequest request, CallContext context, Completion done);
    void call_at(MonotonicTime when, std::function<void()> task);

private:
    struct Host;
    struct Job {
        std::uint64_t id = 0;  ///< Rises: the order of arrival.
        HttpRequest request = {};
        CallContext context = {};
        Completion done = {};
        Host* host = nullptr;
        std::unique_ptr<CurlExchange> exchange = {};  ///< None while it waits.
        CancelRegistration registration = {};
    };
    /// What is asked of one host. libcurl is given no more than can be under way: each of its
    /// handles weighs kilobytes, and the end of one makes it look through all that wait.
    struct Host {
        std::string origin = {};
        std::size_t running = 0;
        std::size_t most = 0;  ///< That run at once, and
        std::size_t most_once_answered = 0;
        FairQueue<std::unique_ptr<Job>> waiting = {};
    };
    struct Timer {
        MonotonicTime when = {};
        std::uint64_t order = 0;
        std::function<void()> task = {};
    };
    struct Later {
        bool operator()(const Timer& a, const Timer& b) const noexcept {
            return a.when != b.when ? a.when > b.when : a.order > b.order;
        }
    };
    /// What other threads ask of the loop.
    struct Inbox {
        std::vector<std::unique_ptr<Job>> jobs;
        std::vector<Timer> timers;
        std::vector<std::uint64_t> cancelled;
        bool stop = false;
        bool empty() const noexcept {
            return jobs.empty() && timers.empty() && cancelled.empty() && !stop;
        }
    };

    /// Runs `change` on the inbox, and wakes the loop if it sleeps.
    template <class Change>
    void post(Change change);
    void run() noexcept;
    void take_inbox();
    void accept(std::unique_ptr<Job> job);
    void begin(std::unique_ptr<Job> job);
    void prepare(Job& job);
    void cancel(std::uint64_t id);
    Host& host_of(const HttpRequest& request);
    bool may_share_connection(const HttpRequest& request) const;
    void reap();
    void run_timers();
    /// Ends those whose deadline came while they waited.
    void run_deadlines();
    /// When to wake up if nobody posts. From here on `post` wakes the loop.
    MonotonicTime next_wake_up();
    void finish_everything();
    void complete(Job& job, Result<HttpResponse> result) noexcept;
    /// Takes one out: of libcurl, and in comes the next; or from those that wait.
    std::unique_ptr<Job> detach(Job& job);
    /// For one that is taken from those that wait, and ends.
    void end_waiting(Job& job);
    void leave(Host& host);

    std::shared_ptr<const CurlSettings> settings_;
    CurlSockets sockets_;
    std::thread thread_;

    std::mutex mutex_;
    Inbox inbox_;          ///< Guarded by mutex_.
    bool asleep_ = false;  ///< Guarded by mutex_.
    std::atomic<std::uint64_t> next_id_ = 1;

    // The loop's own.
    bool stopping_ = false;
    std::unordered_map<std::string, Host> hosts_;  ///< By origin; those with something to do.
    std::unordered_map<CURL*, std::unique_ptr<Job>> running_;
    std::unordered_map<std::uint64_t, Job*> cancellable_;
    std::set<std::pair<MonotonicTime, Job*>> deadlines_;  ///< Of those that wait.
    std::vector<std::unique_ptr<CurlExchange>> spare_;
    std::vector<Timer> timers_;  ///< A heap.
};

}  // namespace twiliowa::detail
