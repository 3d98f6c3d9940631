/// @file
/// The emulator's time: real, faster, or moved by hand.
#pragma once

#include <chrono>
#include <mutex>

#include <twiliowa/types/clock.hpp>

namespace emulator {

/// Goes `speed` times as fast as the machine's clock, and forward by hand. Thread-safe.
class ScaledClock final : public twiliowa::Clock {
public:
    explicit ScaledClock(double speed) : speed_(speed) {}

    twiliowa::TimePoint now() const override {
        return start_ + std::chrono::duration_cast<twiliowa::TimePoint::duration>(elapsed());
    }
    twiliowa::MonotonicTime monotonic_now() const override { return monotonic_start_ + elapsed(); }
    void sleep_until(twiliowa::MonotonicTime, const twiliowa::CancelToken&) override {}

    void advance(std::chrono::nanoseconds by) {
        const std::lock_guard lock(mutex_);
        moved_ += by;
    }
    /// How long the machine takes to get there; nothing if it is past, an hour if by hand only.
    std::chrono::nanoseconds real_time_until(twiliowa::MonotonicTime when) const {
        const auto left = when - monotonic_now();
        if (left.count() <= 0) return std::chrono::nanoseconds{0};
        constexpr std::chrono::nanoseconds longest = std::chrono::hours{1};
        if (speed_ == 0.0) return longest;
        const auto real = static_cast<double>(left.count()) / speed_;
        return real > static_cast<double>(longest.count())
                   ? longest
                   : std::chrono::nanoseconds{static_cast<std::int64_t>(real)};
    }

private:
    std::chrono::nanoseconds elapsed() const {
        const std::chrono::nanoseconds real = std::chrono::steady_clock::now() - monotonic_start_;
        const std::lock_guard lock(mutex_);
        return moved_ + std::chrono::nanoseconds{
                            static_cast<std::int64_t>(static_cast<double>(real.count()) * speed_)};
    }

    double speed_;
    twiliowa::TimePoint start_ = std::chrono::system_clock::now();
    twiliowa::MonotonicTime monotonic_start_ = std::chrono::steady_clock::now();
    mutable std::mutex mutex_;
    std::chrono::nanoseconds moved_{0};
};

}  // namespace emulator
