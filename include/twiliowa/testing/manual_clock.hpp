/// @file
/// Clocks that can be moved.
#pragma once

#include <chrono>
#include <mutex>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa::testing {

/// A clock that can be moved forward: what FakeTwilio moves to the time of each thing that happens.
class TWILIOWA_EXPORT MovableClock : public Clock {
public:
    /// Moves both times forward. Negative durations are ignored. Thread-safe.
    virtual void advance(std::chrono::nanoseconds by) = 0;
};

/// Stands still until told otherwise. `sleep_until` moves it there at once, so that nothing that
/// waits on it takes time. Thread-safe.
class TWILIOWA_EXPORT ManualClock final : public MovableClock {
public:
    /// Starts at 2026-01-01T00:00:00Z.
    ManualClock();
    explicit ManualClock(TimePoint start);

    TimePoint now() const override;
    MonotonicTime monotonic_now() const override;
    void sleep_until(MonotonicTime until, const CancelToken& cancel) override;

    void advance(std::chrono::nanoseconds by) override;

private:
    mutable std::mutex mutex_;
    TimePoint start_;
    std::chrono::nanoseconds elapsed_{0};
};

}  // namespace twiliowa::testing
