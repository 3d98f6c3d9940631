/// @file
/// The asynchronous side of CurlTransport: one thread, one libcurl multi handle.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>
#include <unordered_map>
#include <vector>

#include "http/curl_exchange.hpp"

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
    struct Job {
        std::uint64_t id = 0;
        HttpRequest request = {};
        CallContext context = {};
        Completion done = {};
        std::unique_ptr<CurlExchange> exchange = {};
        CancelRegistration registration = {};
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

    /// Runs `change` on the inbox, and wakes the loop if it was empty.
    template <class Change>
    void post(Change change);
    void run() noexcept;
    void take_inbox();
    void begin(std::unique_ptr<Job> job);
    void cancel(std::uint64_t id);
    void reap();
    void run_timers(MonotonicTime now);
    int poll_timeout() const;
    void finish_everything();
    void complete(Job& job, Result<HttpResponse> result) noexcept;
    std::unique_ptr<Job> detach(Job& job);

    std::shared_ptr<const CurlSettings> settings_;
    CurlMulti multi_;
    std::thread thread_;

    std::mutex mutex_;
    Inbox inbox_;                ///< Guarded by mutex_.
    std::uint64_t next_id_ = 1;  ///< Guarded by mutex_.

    // The loop's own.
    bool stopping_ = false;
    std::unordered_map<CURL*, std::unique_ptr<Job>> running_;
    std::unordered_map<std::uint64_t, CURL*> cancellable_;
    std::vector<std::unique_ptr<CurlExchange>> spare_;
    std::vector<Timer> timers_;  ///< A heap.
};

}  // namespace twiliowa::detail
