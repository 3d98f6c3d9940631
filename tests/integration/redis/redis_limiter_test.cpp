#include <twiliowa/redis/redis_limiter.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

#include "memory.hpp"
#include "support/limiter_load.hpp"
#include "support/show.hpp"

namespace redis_limiter_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using twiliowa::testing::ManualClock;

namespace {

class Heard final : public Observer {
public:
    void on_limiter(const LimiterEvent& event) noexcept override {
        said += event.shared ? "shared\n" : std::string{event.error->what()} + "\n";
        CHECK(said.find("7700900123") == std::string::npos);
    }
    std::string said = {};
};

/// Keeps which keys were asked for, and whether anything told a number.
class WatchedKeys final : public RedisConnection {
public:
    explicit WatchedKeys(std::shared_ptr<RedisConnection> to) : to_(std::move(to)) {}
    Result<RedisReply> command(std::span<const std::string_view> arguments,
                               MonotonicTime deadline) override {
        for (const auto word : arguments) {
            CHECK(word.find("7700900123") == std::string_view::npos);
        }
        if (arguments[0] == "EVALSHA") keys.emplace_back(arguments[3]);
        return to_->command(arguments, deadline);
    }
    std::vector<std::string> keys = {};

private:
    std::shared_ptr<RedisConnection> to_;
};

/// Another server in the middle of it, as a name that leads elsewhere.
class Switched final : public RedisConnection {
public:
    explicit Switched(std::shared_ptr<RedisConnection> first) : to(std::move(first)) {}
    Result<RedisReply> command(std::span<const std::string_view> arguments,
                               MonotonicTime deadline) override {
        return to->command(arguments, deadline);
    }
    std::shared_ptr<RedisConnection> to;
};

/// Limiters whose clock is a test's, and Redis' one that goes with it.
struct Limiters {
    explicit Limiters(const std::string& url)
        : pool(pool_to(url)), switched(std::make_shared<Switched>(pool)), time(switched) {}

    RedisLimiterOptions options() const {
        RedisLimiterOptions options;
        options.timeout = patience;
        options.own_thread = false;
        options.clock = clock;
        options.observer = heard;
        return options;
    }
    std::shared_ptr<LeasedLimiter> limiter(RedisLimiterOptions options) {
        return std::make_shared<RedisLimiter>(std::shared_ptr<RedisConnection>{&time, [](auto*) {}},
                                              std::move(options));
    }
    std::vector<SendingProcess> several(int count) {
        std::vector<SendingProcess> processes;
        for (int i = 0; i < count; ++i) processes.emplace_back(limiter(options()), 4);
        for (int i = 0; i < 2; ++i) {
            pass(1s);
            for (auto& process : processes) process.limiter->fetch();
        }
        return processes;
    }
    void pass(std::chrono::milliseconds passed) {
        clock->advance(passed);
        time.pass(passed);
    }
    void send(std::vector<SendingProcess>& processes, SentSlots& sent,
              std::chrono::milliseconds how_long, std::chrono::milliseconds step = 5ms) {
        run_limited(
            *clock, processes, sent, how_long, [&](auto passed) { time.pass(passed); }, step);
    }
    MonotonicTime now() const { return clock->monotonic_now(); }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<Heard> heard = std::make_shared<Heard>();
    std::shared_ptr<RedisConnection> pool;
    std::shared_ptr<Switched> switched;
    MovedRedisTime time;
};

/// SendingProcess goes on at the share while `fails` holds, at no more than the limit, and then
/// together.
template <class Fails, class Mends>
std::string said_while_away(Limiters& limiters, const Fails& fails, const Mends& mends) {
    auto processes = limiters.several(4);
    SentSlots sent;
    limiters.send(processes, sent, 2s);
    const auto gone = limiters.now();
    limiters.heard->said.clear();
    fails();
    limiters.send(processes, sent, 60s);
    CHECK(sent.between(gone, gone + 60s) <= 80 * 60 * 12 / 10);
    CHECK(sent.between(gone, gone + 60s) >= 80 * 60 * 95 / 100);
    for (const auto& process : processes) CHECK_FALSE(process.limiter->state().shared);
    auto said = limiters.heard->said;
    const auto back = limiters.now();
    mends();
    limiters.send(processes, sent, 10s);
    for (const auto& process : processes) CHECK(process.limiter->state().shared);
    CHECK(sent.between(back, back + 10s) <= 80 * 10 * 12 / 10);
    CHECK(sent.between(back, back + 10s) >= 80 * 10 * 90 / 100);
    return said;
}

}  // namespace

