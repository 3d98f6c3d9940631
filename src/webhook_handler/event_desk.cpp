#include "webhook_handler/event_desk.hpp"

#include <algorithm>
#include <utility>

namespace twiliowa::detail {

namespace {

/// How often one who waits looks.
constexpr std::chrono::milliseconds look_again{200};

}  // namespace

EventTurn::~EventTurn() {
    // Where this fails the lease ends by itself.
    if (!finished_) static_cast<void>(dedup_->release(claim_));
}

Result<bool> EventTurn::finish() {
    finished_ = true;
    return dedup_->finish(claim_);
}

Result<Claim> EventDesk::claim(const EventKey& event) {
    auto claim = dedup_->claim(event);
    if (!claim || claim->outcome != ClaimOutcome::running || wait_.count() <= 0) return claim;
    const Seat seat{*this, claim->key};
    return seat.is_taken ? wait_for(event, std::move(*claim)) : claim;
}

EventDesk::Seat::Seat(EventDesk& at, std::string of) : desk(at), key(std::move(of)) {
    const std::lock_guard lock(desk.mutex_);
    is_taken = desk.awaited_.insert(key).second;
}

EventDesk::Seat::~Seat() {
    if (!is_taken) return;
    const std::lock_guard lock(desk.mutex_);
    desk.awaited_.erase(key);
}

Result<Claim> EventDesk::wait_for(const EventKey& event, Claim claim) {
    auto bound = event;  // already
    bound.signature.clear();
    const auto until = clock_->monotonic_now() + wait_;
    while (claim.outcome == ClaimOutcome::running) {
        const auto now = clock_->monotonic_now();
        if (now >= until) break;
        clock_->sleep_until(std::min<MonotonicTime>(until, now + look_again), {});
        auto next = dedup_->claim(bound);
        if (!next) return next;
        claim = std::move(*next);
    }
    return claim;
}

}  // namespace twiliowa::detail
