#include <twiliowa/redis/redis_store.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/redis/redis_pool.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/key_ring.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/state/private_store.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/testing/check_store.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "memory.hpp"
#include "state/store_deadline.hpp"
#include "support/show.hpp"

namespace redis_store_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using twiliowa::testing::check_store;

namespace {

using Faults = std::vector<std::string>;

/// In keys and values, and in no error.
const std::string canary = "canary+447700900123";

struct MovedMemory : RedisMemory {
    std::shared_ptr<MovedRedisTime> time = std::make_shared<MovedRedisTime>(pool);
    std::shared_ptr<RedisStore> open() const { return store_on(time, prefix); }
};

/// Answers what it is told to.
class ScriptedRedis final : public RedisConnection {
public:
    Result<RedisReply> command(std::span<const std::string_view> arguments,
                               MonotonicTime until) override {
        deadline = until;
        if (throws) throw std::runtime_error("connection to 10.0.0.7 lost, " + canary);
        if (arguments[0] != "INFO") {
            ++operations;
            return answer;
        }
        if (instead_of_info) return *instead_of_info;
        return RedisReply{RedisReplyKind::text, info};
    }
    std::string info = "redis_version:7.0.15\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n";
    std::optional<Result<RedisReply>> instead_of_info = {};
    Result<RedisReply> answer = RedisReply{};
    bool throws = false;
    int operations = 0;
    MonotonicTime deadline = {};
};

/// The words of each operation's error.
std::vector<std::string> problems_of_all(Store& store) {
    return {store_problem(store.get(canary)),
            store_problem(store.compare_and_set(canary, 0, canary, 1h, Keep::pinned)),
            store_problem(store.erase(canary, 1)),
            store_problem(store.get_each(std::vector{canary, canary}))};
}

}  // namespace

TEST_CASE("a RedisStore keeps the contract of a store") {
    if (lacks_redis()) return;
    const MovedMemory m;
    const auto pass = [&](auto time) { m.time->pass(time); };
    CHECK(check_store([&] { return m.open(); }, {.pass_time = pass}) == Faults{});
    const auto store = m.open();
    CHECK(check_store([&] { return store; }, {.pass_time = pass}) == Faults{});
}

TEST_CASE("a RedisStore keeps the contract by the server's own time, over its own connections") {
    if (lacks_redis()) return;
    const RedisMemory m;
    CHECK(check_store([&] { return store_on(pool_to(m.server.url()), m.prefix); }) == Faults{});
}