TEST_CASE("processes keep together to a limit in Redis") {
    if (lacks_redis()) return;
    TestRedis server;
    Limiters limiters{server.url()};
    auto processes = limiters.several(4);
    SentSlots sent;
    const auto begin = limiters.now();
    limiters.send(processes, sent, 10s);
    CHECK(sent.between(begin, begin + 10s) <= 80 * 10 * 101 / 100 + 1);
    CHECK(sent.between(begin, begin + 10s) >= 80 * 10 * 97 / 100);
    for (const auto& process : processes) {
        CHECK(process.limiter->state().questions <= 12 * 12);
        CHECK(process.limiter->state().processes == 4);
    }
}

TEST_CASE("no sender is in the clear in Redis, and limiters of other prefixes share nothing") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto watched = std::make_shared<WatchedKeys>(pool_to(server.url()));
    Limiters limiters{server.url()};
    // The key of the sender; empty if it was not asked for.
    const auto key = [&](const RedisLimiterOptions& options) {
        watched->keys.clear();
        RedisLimiter limiter{watched, options};
        limiter.reserve(load_sender, limiters.now());
        limiter.fetch();
        CHECK(watched->keys[0] == options.prefix + "processes");
        return watched->keys.size() > 1 ? watched->keys[1] : std::string{};
    };
    auto options = limiters.options();
    const auto hashed = key(options);
    CHECK(hashed == containing("twiliowa:limit:sender:"));
    CHECK(hashed.size() == 22 + 64);
    CHECK(key(options) == hashed);
    options.prefix = "other:";
    CHECK(key(options) == "other:sender:" + hashed.substr(22));
    options.sealer = Sealer{KeyRing::parse(KeyRing::new_key("k1").reveal())};
    options.key_id = "k1";
    const auto sealed = key(options);
    CHECK(sealed == containing("other:sender:twi1.k1."));
    CHECK(key(options) == sealed);
    options.key_id = "k2";
    CHECK(key(options).empty());
    CHECK(limiters.heard->said == containing("no key of that id"));
}

