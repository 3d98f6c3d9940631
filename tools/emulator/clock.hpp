/// @file
/// The emulator's time: real, faster, or moved by hand.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>

#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/types/clock.hpp>

namespace emulator {

/// Goes `speed` times as fast as the machine's clock, and forward by hand. Thread-safe.
class ScaledClock final : public twiliowa::testing::MovableClock {
public:
    /// 2200-01-01T00:00:00Z, where it stops, well before its types overflow.
    static constexpr twiliowa::TimePoint end{std::chrono::seconds{7'258'118'400}};

    /// Begins at `start`, which is before `end`.
    ScaledClock(double speed, twiliowa::TimePoint start) : speed_(speed), start_(start) {}

    twiliowa::TimePoint now() const override {
        return start_ + std::chrono::duration_cast<twiliowa::TimePoint::duration>(elapsed());
    }
    twiliowa::MonotonicTime monotonic_now() const override { return monotonic_start_ + elapsed(); }
    void sleep_until(twiliowa::MonotonicTime, const twiliowa::CancelToken&) override {}

    void advance(std::chrono::nanoseconds by) override {
        const std::lock_guard lock(mutex_);
        moved_ += std::clamp(by, std::chrono::nanoseconds{0}, longest() - moved_);
    }
    /// How long the machine takes to get there; nothing if it is past, an hour if by hand only.
    std::chrono::nanoseconds real_time_until(twiliowa::MonotonicTime when) const {
        const auto left = when - monotonic_now();
        if (left.count() <= 0) return std::chrono::nanoseconds{0};
        constexpr std::chrono::nanoseconds longest_wait = std::chrono::hours{1};
        if (speed_ == 0.0) return longest_wait;
        const auto real = static_cast<double>(left.count()) / speed_;
        return real > static_cast<double>(longest_wait.count())
                   ? longest_wait
                   : std::chrono::nanoseconds{static_cast<std::int64_t>(real)};
    }

private:
    std::chrono::nanoseconds longest() const { return end - start_; }
    std::chrono::nanoseconds elapsed() const {
        const std::chrono::nanoseconds real = std::chrono::steady_clock::now() - monotonic_start_;
        const auto scaled = static_cast<double>(real.count()) * speed_;
        const std::lock_guard lock(mutex_);
        const auto left = longest() - moved_;
        return scaled < static_cast<double>(left.count())
                   ? moved_ + std::chrono::nanoseconds{static_cast<std::int64_t>(scaled)}
                   : longest();
    }

    double speed_;
    twiliowa::TimePoint start_;
    twiliowa::MonotonicTime monotonic_start_ = std::chrono::steady_clock::now();
    mutable std::mutex mutex_;
    std::chrono::nanoseconds moved_{0};
};

}  // namespace emulator
