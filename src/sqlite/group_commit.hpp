/// @file
/// Many threads' works, one commit: who comes first leads. No thread of its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
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

    // ---- The queue's own.
    std::condition_variable turn = {};
    bool done = false;
    bool leads = false;
};

class GroupCommit {
public:
    /// @param run  runs works at one moment, commits them, and sets what became of each. One batch
    /// is run at a time.
    GroupCommit(std::function<void(std::span<QueuedWork* const>)> run, std::size_t most)
        : run_(std::move(run)), most_(most) {
        batch_.reserve(most);
    }

    /// Returns what became of `work`, in a batch that this thread or another ran.
    Result<void> commit(const OutboxStorage::Work& work);
    /// Works that wait for the batch that is run.
    std::size_t waiting() const;

private:
    void take_batch() noexcept;
    void lead(std::unique_lock<std::mutex>& lock) noexcept;

    const std::function<void(std::span<QueuedWork* const>)> run_;
    const std::size_t most_;
    mutable std::mutex mutex_;
    std::deque<QueuedWork*> queue_ = {};
    /// What is run now. It has its room from the beginning: whoever leads must not fail.
    std::vector<QueuedWork*> batch_ = {};
    bool running_ = false;
    std::thread::id leader_ = {};
};

}  // namespace twiliowa::detail
