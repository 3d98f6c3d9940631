#include <twiliowa/http/rate_limiter.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include <twiliowa/types/error.hpp>

#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// The generic cell rate algorithm: one time per sender says when its bucket would be full again.
class TokenBucketLimiter final : public RateLimiter {
public:
    explicit TokenBucketLimiter(TokenBucketOptions options)
        : interval_(std::chrono::duration_cast<Duration>(
              std::chrono::duration<double>(1.0 / options.per_second))),
          tolerance_(std::chrono::duration_cast<Duration>(
              std::chrono::duration<double>((options.burst - 1.0) / options.per_second))) {}

    MonotonicTime reserve(std::string_view sender, MonotonicTime now) override {
        const std::lock_guard lock(mutex_);
        auto slot = slots_.find(sender);
        if (slot == slots_.end()) slot = slots_.emplace(sender, now).first;
        const auto full_at = std::max(slot->second, now);
        slot->second = full_at + std::min<Duration>(interval_, MonotonicTime::max() - full_at);
        if (full_at - now > longest_duration) return MonotonicTime::max();
        return std::max(now, full_at - tolerance_);
    }

    RateDecision try_acquire(std::string_view sender, MonotonicTime now) override {
        const std::lock_guard lock(mutex_);
        const auto slot = slots_.find(sender);
        const auto full_at = slot == slots_.end() ? now : std::max(slot->second, now);
        if (full_at - now > tolerance_) return {false, full_at - tolerance_};
        const auto next_full_at = full_at + interval_;
        if (slot == slots_.end()) {
            slots_.emplace(sender, next_full_at);
        } else {
            slot->second = next_full_at;
        }
        return {true, now};
    }

    void release(std::string_view sender) noexcept override {
        const std::lock_guard lock(mutex_);
        const auto slot = slots_.find(sender);
        if (slot != slots_.end()) slot->second -= interval_;
    }

private:
    using Duration = MonotonicTime::duration;
    const Duration interval_;
    const Duration tolerance_;
    std::mutex mutex_;
    std::map<std::string, MonotonicTime, std::less<>> slots_;
};

}  // namespace
}  // namespace detail

RateDecision RateLimiter::try_acquire(std::string_view sender, MonotonicTime now) {
    const auto slot = reserve(sender, now);
    if (slot <= now) return {true, now};
    release(sender);
    return {false, slot};
}

std::shared_ptr<RateLimiter> token_bucket(TokenBucketOptions options) {
    if (!(options.per_second >= 1e-6 && options.per_second <= 1e9)) {
        Error::invalid_request("per_second", "is not between 0.000001 and 1000000000").raise();
    }
    if (!(options.burst >= 1.0 && options.burst <= 1e6)) {
        Error::invalid_request("burst", "is not between 1 and 1000000").raise();
    }
    const std::chrono::duration<double> fills_in{options.burst / options.per_second};
    if (fills_in > detail::longest_duration) {
        Error::invalid_request("burst", "takes longer than a hundred years at that rate").raise();
    }
    return std::make_shared<detail::TokenBucketLimiter>(options);
}

}  // namespace twiliowa
