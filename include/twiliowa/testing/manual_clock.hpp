/// @file
/// A clock that a test moves.
#pragma once

#include <chrono>
#include <mutex>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa::testing {

/// Stands still until told otherwise. `sleep_until` moves it there at once, so that nothing that
/// waits on it takes time. Thread-safe.
class TWILIOWA_EXPORT ManualClock final : public Clock {
public:
    /// Starts at 2026-01-01T00:00:00Z.
    ManualClock();
    explicit ManualClock(TimePoint start);

    TimePoint now() const override;
    MonotonicTime monotonic_now() const override;
    void sleep_until(MonotonicTime until, const CancelToken& cancel) override;

    /// Moves both clocks forward. Negative durations are ignored.
    void advance(std::chrono::nanoseconds by);

private:
    mutable std::mutex mutex_;
    TimePoint start_;
    std::chrono::nanoseconds elapsed_{0};
};

}  // namespace twiliowa::testing
