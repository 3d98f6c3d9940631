/// @file
/// Many threads' works, one commit: who comes first leads. No thread of its own.
#pragma once

#include <algorithm>
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

#include <twiliowa/types/error.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// One caller's work, and what became of it.
template <class Work>
struct QueuedWork {
    explicit QueuedWork(const Work& its_work) : work(its_work) {}

    bool succeeded() const noexcept { return !thrown && result.has_value(); }

    const Work& work;
    Result<void> result = {};
    std::exception_ptr thrown = {};
};

/// Of works of one kind, which only `Run` knows how to do.
template <class Work>
class GroupCommit {
public:
    using Duration = std::chrono::steady_clock::duration;
    using Queued = QueuedWork<Work>;
    /// Runs works at one moment, commits them, and sets what became of each. Returns how long the
    /// disk took for the commit. One batch is run at a time.
    using Run = std::function<Duration(std::span<Queued* const>)>;

    GroupCommit(Run run, std::size_t most) : run_(std::move(run)), most_(most) {}

    /// Returns what became of `work`, in a batch that this thread or another ran.
    Result<void> commit(const Work& work) {
        Queued mine{work};
        std::unique_lock lock(mutex_);
        // It would wait for itself.
        if (running_ && leader_ == std::this_thread::get_id()) {
            return Error::invalid_request("transact", "is called within a work",
                                          "do it with the transaction that the work was given");
        }
        const auto [batch, leads] = join(mine);
        const bool at_once = leads && !std::exchange(running_, true);
        lock.unlock();
        if (leads) {
            if (!at_once) batch->may_run.await();
            lead(*batch);
        } else {
            batch->ended.await();
        }
        if (mine.thrown) std::rethrow_exception(mine.thrown);
        return std::move(mine.result);
    }

    /// Works that wait for the batch that is run.
    std::size_t waiting() const {
        const std::lock_guard lock(mutex_);
        std::size_t works = 0;
        for (const auto& batch : queue_) works += batch->works.size();
        return works;
    }

private:
    /// Wakes once, all that sleep: without the queue's lock, that all of them would want.
    class Signal {
    public:
        void await() {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return is_set_; });
        }
        void set() {
            {
                const std::lock_guard lock(mutex_);
                is_set_ = true;
            }
            changed_.notify_all();
        }

    private:
        std::mutex mutex_ = {};
        std::condition_variable changed_ = {};
        bool is_set_ = false;
    };

    /// Works of one commit. Who began it runs it; the others sleep until it has ended. It is theirs
    /// together: who wakes them may be the last that knows of it.
    struct Batch {
        std::vector<Queued*> works = {};
        Signal may_run = {};
        Signal ended = {};
    };

    /// Where a work of now belongs; whether it is the first there.
    std::pair<std::shared_ptr<Batch>, bool> join(Queued& work) {
        if (!queue_.empty() && queue_.back()->works.size() < most_) {
            const auto& batch = queue_.back();
            batch->works.push_back(&work);
            if (batch->works.size() == expected_) gathered_.notify_one();
            return {batch, false};
        }
        auto batch = std::make_shared<Batch>();
        batch->works.push_back(&work);
        queue_.push_back(batch);
        return {std::move(batch), true};
    }

    /// Gives whom the last commit has released the time to come with their next work. Threads that
    /// hand over one after the other would otherwise make two groups, of which one always waits for
    /// the other's commit: half of them in each commit, and half the speed.
    void gather(std::unique_lock<std::mutex>& lock, const Batch& batch) {
        constexpr int longest_share = 2;  // Of what the disk took for the last commit.
        constexpr int patience = 16;      // The same, while nobody comes.
        while (batch.works.size() < expected_ &&
               std::chrono::steady_clock::now() < last_end_ + disk_took_ / longest_share) {
            const auto before = batch.works.size();
            gathered_.wait_for(lock, disk_took_ / patience,
                               [&] { return batch.works.size() >= expected_; });
            if (batch.works.size() == before) return;
        }
    }

    void lead(Batch& batch) noexcept {
        std::unique_lock lock(mutex_);
        gather(lock, batch);
        leader_ = std::this_thread::get_id();
        // From now on others begin the next one.
        queue_.pop_front();
        lock.unlock();
        const auto disk_took = run_(batch.works);
        lock.lock();
        leader_ = {};
        running_ = !queue_.empty();
        const auto next = running_ ? queue_.front() : nullptr;
        last_end_ = std::chrono::steady_clock::now();
        disk_took_ = disk_took;
        expected_ = std::min(most_, batch.works.size() + (next ? next->works.size() : 0));
        lock.unlock();
        // First who makes the disk work again.
        if (next) next->may_run.set();
        batch.ended.set();
    }

    const Run run_;
    const std::size_t most_;
    mutable std::mutex mutex_ = {};
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
