#include "sqlite/group_commit.hpp"

#include <algorithm>
#include <utility>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

Result<void> GroupCommit::commit(const OutboxStorage::Work& work) {
    QueuedWork mine{work};
    std::unique_lock lock(mutex_);
    // It would wait for itself.
    if (running_ && leader_ == std::this_thread::get_id()) {
        return Error::invalid_request("transact", "is called within a work",
                                      "do it with the transaction that the work was given");
    }
    queue_.push_back(&mine);
    if (running_) {
        mine.turn.wait(lock, [&] { return mine.done || mine.leads; });
    }
    if (!mine.done) lead(lock);
    lock.unlock();
    if (mine.thrown) std::rethrow_exception(mine.thrown);
    return std::move(mine.result);
}

std::size_t GroupCommit::waiting() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
}

void GroupCommit::take_batch() noexcept {
    const auto count = std::min(queue_.size(), most_);
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
    batch_.assign(queue_.begin(), end);
    queue_.erase(queue_.begin(), end);
}

void GroupCommit::lead(std::unique_lock<std::mutex>& lock) noexcept {
    running_ = true;
    leader_ = std::this_thread::get_id();
    // This thread's own is the first of it.
    take_batch();
    lock.unlock();
    run_(batch_);
    lock.lock();
    for (auto* const each : batch_) {
        each->done = true;
        // Under the lock: once it sees that it is done, it is gone.
        each->turn.notify_one();
    }
    running_ = !queue_.empty();
    leader_ = {};
    if (!running_) return;
    // Who has waited longest goes on, so that nobody works for others for ever.
    queue_.front()->leads = true;
    queue_.front()->turn.notify_one();
}

}  // namespace twiliowa::detail
