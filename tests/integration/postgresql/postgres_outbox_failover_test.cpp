/// A standby takes over that lacks what was written last: what it calls unsent was sent, perhaps.
#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/show.hpp"
#include "timed_database.hpp"
#include "unit/outbox/outbox_outages.hpp"
#include "unit/outbox/watched_transport.hpp"

namespace postgres_outbox_failover_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using outbox_test::Service;
using outbox_test::texts_at_twilio;

namespace {

/// A primary and its standby, which does not make it wait.
struct Pair {
    Pair() {
        REQUIRE(PostgresOutbox::migrate(primary.url(name)).has_value());
        primary.psql(name, movable_time);
    }
    /// Of whichever of them takes writes.
    std::string url() const {
        return "postgresql://twiliowa@/" + name + "?host=" + primary.directory().string() + ',' +
               standby.directory().string() + "&target_session_attrs=read-write";
    }
    /// The standby has all until now, and nothing from now on.
    void cut() const {
        standby.catch_up();
        standby.cut_off();
    }
    void fail_over() {
        primary.kill_now();
        standby.promote();
    }

    TestPostgres primary;
    const std::string name = primary.new_database();
    TestPostgres standby{{.standby_of = &primary}};
};

/// Calls `at` before, within and after each work.
struct WatchedStorage final : OutboxStorage {
    enum class When { before, within, after };
    WatchedStorage(std::shared_ptr<OutboxStorage> behind, std::function<void(When)> watcher)
        : inner(std::move(behind)), at(std::move(watcher)) {}

    Result<void> transact(const Work& work) override {
        at(When::before);
        auto done = inner->transact([&](OutboxTransaction& transaction) {
            auto worked = work(transaction);
            at(When::within);
            return worked;
        });
        at(When::after);
        return done;
    }
    std::uint32_t outbox_id() const override { return inner->outbox_id(); }
    LeaseTime lease_now() const override { return inner->lease_now(); }
    std::optional<TimePoint> now() const override { return inner->now(); }
    std::string identity() const override { return inner->identity(); }

    const std::shared_ptr<OutboxStorage> inner;
    const std::function<void(When)> at;
};

/// A worker on a pair of servers.
struct PairService {
    explicit PairService(OutboxOptions options = {}) : service(std::move(options)) {
        service.wrapped = [this] { return open(); };
        service.restart();
    }
    PairService(const PairService&) = delete;
    PairService& operator=(const PairService&) = delete;
    ~PairService() { service.outbox.reset(); }

    std::shared_ptr<OutboxStorage> open() const {
        return std::make_shared<TimedStorage>(pair.url(), service.clock);
    }
    void enqueue(int first, int end) {
        for (int i = first; i < end; ++i) {
            service.enqueue("Text " + std::to_string(i), {.key = std::to_string(i)});
        }
    }
    /// As a worker that goes on, whatever its storage says; time passes for its looks.
    void work(Outbox& outbox, int rounds = 20) const {
        for (int round = 0; round < rounds; ++round) {
            static_cast<void>(outbox.try_run_until_idle());
            service.clock->advance(15s);
        }
    }
    void work() { work(*service.outbox); }
    bool sent_each_once(int jobs) const {
        const auto texts = texts_at_twilio(service);
        return static_cast<int>(service.at_twilio()) == jobs &&
               static_cast<int>(texts.size()) == jobs;
    }
    std::int64_t count(JobState state) { return service.outbox->counts().of(state); }

    Pair pair;
    Service service;
};

}  // namespace

TEST_CASE("a standby that took over and lacks what was sent last sends none of it again") {
    if (lacks_postgres()) return;
    PairService pairs;
    auto& service = pairs.service;
    pairs.enqueue(0, 6);
    pairs.pair.cut();
    // Of two that work on it, one sends them all.
    const auto other = std::make_unique<Outbox>(pairs.open(), service.options);
    service.outbox->run_until_idle();
    REQUIRE(pairs.sent_each_once(6));
    pairs.enqueue(6, 7);
    pairs.pair.fail_over();

    pairs.work(*other);
    pairs.work();
    CHECK(pairs.sent_each_once(6));
    CHECK(pairs.count(JobState::accepted) == 6);
    for (const auto& job : service.outbox->list()) {
        CHECK(job.evidence == Evidence::list);
        CHECK(job.doubles.empty());
    }
    // What was promised by the one and is lost to the other is known by who promised it.
    CHECK_FALSE(service.outbox->find("", "6"));
    pairs.enqueue(0, 7);
    pairs.work();
    CHECK(pairs.sent_each_once(7));
    CHECK(pairs.count(JobState::accepted) == 7);
}

