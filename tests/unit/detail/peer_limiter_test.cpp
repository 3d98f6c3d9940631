#include "detail/peer_limiter.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace std::chrono_literals;
using twiliowa::MonotonicTime;
using twiliowa::detail::PeerLimiter;

TEST_CASE("a peer may make so many requests at once, and as many again over the period") {
    PeerLimiter limiter{3, 60s};
    MonotonicTime now{1h};
    for (int i = 0; i < 3; ++i) CHECK(limiter.wait_for("1.2.3.4", now) == 0ns);
    CHECK(limiter.wait_for("1.2.3.4", now) == 20s);
    CHECK(limiter.wait_for("1.2.3.4", now + 5s) == 15s);
    CHECK(limiter.wait_for("1.2.3.5", now) == 0ns);
    CHECK(limiter.wait_for("1.2.3.4", now + 20s) == 0ns);
    CHECK(limiter.wait_for("1.2.3.4", now + 20s) > 0ns);
    for (int i = 0; i < 3; ++i) CHECK(limiter.wait_for("1.2.3.4", now + 10min) == 0ns);
    CHECK(limiter.wait_for("1.2.3.4", now + 10min) > 0ns);
}

TEST_CASE("a flood of peers does not grow the memory, nor shut out who was there") {
    PeerLimiter limiter{1, 60s};
    MonotonicTime now{1h};
    for (std::size_t i = 0; i < PeerLimiter::max_peers; ++i) {
        REQUIRE(limiter.wait_for("peer" + std::to_string(i), now) == 0ns);
    }
    CHECK(limiter.wait_for("one more", now) == 0ns);
    CHECK(limiter.wait_for("and another", now) > 0ns);
    CHECK(limiter.wait_for("peer0", now) == 60s);
    CHECK(limiter.wait_for("and another", now + 61s) == 0ns);
    CHECK(limiter.wait_for("yet another", now + 61s) == 0ns);
}
