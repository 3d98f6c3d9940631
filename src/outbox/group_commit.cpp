#include "outbox/group_commit.hpp"

#include <algorithm>
#include <utility>

namespace twiliowa::detail {

Result<void> GroupCommit::commit(const OutboxStorage::Work& work) {
    QueuedWork mine{work};
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

std::size_t GroupCommit::waiting() const {
    const std::lock_guard lock(mutex_);
    std::size_t works = 0;
    for (const auto& batch : queue_) works += batch->works.size();
    return works;
}

void GroupCommit::Signal::await() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return is_set_; });
}

void GroupCommit::Signal::set() {
    {
        const std::lock_guard lock(mutex_);
        is_set_ = true;
    }
    changed_.notify_all();
}

std::pair<std::shared_ptr<GroupCommit::Batch>, bool> GroupCommit::join(QueuedWork& work) {
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

// Threads that hand over one job after the other would otherwise make two groups, of which one
// always waits for the other's commit: half of them in each commit, and half the speed.
void GroupCommit::gather(std::unique_lock<std::mutex>& lock, const Batch& batch) {
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

void GroupCommit::lead(Batch& batch) noexcept {
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

}  // namespace twiliowa::detail
