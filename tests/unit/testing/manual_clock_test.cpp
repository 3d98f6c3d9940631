#include <twiliowa/testing/manual_clock.hpp>

#include <doctest/doctest.h>

namespace manual_clock_test {

using namespace std::chrono_literals;
using twiliowa::testing::ManualClock;

TEST_CASE("ManualClock stands still at 2026-01-01 until it is moved") {
    const ManualClock clock;
    CHECK(clock.now() == twiliowa::TimePoint{std::chrono::seconds{1'767'225'600}});
    CHECK(clock.now() == clock.now());
    CHECK(clock.monotonic_now() == clock.monotonic_now());
}

TEST_CASE("ManualClock::advance moves both times by the same amount") {
    ManualClock clock;
    const auto calendar = clock.now();
    const auto monotonic = clock.monotonic_now();
    clock.advance(90s);
    CHECK(clock.now() - calendar == 90s);
    CHECK(clock.monotonic_now() - monotonic == 90s);
}

TEST_CASE("ManualClock::advance ignores a negative duration") {
    ManualClock clock;
    const auto before = clock.now();
    clock.advance(-1s);
    CHECK(clock.now() == before);
}

TEST_CASE("ManualClock::sleep_until moves the clock there at once") {
    ManualClock clock;
    const auto until = clock.monotonic_now() + 24h;
    clock.sleep_until(until, {});
    CHECK(clock.monotonic_now() == until);
}

TEST_CASE("ManualClock::sleep_until does not move the clock back") {
    ManualClock clock;
    const auto before = clock.monotonic_now();
    clock.sleep_until(before - 1s, {});
    clock.sleep_until(twiliowa::MonotonicTime::min(), {});
    CHECK(clock.monotonic_now() == before);
}

TEST_CASE("ManualClock::sleep_until returns at once when cancelled") {
    ManualClock clock;
    twiliowa::CancelSource source;
    source.cancel();
    const auto before = clock.monotonic_now();
    clock.sleep_until(before + 1h, source.token());
    CHECK(clock.monotonic_now() == before);
}

TEST_CASE("ManualClock moved to the end of time stays there without overflow") {
    ManualClock clock;
    clock.sleep_until(twiliowa::MonotonicTime::max(), {});
    const auto end = clock.now();
    CHECK(end > twiliowa::TimePoint{});
    clock.advance(std::chrono::nanoseconds::max());
    CHECK(clock.now() == end);
}

}  // namespace manual_clock_test
