/// @file
/// Spreading sends over time, per sender.
#pragma once

#include <memory>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa {

/// What RateLimiter::try_acquire answers: true if there was a slot.
struct RateDecision {
    bool acquired = false;  ///< Whether there was a slot, which counts as used.
    /// When one will be free, as far as is known; now, if it was acquired.
    MonotonicTime free_at = {};

    /// As `acquired`.
    explicit operator bool() const noexcept { return acquired; }
};

/// Gives out slots. Never sleeps: the call waits until the slot, or fails if it lies so late that
/// RetryPolicy::min_attempt_time would not be left. Thread-safe. Off by default, since Twilio
/// queues the excess itself. For one process: `token_bucket`; for several: RedisLimiter,
/// PostgresLimiter.
class TWILIOWA_EXPORT RateLimiter {
public:
    virtual ~RateLimiter() = default;
    /// The time at which the next message of `sender` (From, else the messaging service) may leave.
    /// The slot counts as used.
    virtual MonotonicTime reserve(std::string_view sender, MonotonicTime now) = 0;
    /// Takes a slot if one is free now, and otherwise takes nothing: for who answers 429 rather
    /// than wait. By default `reserve`, and `release` where the slot lies ahead.
    virtual RateDecision try_acquire(std::string_view sender, MonotonicTime now);
    /// Gives an unused slot back (the call was refused or cancelled while waiting).
    virtual void release(std::string_view sender) noexcept { static_cast<void>(sender); }
};

/// Options of `token_bucket`.
struct TokenBucketOptions {
    double per_second = 80.0;  ///< 1e-6 to 1e9. WhatsApp's default per sender (facts 4.2).
    double burst = 1.0;        ///< How many may leave at once after a pause, 1 to 1e6.
};

/// A token bucket per sender. Memory grows with the number of senders only. A slot that would lie
/// more than a hundred years ahead is given as MonotonicTime::max(): never.
/// @throws InvalidRequestError if a number is out of its bounds, or the burst takes longer than a
/// hundred years to come back.
TWILIOWA_EXPORT std::shared_ptr<RateLimiter> token_bucket(TokenBucketOptions options);

}  // namespace twiliowa
