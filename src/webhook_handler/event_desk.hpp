/// @file
/// Who handles an event: a claim, and waiting for one.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include <twiliowa/state/dedup_store.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// One handler's turn at an event. Lets go of it when destroyed, unless it was finished.
class EventTurn {
public:
    EventTurn(const DedupStore& dedup, Claim claim) : dedup_(&dedup), claim_(std::move(claim)) {}
    EventTurn(const EventTurn&) = delete;
    EventTurn& operator=(const EventTurn&) = delete;
    ~EventTurn();

    const CancelToken& lost() const noexcept { return claim_.lost; }
    /// The event has been handled. False if another has taken it; nothing is written then.
    Result<bool> finish();

private:
    const DedupStore* dedup_;
    Claim claim_;
    bool finished_ = false;
};

/// Claims events for the requests of one handler. Thread-safe.
class EventDesk {
public:
    EventDesk(std::shared_ptr<DedupStore> dedup, std::shared_ptr<Clock> clock,
              std::chrono::milliseconds wait)
        : dedup_(std::move(dedup)), clock_(std::move(clock)), wait_(wait) {}

    /// Claims an event. One that is being handled is waited for, in this thread and as long as
    /// there is no other who waits: until it is done or free, or the time is over.
    Result<Claim> claim(const EventKey& event);
    const DedupStore& dedup() const noexcept { return *dedup_; }

private:
    /// The one place of those who wait for an event; free again when this goes.
    struct Seat {
        Seat(EventDesk& at, std::string of);
        Seat(const Seat&) = delete;
        Seat& operator=(const Seat&) = delete;
        ~Seat();
        EventDesk& desk;
        std::string key;
        bool is_taken = false;
    };
    Result<Claim> wait_for(const EventKey& event, Claim claim);

    std::shared_ptr<DedupStore> dedup_;
    std::shared_ptr<Clock> clock_;
    std::chrono::milliseconds wait_;
    std::mutex mutex_;
    std::unordered_set<std::string> awaited_;  ///< The claims' keys.
};

}  // namespace twiliowa::detail