TEST_CASE("what is kept goes by itself") {
    if (lacks_redis()) return;
    TestRedis server;
    Limiters limiters{server.url()};
    const auto limiter = limiters.limiter(limiters.options());
    limiter->reserve(load_sender, limiters.now());
    limiter->fetch();
    const auto left = std::stoi(server.cli({"PTTL", "twiliowa:limit:processes"}));
    CHECK(left > 5'000);
    CHECK(left <= 10'000);
    while (server.cli({"DBSIZE"}) != "1") {
    }
}

TEST_CASE("a permit waits for those that others took, by Redis' clock") {
    if (lacks_redis()) return;
    TestRedis server;
    Limiters limiters{server.url()};
    const auto first = limiters.limiter(limiters.options());
    const auto second = limiters.limiter(limiters.options());
    for (int i = 0; i < 40; ++i) first->reserve(load_sender, limiters.now());
    first->fetch();
    second->reserve(load_sender, limiters.now());
    second->fetch();
    CHECK(second->reserve(load_sender, limiters.now()) >= limiters.now() + 500ms);
    SUBCASE("but not for long, where that was set back") {
        limiters.time.pass(-1h);
        const auto third = limiters.limiter(limiters.options());
        third->reserve(load_sender, limiters.now());
        third->fetch();
        CHECK(third->reserve(load_sender, limiters.now()) <= limiters.now() + 100ms);
    }
}

TEST_CASE("a Redis that is killed stops nothing, and is used again when it is back") {
    if (lacks_redis()) return;
    TestRedis server;
    Limiters limiters{server.url()};
    const auto said = said_while_away(
        limiters, [&] { server.kill_now(); },
        [&] {
            server.start();
            limiters.switched->to = pool_to(server.url());
        });
    CHECK(said == containing("cannot be reached"));
}

TEST_CASE("a Redis that is full stops nothing") {
    if (lacks_redis()) return;
    TestRedis server;
    Limiters limiters{server.url()};
    const auto said = said_while_away(
        limiters,
        [&] {
            server.cli({"CONFIG", "SET", "maxmemory", "1"});
        },
        [&] {
            server.cli({"CONFIG", "SET", "maxmemory", "0"});
        });
    CHECK(said == containing("is full (Redis OOM)"));
}

TEST_CASE("a Redis that became a replica stops nothing") {
    if (lacks_redis()) return;
    TestRedis server;
    Limiters limiters{server.url()};
    const auto said = said_while_away(
        limiters,
        [&] {
            server.cli({"REPLICAOF", "127.0.0.1", "1"});
        },
        [&] {
            server.cli({"REPLICAOF", "NO", "ONE"});
        });
    CHECK(said == containing("is a replica"));
}

TEST_CASE("a Redis that forgot its scripts is told them again") {
    if (lacks_redis()) return;
    TestRedis server;
    const auto counted = std::make_shared<CountedRedis>(pool_to(server.url()));
    Limiters limiters{server.url()};
    RedisLimiter limiter{counted, limiters.options()};
    limiters.clock->advance(1s);
    limiter.fetch();
    CHECK(counted->commands == std::vector<std::string>{"EVALSHA", "EVAL", "EVALSHA"});
    server.cli({"SCRIPT", "FLUSH"});
    limiters.clock->advance(1s);
    limiter.fetch();
    limiter.reserve(load_sender, limiters.now());
    limiter.fetch();
    CHECK(counted->commands.back() == "EVAL");
    CHECK(limiter.state().shared);
    CHECK(limiter.state().unanswered == 0);
}

TEST_CASE("a replica that takes over without the last second keeps to the limit, too") {
    if (lacks_redis()) return;
    TestRedis primary{{.tcp = true}};
    TestRedis replica{{.replica_of = &primary}};
    Limiters limiters{primary.url()};
    auto processes = limiters.several(4);
    while (replica.cli({"EXISTS", "twiliowa:limit:processes"}) != "1") {
    }
    SentSlots sent;
    replica.cli({"REPLICAOF", "127.0.0.1", "1"});
    const auto begin = limiters.now();
    limiters.send(processes, sent, 1s);
    primary.kill_now();
    replica.cli({"REPLICAOF", "NO", "ONE"});
    limiters.switched->to = pool_to(replica.url());
    limiters.send(processes, sent, 59s);
    CHECK(sent.between(begin, begin + 60s) <= 80 * 60 * 102 / 100);
    CHECK(sent.between(begin, begin + 60s) >= 80 * 60 * 97 / 100);
}

TEST_CASE("a key of another program is named, and left as it is") {
    if (lacks_redis()) return;
    TestRedis server;
    Limiters limiters{server.url()};
    server.cli({"SET", "twiliowa:limit:processes", "mine"});
    const auto limiter = limiters.limiter(limiters.options());
    CHECK_FALSE(limiter->state().shared);
    CHECK(limiters.heard->said == containing("finds what is not its own"));
    CHECK(server.cli({"GET", "twiliowa:limit:processes"}) == "mine");
}

TEST_CASE("a limiter begins without its Redis, and a wrong option is refused") {
    const auto nowhere = std::make_shared<RedisPool>("unix:///nowhere/redis");
    const auto clock = std::make_shared<ManualClock>();
    RedisLimiter limiter{nowhere, {.processes = 2, .own_thread = false, .clock = clock}};
    CHECK_FALSE(limiter.state().shared);
    CHECK(limiter.state().share_per_second == 40);
    CHECK_THROWS_AS(RedisLimiter{nullptr}, InvalidRequestError);
    CHECK_THROWS_AS((RedisLimiter{nowhere, {.timeout = 0ms}}), InvalidRequestError);
    CHECK_THROWS_AS((RedisLimiter{nowhere, {.per_second = 0}}), InvalidRequestError);
}

}  // namespace redis_limiter_test