TEST_CASE("a version is the server's time in microseconds, and three digits") {
    if (lacks_redis()) return;
    const RedisMemory m;
    const auto micros = [&] {
        const auto time = told(*m.pool, {"TIME"});
        return std::stoull(time.list[0].text) * 1'000'000 + std::stoull(time.list[1].text);
    };
    const auto before = micros();
    const auto version = put_into(*m.open(), "k", 24h);
    CHECK(version / 1'000 >= before);
    CHECK(version / 1'000 <= micros());
    CHECK(m.open()->get("k").value()->version == version);
}

TEST_CASE("what a RedisStore holds is there when it is opened again, for its prefix alone") {
    if (lacks_redis()) return;
    const RedisMemory m;
    const auto version = put_into(*m.open(), "k");
    CHECK(m.open()->get("k").value()->version == version);
    CHECK_FALSE(is_in(*store_on(m.pool, m.prefix + "other:"), "k"));
    const OptOuts opt_outs{m.open()};
    CHECK(opt_outs.opt_out("whatsapp:+447700900001", "whatsapp:+447700900123").has_value());
    CHECK(
        OptOuts{m.open()}.is_opted_out("whatsapp:+447700900001", "whatsapp:+447700900123").value());
}

TEST_CASE("a version is not given again by a Redis that dropped an entry, or all of them") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto pool = pool_to(server.url());
    const auto store = store_on(pool);
    const auto erased = put_into(*store, "k");
    CHECK(store->erase("k", erased).value());
    const auto written = put_into(*store, "k");
    CHECK(written > erased);
    told(*pool, {"DEL", "twiliowa:k"});
    const auto after_eviction = put_into(*store, "k");
    CHECK(after_eviction > written);
    told(*pool, {"FLUSHALL"});
    const auto after_flush = put_into(*store, "k");
    CHECK(after_flush > after_eviction);
    server.kill_now();
    server.start();
    const auto again = store_on(pool_to(server.url()));
    CHECK_FALSE(is_in(*again, "k"));
    CHECK(put_into(*again, "k") > after_flush);
}

TEST_CASE("a version is not given again for an entry that was evicted") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto store = store_on(pool_to(server.url()));
    const auto first = put_into(*store, "k");
    const auto evicted = store->compare_and_set("k", first, "w", 1h, Keep::pinned).value();
    // As whoever administers it may do after the start.
    server.cli({"CONFIG", "SET", "maxmemory", "3mb", "maxmemory-policy", "allkeys-lru"});
    const std::string value(100'000, 'x');
    for (int i = 0; server.cli({"EXISTS", "twiliowa:k"}) == "1"; ++i) {
        REQUIRE(i < 1'000);
        REQUIRE(
            store->compare_and_set(std::to_string(i), 0, value, 1h, Keep::evictable).has_value());
    }
    CHECK(put_into(*store, "k") > evicted);
}

TEST_CASE("versions grow where the clock was set back, after an entry was erased or expired too") {
    if (lacks_redis()) return;
    const MovedMemory m;
    const auto store = m.open();
    const auto first = put_into(*store, "k");
    m.time->pass(-2h);
    const auto second = store->compare_and_set("k", first, "v", 1s, Keep::pinned).value();
    CHECK(second / 1'000 == first / 1'000 + 1);
    m.time->pass(1s);
    const auto third = put_into(*store, "k");
    CHECK(third / 1'000 == second / 1'000 + 1);
    CHECK(store->erase("k", third).value());
    CHECK_FALSE(store->erase("k", third).value());
    CHECK_FALSE(is_in(*store, "k"));
    CHECK(put_into(*store, "k") / 1'000 == third / 1'000 + 1);
}

TEST_CASE("what is erased or expires leaves Redis a day later, and its value at once") {
    if (lacks_redis()) return;
    const RedisMemory m;
    const auto store = m.open();
    const auto lives = [&](std::string_view key) {
        const auto full = m.prefix + std::string{key};
        return std::chrono::milliseconds{told(*m.pool, {"PTTL", full}).number};
    };
    const auto version = put_into(*store, "k", 1h);
    CHECK(lives("k") > 24h + 59min);
    CHECK(lives("k") <= 25h + 1ms);
    CHECK(store->erase("k", version).value());
    CHECK(lives("k") > 23h + 59min);
    CHECK(lives("k") <= 24h + 1ms);
    CHECK(told(*m.pool, {"HKEYS", m.prefix + "k"}).list.size() == 2);
    // One for ever stays, and is as any other when it is erased.
    const auto stays = store->compare_and_set("ever", 0, "v", Store::forever, Keep::pinned).value();
    CHECK(lives("ever").count() == -1);
    CHECK(store->erase("ever", stays).value());
    CHECK(lives("ever") > 23h);
}

TEST_CASE("an entry of a RedisStore expires to the microsecond") {
    if (lacks_redis()) return;
    const MovedMemory m;
    const auto store = m.open();
    put_into(*store, "k", 10s);
    m.time->pass(10s - 1us);
    CHECK(is_in(*store, "k"));
    m.time->pass(1us);
    CHECK_FALSE(is_in(*store, "k"));
}

TEST_CASE("keys and values of no bytes, of any, of many, and a great many keys at once") {
    if (lacks_redis()) return;
    const RedisMemory m;
    const auto store = m.open();
    CHECK(store->compare_and_set("", 0, "", 1h, Keep::pinned).value() != 0);
    CHECK(store->get("").value()->value.empty());
    std::string key;
    for (int i = 0; i < 256; ++i) key += static_cast<char>(i);
    std::string value;
    for (unsigned i = 0, x = 1; i < 1'000'000; ++i) {
        value += static_cast<char>((x = x * 69'069 + 1) >> 24);
    }
    CHECK(store->compare_and_set(key, 0, value, 1h, Keep::evictable).value() != 0);
    CHECK(store->get(key).value()->value == value);
    put_into(*store, "0");
    put_into(*store, "600");
    std::vector<std::string> keys;
    for (int i = 0; i <= 600; ++i) keys.push_back(std::to_string(i));
    const auto entries = store->get_each(keys).value();
    REQUIRE(entries.size() == keys.size());
    CHECK(entries.front().has_value());
    CHECK(entries.back().has_value());
    CHECK(std::count_if(entries.begin(), entries.end(), [](auto& e) { return e.has_value(); }) ==
          2);
}

TEST_CASE("an entry over the size limit is refused by a RedisStore") {
    if (lacks_redis()) return;
    const RedisMemory m;
    RedisStore store{m.pool, {.prefix = m.prefix, .max_entry_bytes = 8}};
    CHECK(store.compare_and_set("1234", 0, "5678", 1h, Keep::pinned).value() != 0);
    CHECK(store_problem(store.compare_and_set("1234", 0, "56789", 1h, Keep::pinned)) ==
          containing("refuses an entry of that size"));
}

TEST_CASE("an operation is one round trip, and a script's text goes once") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto counted = std::make_shared<CountedRedis>(pool_to(server.url()));
    const auto store = store_on(counted);
    using Commands = std::vector<std::string>;
    CHECK(std::exchange(counted->commands, {}) == Commands{"INFO"});
    put_into(*store, "a");
    CHECK(std::exchange(counted->commands, {}) == Commands{"EVALSHA", "EVAL"});
    put_into(*store, "b");
    CHECK(std::exchange(counted->commands, {}) == Commands{"EVALSHA"});
    told(*counted, {"SCRIPT", "FLUSH"});
    counted->commands.clear();
    put_into(*store, "c");
    CHECK(std::exchange(counted->commands, {}) == Commands{"EVALSHA", "EVAL"});
    CHECK(is_in(*store, "c"));
    const std::vector<std::string> keys{"a", "b", "c", "d"};
    counted->commands.clear();
    CHECK(store->get_each(keys).value()[2].has_value());
    CHECK(counted->commands == Commands{"EVALSHA"});
}

TEST_CASE("options that a RedisStore cannot have are refused") {
    const auto redis = std::make_shared<ScriptedRedis>();
    CHECK_THROWS_AS(RedisStore(nullptr), InvalidRequestError);
    CHECK_THROWS_AS(RedisStore(redis, {.max_entry_bytes = 0}), InvalidRequestError);
    CHECK_THROWS_AS(RedisStore(redis, {.timeout = 0ms}), InvalidRequestError);
}

TEST_CASE("a server that may drop what must stay is refused at the start") {
    if (lacks_redis()) return;
    for (const std::string policy : {"allkeys-lru", "volatile-lru", "volatile-ttl"}) {
        CAPTURE(policy);
        TestRedis server{{.settings = {"--maxmemory", "64mb", "--maxmemory-policy", policy}}};
        CHECK(store_refusal([&] { store_on(pool_to(server.url())); }) ==
              containing("store: may drop entries before their time (maxmemory-policy " + policy +
                         ")"));
    }
}

TEST_CASE("a server that is another than it was is looked at again after a failure") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto store = store_on(pool_to(server.url()));
    put_into(*store, "k");
    server.cli({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
    // A failure, of whatever kind.
    server.cli({"SET", "twiliowa:" + canary, "x"});
    CHECK(store_problem(store->get(canary)) == containing("finds what is not its own"));
    CHECK(store_problem(store->get("k")) == containing("may drop entries before their time"));
    server.cli({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
    CHECK(is_in(*store, "k"));
}

TEST_CASE("what a server says it is decides whether it is taken") {
    const auto redis = std::make_shared<ScriptedRedis>();
    const auto refusal = [&](std::string info) {
        redis->info = std::move(info);
        return store_refusal([&] { RedisStore store{redis}; });
    };
    CHECK(refusal("redis_version:5.0.0\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n") ==
          "it was opened");
    CHECK(refusal("redis_version:4.0.14\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n") ==
          containing("store: needs Redis 5 or later"));
    CHECK(refusal("redis_version:7.0.15\r\nrole:slave\r\nmaxmemory_policy:noeviction\r\n") ==
          containing("store: is a replica"));
    CHECK(refusal("redis_version:7.0.15\r\nrole:master\r\n") ==
          containing("does not say whether it drops entries"));
    CHECK(refusal("maxmemory_policy:canary+447\r\nredis_version:7.0.15\r\nrole:master\r\n") ==
          containing("does not say whether it drops entries"));
    CHECK(refusal("") == containing("does not say what it is"));
}

TEST_CASE("a service begins while Redis is down, and uses it when it is there") {
    if (lacks_redis()) return;
    TestRedis server;
    server.kill_now();
    const auto store = store_on(pool_to(server.url()));
    for (const auto& problem : problems_of_all(*store)) {
        CHECK(problem == containing("store: cannot be reached"));
    }
    server.start();
    auto read = store->get("k");
    while (!read) {
        CHECK(store_problem(read) == containing("cannot be reached"));
        read = store->get("k");
    }
    const auto version = put_into(*store, "k");
    CHECK(store->get("k").value()->version == version);
}

TEST_CASE("a server that was away at the start and may drop entries is refused by each operation") {
    const auto redis = std::make_shared<ScriptedRedis>();
    redis->instead_of_info = store_error("cannot be reached", "wait");
    RedisStore store{redis};
    redis->instead_of_info.reset();
    redis->info = "redis_version:7.0.15\r\nrole:master\r\nmaxmemory_policy:allkeys-lru\r\n";
    for (int times = 0; times < 2; ++times) {
        for (const auto& problem : problems_of_all(store)) {
            CHECK(problem == containing("may drop entries before their time"));
        }
    }
    CHECK(redis->operations == 0);
    redis->info = ScriptedRedis{}.info;
    redis->answer = RedisReply{RedisReplyKind::number, {}, 1};
    CHECK(store.erase("k", 1).value());
}

TEST_CASE("what a server answers throws at the start, unless it passes by itself") {
    const auto redis = std::make_shared<ScriptedRedis>();
    const auto refusal = [&](std::string answer) {
        redis->instead_of_info = RedisReply{RedisReplyKind::error, std::move(answer)};
        return store_refusal([&] { RedisStore store{redis}; });
    };
    CHECK(refusal("WRONGPASS invalid username-password pair") ==
          containing("refuses the login (Redis WRONGPASS)"));
    CHECK(refusal("NOPERM this user has no permissions") == containing("refuses this user"));
    CHECK(refusal("ERR DB index is out of range") == containing("has no such database"));
    CHECK(refusal("ERR unknown command 'INFO'") == containing("failed (Redis ERR)"));
    for (const std::string passing :
         {"LOADING Redis is loading the dataset in memory", "MASTERDOWN Link is down",
          "BUSY Redis is busy running a script", "ERR max number of clients reached"}) {
        CAPTURE(passing);
        CHECK(refusal(passing) == "it was opened");
    }
    redis->throws = true;
    CHECK(store_refusal([&] { RedisStore store{redis}; }) == "it was opened");
}

TEST_CASE("a connection of somebody else's that breaks its contract is named") {
    const auto redis = std::make_shared<ScriptedRedis>();
    RedisStore store{redis};
    redis->throws = true;
    CHECK(store_problem(store.get(canary)) == containing("does not keep its contract"));
    redis->throws = false;
    redis->answer = Error::invalid_request("url", canary);
    CHECK(store_problem(store.get(canary)) == containing("does not keep its contract"));
    redis->answer = RedisReply{RedisReplyKind::text, "7x"};
    CHECK(store_problem(store.get(canary)) == containing("finds what is not its own"));
    CHECK(store_problem(store.compare_and_set(canary, 0, canary, 1h, Keep::pinned)) ==
          containing("finds what is not its own"));
    CHECK(store_problem(store.erase(canary, 1)) == containing("finds what is not its own"));
    CHECK(store_problem(store.get_each(std::vector{canary})) ==
          containing("finds what is not its own"));
    redis->answer = store_error("cannot be reached by it");
    CHECK(std::string{store.get("k").error().what()} == containing("cannot be reached by it"));
}

TEST_CASE("keys that lie on several nodes are written one by one, and one key is on one") {
    /// Answers several keys as a cluster does whose nodes share them, and one, if it may.
    struct Scattered final : RedisConnection {
        Result<RedisReply> command(std::span<const std::string_view> arguments,
                                   MonotonicTime) override {
            if (arguments[0] == "INFO") {
                return RedisReply{RedisReplyKind::text,
                                  "redis_version:7.0.15\r\nrole:master\r\n"
                                  "maxmemory_policy:noeviction\r\n"};
            }
            if (arguments[2] != "1" || refuses_all) {
                return RedisReply{RedisReplyKind::error, "CROSSSLOT Keys in request don't hash"};
            }
            RedisReply reply{RedisReplyKind::list};
            reply.list.push_back({RedisReplyKind::text, std::to_string(++version)});
            return reply;
        }
        int version = 1'000;
        bool refuses_all = false;
    };
    const auto redis = std::make_shared<Scattered>();
    RedisStore store{redis};
    const std::vector<StoreWrite> writes{{.key = "a"}, {.key = "b"}};
    CHECK(store.compare_and_set_each(writes).value() == std::vector<std::uint64_t>{1'001, 1'002});
    redis->refuses_all = true;
    CHECK(is_store_error(store.compare_and_set("a", 0, "v", 1h, Keep::pinned).error()));
    CHECK(is_store_error(store.compare_and_set_each(writes).error()));
}

TEST_CASE("Redis is waited for no longer than who asks has time") {
    const auto redis = std::make_shared<ScriptedRedis>();
    RedisStore store{redis, {.timeout = 24h}};
    redis->answer = store_error("is slow", "wait");
    const auto before = std::chrono::steady_clock::now();
    {
        const detail::StoreDeadline wanted{1h};
        CHECK(store_problem(store.get(canary)) == containing("is slow"));
        CHECK(redis->deadline == detail::store_deadline());
    }
    CHECK(store_problem(store.get(canary)) == containing("is slow"));
    CHECK(redis->deadline >= before + 24h);
}

TEST_CASE("a full Redis refuses writes by name, and still erases") {
    if (lacks_redis()) return;
    TestRedis server{{.settings = {"--maxmemory", "2mb"}}};
    const auto store = store_on(pool_to(server.url()));
    const auto version = put_into(*store, canary);
    const std::string value(200'000, 'x');
    std::string problem;
    for (int i = 0; i < 20 && problem.empty(); ++i) {
        const auto written =
            store->compare_and_set(canary + std::to_string(i), 0, value, 1h, Keep::evictable);
        if (!written) problem = store_problem(written);
    }
    CHECK(problem == containing("is full (Redis OOM)"));
    CHECK(is_in(*store, canary));
    CHECK(store->erase(canary, version).value());
    CHECK_FALSE(is_in(*store, canary));
}

TEST_CASE("a replica is refused at the start, and named when it becomes one") {
    if (lacks_redis()) return;
    TestRedis primary{{.tcp = true}};
    TestRedis replica{{.replica_of = &primary}};
    CHECK(store_refusal([&] { store_on(pool_to(replica.url())); }) ==
          containing("store: is a replica"));
    TestRedis server;
    const auto store = store_on(pool_to(server.url()));
    put_into(*store, canary);
    server.cli({"REPLICAOF", "127.0.0.1", std::to_string(primary.port())});
    CHECK(store_problem(store->compare_and_set(canary + "2", 0, canary, 1h, Keep::pinned)) ==
          containing("is a replica, which takes no writes and may lag behind (Redis READONLY)"));
    CHECK(store_problem(store->get(canary)) == containing("is a replica"));
    server.cli({"REPLICAOF", "NO", "ONE"});
    CHECK(put_into(*store, canary + "3") != 0);
}

TEST_CASE("a cluster of which one node is known is named with the way out") {
    if (lacks_redis()) return;
    TestRedis server{{.settings = {"--cluster-enabled", "yes"}}};
    const auto pool = pool_to(server.url());
    const auto store = store_on(pool);
    CHECK(store_problem(store->get(canary)) ==
          containing("is a cluster, of which one node is known here (Redis CLUSTERDOWN)"));
    server.cli({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
    while (server.cli({"CLUSTER", "INFO"}).find("cluster_state:ok") == std::string::npos) {
    }
    CHECK(put_into(*store, "k") != 0);
    // Several keys are read one by one where they lie apart.
    const auto entries = store->get_each(std::vector<std::string>{"k", "a", "b"}).value();
    CHECK(entries[0].has_value());
    CHECK_FALSE(entries[1].has_value());
    const auto redis = std::make_shared<ScriptedRedis>();
    RedisStore moved{redis};
    redis->answer = RedisReply{RedisReplyKind::error, "MOVED 3999 127.0.0.1:6381"};
    CHECK(store_problem(moved.get(canary)) ==
          containing("is a cluster, of which one node is known here (Redis MOVED)"));
}

TEST_CASE("while Redis is down nothing is sent that needs it, and that is said") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto store = store_on(pool_to(server.url()));
    const auto transport = std::make_shared<twiliowa::testing::ScriptedTransport>();
    ClientOptions options;
    options.from = "+14155238886";
    options.transport = transport;
    options.opt_outs = std::make_shared<OptOuts>(store);
    const MessagesClient client{
        Credentials::auth_token("AC00000000000000000000000000000001", "token"), options};
    server.kill_now();
    const auto refused = client.try_send_text({.to = "+447700900123", .body = canary});
    CHECK(store_problem(refused) == containing("store: cannot be reached"));
    CHECK(refused.error().effect() == Effect::none);
    CHECK(transport->request_count() == 0);
}

TEST_CASE("no phone number is in a Redis whose keys are hashed and whose values are sealed") {
    if (lacks_redis()) return;
    TestRedis server;
    const Sealer sealer{KeyRing::parse(KeyRing::new_key("1").reveal())};
    const auto redis = store_on(pool_to(server.url()));
    const auto store =
        std::make_shared<SealedStore>(std::make_shared<HashedStore>(redis, sealer, "1"), sealer);
    CHECK(check_store([&] { return store; }) == Faults{});
    const OptOuts opt_outs{store};
    CHECK(opt_outs.opt_out("whatsapp:+447700900001", "whatsapp:+447700900123").has_value());
    CHECK(opt_outs.is_opted_out("whatsapp:+447700900001", "whatsapp:+447700900123").value());
    CHECK(store
              ->compare_and_set("whatsapp:+447700900123", 0, "text to +447700900123", 1h,
                                Keep::pinned)
              .value() != 0);
    std::string held;
    const auto pool = pool_to(server.url());
    for (const auto& key : told(*pool, {"KEYS", "*"}).list) {
        held += key.text + '\n';
        for (const auto& part : told(*pool, {"HGETALL", key.text}).list) held += part.text + '\n';
    }
    CHECK(held == containing("twi1.1."));
    CHECK(held == containing("tws1.1."));
    CHECK(held.find("7700900") == std::string::npos);
    CHECK(held.find("text to") == std::string::npos);
}

TEST_CASE("what Redis says of keys and values is in no error") {
    const auto redis = std::make_shared<ScriptedRedis>();
    RedisStore store{redis};
    const std::string errors[] = {
        "ERR unknown command 'EVALSHA', with args beginning with: '" + canary + "'",
        "ERR Error running script (call to f_1): @user_script:6: @user_script: 6: -OOM " + canary,
        canary, "", "CANARY " + canary};
    for (const auto& error : errors) {
        redis->answer = RedisReply{RedisReplyKind::error, error};
        const auto read = store.get(canary);
        REQUIRE_FALSE(read.has_value());
        CHECK(std::string{read.error().what()}.find("canary") == std::string::npos);
    }
}

}  // namespace redis_store_test
