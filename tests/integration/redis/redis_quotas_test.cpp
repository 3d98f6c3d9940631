#include <twiliowa/redis/redis_quotas.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/state/quotas.hpp>
#include <twiliowa/testing/check_quota_storage.hpp>

#include "memory.hpp"
#include "support/show.hpp"

namespace redis_quotas_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using twiliowa::testing::check_quota_storage;

namespace {

using Faults = std::vector<std::string>;

std::shared_ptr<RedisQuotas> quotas_on(std::shared_ptr<RedisConnection> connection,
                                       std::string prefix = "twiliowa-quota:") {
    return std::make_shared<RedisQuotas>(
        std::move(connection),
        RedisQuotasOptions{.prefix = std::move(prefix), .timeout = patience});
}

Quotas a_minute(std::shared_ptr<QuotaStorage> storage) {
    // Long enough that no test sees its end.
    return Quotas{std::move(storage),
                  {.windows = {QuotaWindow{24h * 366, 30}, QuotaWindow::per_month(1'000)}}};
}

/// Answers what it is told to.
class ToldRedis final : public RedisConnection {
public:
    Result<RedisReply> command(std::span<const std::string_view> arguments,
                               MonotonicTime) override {
        if (arguments[0] == "INFO") {
            return RedisReply{
                RedisReplyKind::text,
                "redis_version:7.0.15\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n"};
        }
        return answer;
    }
    Result<RedisReply> answer = RedisReply{};
};

}  // namespace

TEST_CASE("RedisQuotas keep the contract of a storage") {
    if (lacks_redis()) return;
    const RedisMemory m;
    const auto time = std::make_shared<MovedRedisTime>(m.pool);
    const auto pass = [&](auto by) { time->pass(by); };
    CHECK(check_quota_storage([&] { return quotas_on(time, m.prefix); }, {.pass_time = pass}) ==
          Faults{});
    const auto one = quotas_on(time, m.prefix);
    CHECK(check_quota_storage([&] { return one; }, {.pass_time = pass}) == Faults{});
}

TEST_CASE("RedisQuotas keep the contract by the server's own time, over their own connections") {
    if (lacks_redis()) return;
    const RedisMemory m;
    CHECK(check_quota_storage([&] { return quotas_on(pool_to(m.server.url()), m.prefix); }) ==
          Faults{});
}

TEST_CASE("what RedisQuotas counted is there for others, and each operation is one command") {
    if (lacks_redis()) return;
    const RedisMemory m;
    const auto counted = std::make_shared<CountedRedis>(m.pool);
    const auto quotas = a_minute(quotas_on(counted, m.prefix));
    CHECK(quotas.reserve({"org", "a", 20}).value().granted);
    counted->commands.clear();
    CHECK(quotas.reserve({"org", "b", 1}).value().granted);
    CHECK(quotas.settle({"org", "a", 20}, 10).value() == QuotaEnd::done);
    CHECK(counted->commands.size() <= 3);
    const auto others = a_minute(quotas_on(pool_to(m.server.url()), m.prefix));
    CHECK(others.reserve({"org", "a", 20}).value().granted_before);
    CHECK(others.read("org").value()[0].used == 11);
    CHECK(others.reserve({"org", "c", 20}).value().http_status() == 429);
    CHECK(a_minute(quotas_on(m.pool, m.prefix + "other")).read("org").value()[0].used == 0);
}

TEST_CASE("nothing of RedisQuotas stays in Redis for ever") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto pool = pool_to(server.url());
    const auto quotas = a_minute(quotas_on(pool));
    CHECK(quotas.reserve({"org", "a", 20}).value().granted);
    CHECK(quotas.reserve({"org", "b", 10}).value().granted);
    CHECK(quotas.settle({"org", "a", 20}).has_value());
    CHECK(quotas.release({"org", "b", 10}).has_value());
    const auto keys = told(*pool, {"KEYS", "*"}).list;
    CHECK(keys.size() == 4);
    for (const auto& key : keys) CHECK(told(*pool, {"PTTL", key.text}).number > 0);
}

TEST_CASE("threads with quotas in two engines never pass a limit") {
    if (lacks_redis()) return;
    const RedisMemory m;
    const Quotas quotas{std::make_shared<MemoryQuotas>(),
                        {.windows = {QuotaWindow{24h * 366, 60}, QuotaWindow::per_month(40)}},
                        quotas_on(m.pool, m.prefix)};
    std::atomic<int> granted{0};
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 25; ++i) {
                const auto key = std::to_string(thread) + "/" + std::to_string(i);
                if (quotas.reserve({"org", key, 1}).value().granted) ++granted;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(granted == 40);
    const auto states = quotas.read("org").value();
    CHECK(states[0].used == 40);
    CHECK(states[1].used == 40);
}

TEST_CASE("a Redis that is away grants nothing, and is not quoted") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto quotas = a_minute(quotas_on(pool_to(server.url())));
    CHECK(quotas.reserve({"org", "a", 1}).value().granted);
    server.kill_now();
    store_problem(quotas.reserve({"canary+447700900123", "canary", 1}));
    const auto begun_without = a_minute(quotas_on(pool_to(server.url())));
    CHECK(store_problem(begun_without.reserve({"org", "a", 1})) == containing("cannot be reached"));
    server.start();
    while (!begun_without.reserve({"org", "a", 1})) {
    }
}

TEST_CASE("what is no answer of the scripts is an error") {
    const auto redis = std::make_shared<ToldRedis>();
    const auto quotas = a_minute(quotas_on(redis));
    const auto list = [](std::vector<RedisReply> of) {
        return RedisReply{RedisReplyKind::list, {}, 0, std::move(of)};
    };
    const auto number = [](std::int64_t of) { return RedisReply{RedisReplyKind::number, {}, of}; };
    for (const auto& answer :
         {RedisReply{}, number(1), list({}), list({number(9), number(0)}),
          list({number(0), number(0), number(0)}), list({number(0), number(0), list({})}),
          RedisReply{RedisReplyKind::error, "WRONGTYPE canary"},
          RedisReply{RedisReplyKind::error, "ERR canary"}}) {
        redis->answer = answer;
        store_problem(quotas.reserve({"canary", "canary", 1}));
        store_problem(quotas.settle({"canary", "canary", 1}));
        store_problem(quotas.read("canary"));
        store_problem(quotas.usage_by_day("canary", {}, {}));
    }
    CHECK_THROWS_AS(RedisQuotas(nullptr), InvalidRequestError);
    CHECK_THROWS_AS(RedisQuotas(redis, {.timeout = 0ms}), InvalidRequestError);
}

}  // namespace redis_quotas_test
