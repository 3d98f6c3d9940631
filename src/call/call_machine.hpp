/// @file
/// The retry rules, as a machine without I/O, clock, sleep or randomness of its own. The blocking
/// and the asynchronous driver both obey it.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/http/rate_limiter.hpp>
#include <twiliowa/http/retry_policy.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/error.hpp>

namespace twiliowa::detail {

/// What repeating an operation would do.
enum class Repeat {
    harmless,    ///< It changes nothing (GET).
    idempotent,  ///< It changes something, the same however often (DELETE, cancel, redact).
    duplicates,  ///< Each time is one more (create).
};

/// A client's savings for retries: each call earns a little, each retry costs one. Thread-safe.
class RetryBudget {
public:
    RetryBudget(int capacity, double refill) noexcept
        : capacity_(capacity), refill_(refill), tokens_(capacity) {}
    void earn() noexcept;
    bool spend() noexcept;

private:
    const double capacity_;
    const double refill_;
    std::mutex mutex_;
    double tokens_;
};

/// What a driver does next.
struct CallStep {
    enum class Action { send, wait, succeed, fail };
    Action action = Action::fail;
    MonotonicTime until = {};  ///< For wait: then call `resume`.
};

/// What an operation itself says about trying again after a failure, against the retry table.
struct RepeatVerdict {
    bool repeat = false;
    /// Instead of the back-off; a Retry-After goes first.
    std::optional<std::chrono::milliseconds> delay = {};
};

/// One call, from its first attempt to its end.
class CallMachine {
public:
    struct Plan {
        Repeat repeat = Repeat::harmless;
        bool is_delete = false;
        MonotonicTime deadline = MonotonicTime::max();
        /// An attempt that would begin later is not made: what it did could not be learnt.
        MonotonicTime latest_attempt = MonotonicTime::max();
        RetryPolicy policy = {};
        RateLimiter* rate_limiter = nullptr;  ///< Null: no rate limit.
        std::string rate_key = {};
    };

    CallMachine(Plan plan, RetryBudget& budget) : plan_(std::move(plan)), budget_(&budget) {}

    CallStep start(MonotonicTime now);
    /// The waiting is over.
    CallStep resume(MonotonicTime now);
    /// The call was cancelled while waiting.
    CallStep cancel_wait();
    CallStep on_success() noexcept;
    /// @param random  in [0, 1)
    /// @param verdict  the operation's own, if it has one
    CallStep on_failure(const Error& error, MonotonicTime now, double random,
                        const std::optional<RepeatVerdict>& verdict = std::nullopt);

    int attempts() const noexcept { return attempts_; }
    /// How long the last attempt had to wait for its slot.
    MonotonicTime::duration slot_wait() const noexcept { return slot_wait_; }
    MonotonicTime deadline() const noexcept { return plan_.deadline; }
    /// Set once a step said fail.
    const Error& error() const noexcept { return *error_; }
    /// The failure of the last attempt, for the observer.
    const Error* last_failure() const noexcept { return failure_ ? &*failure_ : nullptr; }

private:
    CallStep begin_attempt(MonotonicTime now);
    CallStep fail(const Error& error);
    bool may_retry(const Error& error) const noexcept;
    std::optional<std::chrono::milliseconds> retry_delay(const Error& error,
                                                         double random) const noexcept;

    Plan plan_;
    RetryBudget* budget_;
    int attempts_ = 0;
    bool waiting_for_slot_ = false;
    MonotonicTime::duration slot_wait_{0};
    std::optional<Error> failure_;
    std::optional<Error> doubt_;  ///< Why some attempt may have been carried out.
    std::optional<Error> error_;
};

}  // namespace twiliowa::detail
