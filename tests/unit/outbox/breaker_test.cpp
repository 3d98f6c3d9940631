#include "outbox/breaker.hpp"

#include <doctest/doctest.h>

namespace breaker_test {

using namespace std::chrono_literals;
using twiliowa::MonotonicTime;
using twiliowa::detail::SendBreaker;

TEST_CASE(
    "three failures in a row let one through at a time, after growing pauses, until one is "
    "answered") {
    SendBreaker breaker;
    MonotonicTime now{100s};
    breaker.failed(now);
    breaker.failed(now);
    CHECK(breaker.allowed(now) > 1'000);
    breaker.failed(now);
    CHECK(breaker.allowed(now) == 0);
    CHECK(breaker.next_probe() == now + 15s);
    auto pause = 15s;
    for (int i = 0; i < 6; ++i) {
        CHECK(breaker.allowed(now + pause - 1ms) == 0);
        now += pause;
        CHECK(breaker.allowed(now) == 1);
        breaker.went();
        CHECK(breaker.allowed(now) == 0);
        breaker.failed(now);
        pause = std::min(pause * 2, std::chrono::seconds{120s});
    }
    CHECK(breaker.next_probe() == now + 2min);
    breaker.answered();
    CHECK(breaker.allowed(now) > 1'000);
    CHECK_FALSE(breaker.is_open());
}

TEST_CASE("an answer between failures begins the count anew") {
    SendBreaker breaker;
    const MonotonicTime now{};
    breaker.failed(now);
    breaker.failed(now);
    breaker.answered();
    breaker.failed(now);
    breaker.failed(now);
    CHECK_FALSE(breaker.is_open());
}

}  // namespace breaker_test