TEST_CASE(
    "what a standby that took over has, and nothing shows, waits for a person or for a while") {
    if (lacks_postgres()) return;
    OutboxOptions options;
    SUBCASE("a person decides about all of it") {}
    SUBCASE("it goes after half an hour") {
        options.after_restore = AfterRestore::look_then_send;
    }
    const bool goes = options.after_restore == AfterRestore::look_then_send;
    PairService pairs{options};
    auto& service = pairs.service;
    pairs.enqueue(0, 3);
    pairs.pair.cut();
    pairs.pair.fail_over();
    pairs.work();
    CHECK(service.at_twilio() == 0);
    if (goes) {
        service.advance(30min);
        pairs.work();
    } else {
        CHECK(pairs.count(JobState::held) == 3);
        CHECK(service.outbox->try_resolve_suspects(Resolution::not_sent()).value() == 3);
        pairs.work();
    }
    CHECK(pairs.sent_each_once(3));
    CHECK(pairs.count(JobState::accepted) == 3);
    // From now on it is like any other.
    pairs.enqueue(3, 5);
    service.outbox->run_until_idle();
    CHECK(pairs.sent_each_once(5));
}

TEST_CASE(
    "at whatever moment of a worker a standby takes over, nothing goes twice, and all is known") {
    if (lacks_postgres()) return;
    using When = WatchedStorage::When;
    constexpr int jobs = 4;
    int when = 0;
    SUBCASE("before a commit") {
        when = 0;
    }
    SUBCASE("within a commit") {
        when = 1;
    }
    SUBCASE("after a commit") {
        when = 2;
    }
    SUBCASE("before a request") {
        when = 3;
    }
    // One at a time, so that some are sent and some are not.
    PairService pairs{{.concurrency = 1}};
    auto& service = pairs.service;
    bool armed = false;
    int left = 4;
    const auto pass = [&](bool here) {
        if (!armed || !here || --left > 0) return;
        armed = false;
        pairs.pair.fail_over();
    };
    outbox_test::WatchedClient watched{service};
    watched.transport->before = [&](const std::string&) { pass(when == 3); };
    service.wrapped = [&] {
        return std::make_shared<WatchedStorage>(
            pairs.open(), [&](When at) { pass(static_cast<int>(at) == when); });
    };
    service.restart();
    pairs.enqueue(0, jobs);
    pairs.pair.cut();
    armed = true;
    pairs.work();
    REQUIRE_FALSE(armed);
    // Nothing that is there is called unsent.
    const auto there = texts_at_twilio(service);
    std::set<std::string> held;
    for (const auto& job : service.outbox->list({.state = JobState::held})) {
        held.insert(job.message->body);
        CHECK_FALSE(there.contains(job.message->body));
    }
    CHECK(there.size() == service.at_twilio());
    CHECK(held.size() + there.size() == jobs);
    CHECK(service.outbox->try_resolve_suspects(Resolution::not_sent()).value() ==
          static_cast<std::int64_t>(held.size()));
    pairs.work();
    CHECK(pairs.sent_each_once(jobs));
    CHECK(pairs.count(JobState::accepted) == jobs);
}

TEST_CASE(
    "what is handed over after a standby took over goes at once, whoever of the workers sends it") {
    if (lacks_postgres()) return;
    PairService pairs;
    auto& service = pairs.service;
    const auto other = std::make_unique<Outbox>(pairs.open(), service.options);
    other->run_until_idle();
    service.outbox->run_until_idle();
    pairs.pair.cut();
    pairs.pair.fail_over();
    // Both have nothing to do, and one notices before the other does.
    pairs.work(*service.outbox, 2);
    pairs.enqueue(0, 1);
    pairs.work(*other, 2);
    CHECK(pairs.sent_each_once(1));
    pairs.enqueue(1, 2);
    pairs.work(*service.outbox, 2);
    CHECK(pairs.sent_each_once(2));
    CHECK(pairs.count(JobState::accepted) == 2);
}

TEST_CASE("a former primary that comes back is noticed as well") {
    if (lacks_postgres()) return;
    PairService pairs;
    auto& service = pairs.service;
    pairs.enqueue(0, 4);
    pairs.pair.cut();
    pairs.pair.fail_over();
    pairs.work();
    CHECK(service.outbox->try_resolve_suspects(Resolution::not_sent()).value() == 4);
    pairs.work();
    REQUIRE(pairs.sent_each_once(4));
    // Nobody told it, and it calls them ready.
    pairs.pair.standby.kill_now();
    pairs.pair.primary.start();
    pairs.work();
    CHECK(pairs.sent_each_once(4));
    CHECK(pairs.count(JobState::accepted) == 4);
}

}  // namespace postgres_outbox_failover_test
