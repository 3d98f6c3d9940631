#include <twiliowa/testing/manual_clock.hpp>

#include <algorithm>

namespace twiliowa::testing {

namespace {

// 2026-01-01T00:00:00Z.
constexpr std::chrono::seconds manual_clock_default_start{1'767'225'600};

// Not zero: code that subtracts from "now" must not fall off the beginning.
constexpr MonotonicTime manual_clock_monotonic_start{std::chrono::hours{24}};

/// `by`, within what neither clock's type overflows at.
std::chrono::nanoseconds manual_clock_step(TimePoint start, std::chrono::nanoseconds elapsed,
                                           std::chrono::nanoseconds by) {
    const std::chrono::nanoseconds limit =
        std::min<std::chrono::nanoseconds>(MonotonicTime::max() - manual_clock_monotonic_start,
                                           TimePoint::max() - std::max(start, TimePoint{}));
    const std::chrono::nanoseconds nothing{0};
    return std::clamp(by, nothing, std::max(limit - elapsed, nothing));
}

}  // namespace

ManualClock::ManualClock() : ManualClock(TimePoint{manual_clock_default_start}) {}

ManualClock::ManualClock(TimePoint start) : start_(start) {}

TimePoint ManualClock::now() const {
    const std::lock_guard lock{mutex_};
    return start_ + std::chrono::duration_cast<TimePoint::duration>(elapsed_);
}

MonotonicTime ManualClock::monotonic_now() const {
    const std::lock_guard lock{mutex_};
    return manual_clock_monotonic_start + elapsed_;
}

void ManualClock::sleep_until(MonotonicTime until, const CancelToken& cancel) {
    if (cancel.is_cancelled()) return;
    const std::lock_guard lock{mutex_};
    const MonotonicTime now = manual_clock_monotonic_start + elapsed_;
    if (until > now) elapsed_ += manual_clock_step(start_, elapsed_, until - now);
}

void ManualClock::advance(std::chrono::nanoseconds by) {
    const std::lock_guard lock{mutex_};
    elapsed_ += manual_clock_step(start_, elapsed_, by);
}

}  // namespace twiliowa::testing
