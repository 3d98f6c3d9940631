#include "webhook_handler/peer_limiter.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace peer_limiter_test {

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

TEST_CASE("a flood of peers does not grow the memory, and shuts out nobody") {
    PeerLimiter limiter{1, 60s};
    const MonotonicTime now{1h};
    REQUIRE(limiter.wait_for("203.0.113.7", now) == 0ns);
    for (std::size_t i = 1; i < PeerLimiter::max_peers / 2; ++i) {
        REQUIRE(limiter.wait_for("peer" + std::to_string(i), now) == 0ns);
    }
    CHECK(limiter.wait_for("203.0.113.7", now) == 60s);
    for (std::size_t i = 0; i < 3 * PeerLimiter::max_peers; ++i) {
        REQUIRE(limiter.wait_for("flood" + std::to_string(i), now) == 0ns);
    }
    CHECK(limiter.wait_for("one more", now) == 0ns);
    CHECK(limiter.wait_for("one more", now) == 60s);
}

TEST_CASE("a peer that used up its requests is not forgotten for others that come") {
    PeerLimiter limiter{2, 60s};
    const MonotonicTime now{1h};
    REQUIRE(limiter.wait_for("203.0.113.7", now) == 0ns);
    REQUIRE(limiter.wait_for("203.0.113.7", now) == 0ns);
    for (std::size_t i = 0; i < 4 * PeerLimiter::max_peers; ++i) {
        REQUIRE(limiter.wait_for("peer" + std::to_string(i), now) == 0ns);
    }
    CHECK(limiter.wait_for("203.0.113.7", now) == 30s);
}

TEST_CASE("a peer of IPv6 is its /64, one of IPv4 is its address") {
    PeerLimiter limiter{1, 60s};
    const MonotonicTime now{1h};
    CHECK(limiter.wait_for("2001:db8:1:2::7", now) == 0ns);
    CHECK(limiter.wait_for("2001:db8:1:2:ffff::8", now) == 60s);
    CHECK(limiter.wait_for("2001:db8:1:3::7", now) == 0ns);
    CHECK(limiter.wait_for("fe80::1%eth0", now) == 0ns);
    CHECK(limiter.wait_for("fe80::2%eth0", now) == 60s);
    CHECK(limiter.wait_for("::ffff:203.0.113.7", now) == 0ns);
    CHECK(limiter.wait_for("::ffff:203.0.113.8", now) == 0ns);
    CHECK(limiter.wait_for("", now) == 0ns);
    CHECK(limiter.wait_for("", now) == 60s);
}

}  // namespace peer_limiter_test
