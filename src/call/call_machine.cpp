#include "call/call_machine.hpp"

#include <algorithm>
#include <utility>

#include "types/unsent_error.hpp"

namespace twiliowa::detail {

namespace {

constexpr int too_many_requests = 429;
constexpr int code_too_many_requests = 20429;
constexpr int code_daily_limit = 63038;

CallStep wait_step(MonotonicTime until) noexcept {
    return {CallStep::Action::wait, until};
}

}  // namespace

void RetryBudget::earn() noexcept {
    const std::lock_guard lock(mutex_);
    tokens_ = std::min(capacity_, tokens_ + refill_);
}

bool RetryBudget::spend() noexcept {
    const std::lock_guard lock(mutex_);
    if (tokens_ < 1.0) return false;
    tokens_ -= 1.0;
    return true;
}

CallStep CallMachine::start(MonotonicTime now) {
    budget_->earn();
    return begin_attempt(now);
}

CallStep CallMachine::begin_attempt(MonotonicTime now) {
    if (now >= plan_.deadline) {
        return fail(
            unsent_error(ErrorKind::timeout, "the call's time was over before it was sent"));
    }
    if (plan_.rate_limiter != nullptr) {
        const auto slot = plan_.rate_limiter->reserve(plan_.rate_key, now);
        if (slot >= plan_.deadline || slot > plan_.latest_attempt) {
            plan_.rate_limiter->release(plan_.rate_key);
            return fail(unsent_error(
                ErrorKind::timeout,
                "the sender's rate limit has no slot that leaves time enough to send"));
        }
        slot_wait_ = std::max(slot - now, MonotonicTime::duration{0});
        if (slot > now) {
            waiting_for_slot_ = true;
            return wait_step(slot);
        }
    }
    ++attempts_;
    return {CallStep::Action::send, {}};
}

CallStep CallMachine::resume(MonotonicTime now) {
    if (!std::exchange(waiting_for_slot_, false)) return begin_attempt(now);
    ++attempts_;
    return {CallStep::Action::send, {}};
}

CallStep CallMachine::cancel_wait() {
    if (std::exchange(waiting_for_slot_, false)) plan_.rate_limiter->release(plan_.rate_key);
    return fail(unsent_error(ErrorKind::cancelled, "cancelled while waiting"));
}

CallStep CallMachine::on_success() noexcept {
    return {CallStep::Action::succeed, {}};
}

CallStep CallMachine::on_failure(const Error& error, MonotonicTime now, double random,
                                 const std::optional<RepeatVerdict>& verdict) {
    // What an earlier attempt of the same DELETE removed is gone, as asked.
    if (plan_.is_delete && doubt_ && error.http_status() == 404) return on_success();

    const bool retry = verdict ? verdict->repeat : may_retry(error);
    const bool own_delay = verdict && verdict->delay && !error.retry_after();
    const auto delay = own_delay ? verdict->delay : retry_delay(error, random);
    if (error.effect() == Effect::unknown) doubt_ = error;
    failure_ = error;
    if (!retry || !delay || attempts_ >= plan_.policy.max_attempts ||
        *delay >= plan_.deadline - now || *delay > plan_.latest_attempt - now ||
        !budget_->spend()) {
        return fail(error);
    }
    return wait_step(now + *delay);
}

bool CallMachine::may_retry(const Error& error) const noexcept {
    if (error.kind() == ErrorKind::cancelled || error.kind() == ErrorKind::invalid_request) {
        return false;
    }
    if (error.http_status() == too_many_requests) {
        if (error.code() == code_too_many_requests) return true;
        return plan_.repeat != Repeat::duplicates && error.code() != code_daily_limit;
    }
    if (error.http_status() >= 400 && error.http_status() < 500) return false;
    if (error.effect() == Effect::none && error.http_status() == 0) return true;
    return plan_.repeat != Repeat::duplicates || plan_.policy.retry_may_duplicate;
}

std::optional<std::chrono::milliseconds> CallMachine::retry_delay(const Error& error,
                                                                  double random) const noexcept {
    if (error.retry_after()) {
        if (*error.retry_after() > plan_.policy.retry_after_cap) return std::nullopt;
        return *error.retry_after();
    }
    auto ceiling = plan_.policy.backoff_base;
    for (int i = 1; i < attempts_ && ceiling < plan_.policy.backoff_cap; ++i) ceiling *= 2;
    ceiling = std::min(ceiling, plan_.policy.backoff_cap);
    const auto jittered = static_cast<double>(ceiling.count()) * std::clamp(random, 0.0, 1.0);
    return std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(jittered)};
}

CallStep CallMachine::fail(const Error& error) {
    error_ = error.with([this](ErrorData& data) {
        data.attempts = attempts_;
        if (plan_.repeat == Repeat::harmless) {
            data.effect = Effect::none;
        } else if (doubt_) {
            data.effect = Effect::unknown;
        }
        if (plan_.repeat == Repeat::duplicates && doubt_) {
            data.cause = std::make_shared<const Error>(*doubt_);
            data.kind = ErrorKind::outcome_unknown;
            data.hint = "it may have been carried out: look (reconcile) before you send it again";
        }
    });
    return {CallStep::Action::fail, {}};
}

}  // namespace twiliowa::detail
