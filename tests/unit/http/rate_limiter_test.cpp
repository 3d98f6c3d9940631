#include <twiliowa/http/rate_limiter.hpp>

#include <doctest/doctest.h>

#include <limits>

#include <twiliowa/types/error.hpp>

namespace rate_limiter_test {

using namespace twiliowa;
using namespace std::chrono_literals;

TEST_CASE("a bucket spaces the messages of one sender and leaves the others alone") {
    const auto limiter = token_bucket({.per_second = 10});
    const MonotonicTime now{100s};
    CHECK(limiter->reserve("a", now) == now);
    CHECK(limiter->reserve("a", now) == now + 100ms);
    CHECK(limiter->reserve("a", now) == now + 200ms);
    CHECK(limiter->reserve("b", now) == now);
    CHECK(limiter->reserve("a", now + 1s) == now + 1s);
}

TEST_CASE("a burst may leave at once after a pause") {
    const auto limiter = token_bucket({.per_second = 10, .burst = 3});
    const MonotonicTime now{100s};
    for (int i = 0; i < 3; ++i) CHECK(limiter->reserve("a", now) == now);
    CHECK(limiter->reserve("a", now) == now + 100ms);
}

TEST_CASE("a slot given back is given out again") {
    const auto limiter = token_bucket({.per_second = 10});
    const MonotonicTime now{100s};
    CHECK(limiter->reserve("a", now) == now);
    CHECK(limiter->reserve("a", now) == now + 100ms);
    limiter->release("a");
    limiter->release("unknown");
    CHECK(limiter->reserve("a", now) == now + 100ms);
}

TEST_CASE("a slot is acquired only if it is free now, and otherwise none is used") {
    const auto limiter = token_bucket({.per_second = 10, .burst = 2});
    const MonotonicTime now{100s};
    CHECK(limiter->try_acquire("a", now));
    CHECK(limiter->try_acquire("a", now).free_at == now);
    for (int i = 0; i < 100; ++i) {
        const auto refused = limiter->try_acquire("a", now);
        CHECK_FALSE(refused);
        CHECK(refused.free_at == now + 100ms);
    }
    CHECK(limiter->try_acquire("b", now));
    CHECK_FALSE(limiter->try_acquire("a", now + 100ms - 1ns));
    CHECK(limiter->try_acquire("a", now + 100ms));
    CHECK(limiter->reserve("a", now + 100ms) == now + 200ms);
    CHECK_FALSE(limiter->try_acquire("a", now + 200ms));
}

TEST_CASE("a limiter of one's own acquires by what it reserves and releases") {
    struct Own final : RateLimiter {
        MonotonicTime reserve(std::string_view, MonotonicTime now) override {
            return now + 1s * taken++;
        }
        void release(std::string_view) noexcept override { --taken; }
        int taken = 0;
    };
    Own limiter;
    const MonotonicTime now{100s};
    CHECK(limiter.try_acquire("a", now).acquired);
    const auto refused = limiter.try_acquire("a", now);
    CHECK_FALSE(refused);
    CHECK(refused.free_at == now + 1s);
    CHECK(limiter.taken == 1);
}

TEST_CASE("slots never go backwards, however many are waited for") {
    const auto limiter = token_bucket({.per_second = 1e-6});
    const MonotonicTime now{100s};
    auto before = limiter->reserve("a", now);
    for (int i = 0; i < 20'000; ++i) {
        const auto slot = limiter->reserve("a", now);
        REQUIRE(slot >= before);
        before = slot;
    }
    CHECK(before == MonotonicTime::max());
    CHECK(limiter->reserve("b", now) == now);
}

TEST_CASE("a burst that takes longer than a hundred years to come back is refused") {
    CHECK_THROWS_AS(static_cast<void>(token_bucket({.per_second = 1e-6, .burst = 1e6})),
                    InvalidRequestError);
    const auto slow = token_bucket({.per_second = 1e-3, .burst = 1e6});
    const MonotonicTime now{100s};
    int at_once = 0;
    while (slow->reserve("a", now) == now) ++at_once;
    CHECK(at_once == 1'000'000);
}

TEST_CASE("impossible rates are refused by name") {
    for (const double rate : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(),
                              std::numeric_limits<double>::infinity()}) {
        CHECK_THROWS_AS(static_cast<void>(token_bucket({.per_second = rate})), InvalidRequestError);
        CHECK_THROWS_AS(static_cast<void>(token_bucket({.per_second = 1, .burst = rate})),
                        InvalidRequestError);
    }
}

TEST_CASE("a pause saves up no more than the burst") {
    const auto limiter = token_bucket({.per_second = 10, .burst = 2});
    const MonotonicTime now{100s};
    CHECK(limiter->reserve("a", now) == now);
    const auto later = now + 60s;
    CHECK(limiter->reserve("a", later) == later);
    CHECK(limiter->reserve("a", later) == later);
    CHECK(limiter->reserve("a", later) == later + 100ms);
}

TEST_CASE("a slot more than a hundred years ahead never comes") {
    const auto limiter = token_bucket({.per_second = 1e-6});
    const MonotonicTime now{100s};
    constexpr std::chrono::hours hundred_years{24 * 36'500};
    auto slot = now;
    int ahead = 0;
    for (; slot != MonotonicTime::max(); ++ahead) {
        REQUIRE(slot - now <= hundred_years);
        slot = limiter->reserve("a", now);
    }
    CHECK(ahead == 3155);  // a million seconds apart
}

}  // namespace rate_limiter_test
