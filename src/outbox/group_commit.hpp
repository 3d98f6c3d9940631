/// @file
/// Many threads' works, one commit: who comes first leads. No thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// One caller's work, and what became of it.
struct QueuedWork {
    explicit QueuedWork(const OutboxStorage::Work& its_work) : work(its_work) {}

    bool succeeded() const noexcept { return !thrown && result.has_value(); }

    const OutboxStorage::Work& work;
    Result<void> result = {};
    std::exception_ptr thrown = {};
};

class GroupCommit {
public:
    using Duration = std::chrono::steady_clock::duration;
    /// Runs works at one moment, commits them, and sets what became of each. Returns how long the
    /// disk took for the commit. One batch is run at a time.
    using Run = std::function<Duration(std::span<QueuedWork* const>)>;

    GroupCommit(Run run, std::size_t most) : run_(std::move(run)), most_(most) {}

    /// Returns what became of `work`, in a batch that this thread or another ran.
    Result<void> commit(const OutboxStorage::Work& work);
    /// Works that wait for the batch that is run.
    std::size_t waiting() const;

private:
    /// Wakes once, all that sleep: without the queue's lock, that all of them would want.
    class Signal {
    public:
        void await();
        void set();

    private:
        std::mutex mutex_ = {};
        std::condition_variable changed_ = {};
        bool is_set_ = false;
    };

    /// Works of one commit. Who began it runs it; the others sleep until it has ended. It is theirs
    /// together: who wakes them may be the last that knows of it.
    struct Batch {
        std::vector<QueuedWork*> works = {};
        Signal may_run = {};
        Signal ended = {};
    };

    /// Where a work of now belongs; whether it is the first there.
    std::pair<std::shared_ptr<Batch>, bool> join(QueuedWork& work);
    /// Gives whom the last commit has released the time to come with their next work.
    void gather(std::unique_lock<std::mutex>& lock, const Batch& batch);
    void lead(Batch& batch) noexcept;

    const Run run_;
    const std::size_t most_;
    mutable std::mutex mutex_;
    /// Batches that wait, each with a leader that sleeps until its turn, but for the first while
    /// none is run.
    std::deque<std::shared_ptr<Batch>> queue_ = {};
    bool running_ = false;
    std::thread::id leader_ = {};

    // ---- What a leader waits for, and how long.
    std::condition_variable gathered_ = {};
    std::size_t expected_ = 0;
    std::chrono::steady_clock::time_point last_end_ = {};
    Duration disk_took_ = {};
};

}  // namespace twiliowa::detail
