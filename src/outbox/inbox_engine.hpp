/// @file
/// The threads of an inbox: one that takes events up and keeps their leases, those in which
/// handlers run, and for a while after the start one that reads Twilio's list.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <twiliowa/types/cancel.hpp>

#include "outbox/inbox_core.hpp"

namespace twiliowa::detail {

class InboxEngine {
public:
    explicit InboxEngine(std::shared_ptr<InboxCore> core) : core_(std::move(core)) {}
    InboxEngine(const InboxEngine&) = delete;
    InboxEngine& operator=(const InboxEngine&) = delete;
    ~InboxEngine() { stop(); }

    Result<void> attach(InboxHandler& handler);
    void detach(InboxHandler& handler) noexcept;
    bool is_running() const noexcept { return running_; }
    /// Errors: nobody is attached.
    Result<void> start();
    bool drain(std::chrono::milliseconds at_most);
    void stop();
    /// Something may have become due.
    void wake();

    /// Calls `work` with the handler, which does not go meanwhile. Errors: nobody is attached.
    template <class Work>
    auto with_handler(Work work) -> decltype(work(std::declval<InboxHandler&>())) {
        InboxHandler* handler = nullptr;
        {
            const std::lock_guard lock(mutex_);
            handler = handler_;
            if (handler != nullptr) ++calls_;
        }
        if (handler == nullptr) return no_handler();
        const Leave leave{*this};
        return work(*handler);
    }

private:
    /// An event that this process has claimed.
    struct Held {
        StoredEvent event = {};
        CancelSource lost = {};
    };
    struct Leave {
        explicit Leave(InboxEngine& of) noexcept : engine(of) {}
        Leave(const Leave&) = delete;
        Leave& operator=(const Leave&) = delete;
        ~Leave();
        InboxEngine& engine;
    };

    static Error no_handler();
    void run_keeper();
    void run_worker();
    void run_catcher(TimePoint since, const CancelSource& end);
    /// Whether it took something up.
    bool claim_some();
    void renew_due();
    void maintain_due();
    void handle(const std::shared_ptr<Held>& held);
    /// Writes it down, however long the storage is away, unless it ends.
    void settle(const InboxTry& tried);
    void forget(const Held& held);
    /// What is in hand, of each account.
    InboxHeldByAccount held_by_account() const;
    InboxRoom room() const;
    bool is_own_thread() const;

    const std::shared_ptr<InboxCore> core_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    InboxHandler* handler_ = nullptr;
    int calls_ = 0;  ///< Of the handler, under way.
    std::uint64_t wakes_ = 0;
    bool stopping_ = false;
    bool draining_ = false;
    std::atomic<bool> running_{false};
    std::deque<std::shared_ptr<Held>> queue_;
    std::map<std::int64_t, std::shared_ptr<Held>> held_;
    std::vector<std::thread::id> own_threads_;

    // The keeper's alone.
    MonotonicTime next_renewal_ = {};
    MonotonicTime next_maintenance_ = {};
    std::optional<MonotonicTime> next_due_ = {};

    std::mutex lifecycle_;  ///< Held by who starts or stops; taken before `mutex_`.
    std::thread keeper_;
    std::thread catcher_;
    CancelSource ended_;  ///< Of what the catcher asks.
    std::vector<std::thread> workers_;
};

}  // namespace twiliowa::detail
