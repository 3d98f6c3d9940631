/// An outbox whose minutes are counted in a Redis, which it shares with others.
#include <chrono>
#include <memory>
#include <string>

#include <twiliowa/redis/redis_quotas.hpp>

#include "memory.hpp"
#include "unit/outbox/outbox_service.hpp"

namespace outbox_quota_rates_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using outbox_test::Service;

namespace {

/// Five in a stretch of time of which no test sees the end, and a thousand a month.
OutboxOptions counted_in(const std::shared_ptr<RedisConnection>& connection,
                         const std::string& prefix = "rates:") {
    OutboxOptions options;
    options.quotas =
        QuotasOptions{.windows = {QuotaWindow{24h * 366, 5}, QuotaWindow::per_month(1'000)}};
    options.quota_rates = std::make_shared<RedisQuotas>(
        connection, RedisQuotasOptions{.prefix = prefix, .timeout = patience});
    return options;
}

void enqueue(Service& service, int count) {
    for (int i = 0; i < count; ++i) {
        service.enqueue("Hi " + std::to_string(i), {.quota = "acme"});
    }
}

}  // namespace

TEST_CASE("two outboxes whose minutes are counted in one Redis send no more than one may") {
    if (lacks_redis()) return;
    const RedisMemory m;
    Service one{counted_in(m.pool, m.prefix)};
    Service two{counted_in(m.pool, m.prefix)};
    enqueue(one, 3);
    one.outbox->run_until_idle();
    CHECK(one.at_twilio() == 3);
    enqueue(two, 4);
    two.outbox->run_until_idle();
    CHECK(two.at_twilio() == 2);
    enqueue(one, 1);
    one.outbox->run_until_idle();
    CHECK(one.at_twilio() == 3);
    // The month is counted with the jobs of each, the other window with those of both.
    const auto states = one.outbox->try_quota("acme").value();
    REQUIRE(states.size() == 2);
    CHECK(states[0].window.name() == "month");
    CHECK(states[0].used == QuotaAmount{3});
    CHECK(states[1].used == QuotaAmount{5});
}

TEST_CASE("what was certainly not sent is given back to a Redis") {
    if (lacks_redis()) return;
    const RedisMemory m;
    Service service{counted_in(m.pool, m.prefix)};
    service.fake->next_fault(testing::Fault::too_many_requests, 4);
    enqueue(service, 5);
    for (int i = 0; i < 20; ++i) {
        service.outbox->run_until_idle();
        service.advance(1min);
    }
    CHECK(service.at_twilio() == 5);
}

TEST_CASE(
    "while the Redis that counts is away nothing of a quota is sent, and everything else is") {
    if (lacks_redis()) return;
    TestRedis server;
    Service service{counted_in(pool_to(server.url()))};
    server.stop();
    enqueue(service, 2);
    service.enqueue("without a quota");
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
    server.start();
    // The pool tries again by its own time.
    const auto until = std::chrono::steady_clock::now() + patience;
    while (service.at_twilio() < 3 && std::chrono::steady_clock::now() < until) {
        service.advance(2s);
        service.outbox->run_until_idle();
    }
    CHECK(service.at_twilio() == 3);
}

}  // namespace outbox_quota_rates_test
