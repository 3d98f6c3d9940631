#include "redis/backoff.hpp"

#include <doctest/doctest.h>

#include <chrono>

#include <twiliowa/state/store.hpp>

#include "support/show.hpp"

namespace redis_backoff_test {

using namespace twiliowa;
using namespace twiliowa::detail;
using namespace std::chrono_literals;
using twiliowa::test::containing;

TEST_CASE("a server that is away is tried again later and later, up to a second") {
    RedisBackoff backoff;
    MonotonicTime now{1h};
    CHECK_FALSE(backoff.refusal(now).has_value());
    for (const auto wait : {50ms, 100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
        backoff.failed(store_error("cannot be reached"), now, 0.0);
        CHECK(is_store_error(backoff.refusal(now + wait / 2 - 1us)->error()));
        CHECK_FALSE(backoff.refusal(now + wait / 2).has_value());
        now += wait;
    }
    backoff.failed(store_error("cannot be reached"), now, 0.99);
    CHECK(backoff.refusal(now + 900ms).has_value());
    CHECK_FALSE(backoff.refusal(now + 1s).has_value());
}

TEST_CASE("what kept a server away is told until it is tried again, and a success ends it") {
    RedisBackoff backoff;
    const MonotonicTime now{1h};
    backoff.failed(RedisReply{RedisReplyKind::error, "WRONGPASS no"}, now, 0.5);
    CHECK((*backoff.refusal(now))->text == "WRONGPASS no");
    backoff.succeeded();
    CHECK_FALSE(backoff.refusal(now).has_value());
    backoff.failed(store_error("cannot be reached"), now, 0.0);
    CHECK_FALSE(backoff.refusal(now + 25ms).has_value());
}

}  // namespace redis_backoff_test
