#include <twiliowa/postgresql/postgres_limiter.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

#include "database.hpp"
#include "support/limiter_load.hpp"
#include "support/show.hpp"
#include "timed_database.hpp"

namespace postgres_limiter_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using twiliowa::testing::ManualClock;

namespace {

class Heard final : public Observer {
public:
    void on_limiter(const LimiterEvent& event) noexcept override {
        said += event.shared ? "shared\n" : std::string{event.error->what()} + "\n";
    }
    std::string said = {};
};

/// Limiters whose clock is a test's, and the database's one that goes with it.
struct Limiters {
    explicit Limiters(const TestPostgres& server, const std::string& database)
        : url(server.url(database)) {
        REQUIRE(PostgresLimiter::migrate(url).has_value());
        server.psql(database, movable_time);
        connection = connection_to(url);
        pass(1h);
    }

    PostgresLimiterOptions options() const {
        PostgresLimiterOptions options;
        options.timeout = 30s;
        options.own_thread = false;
        options.clock = clock;
        options.observer = heard;
        return options;
    }
    std::vector<SendingProcess> several(int count) {
        std::vector<SendingProcess> processes;
        for (int i = 0; i < count; ++i) {
            processes.emplace_back(std::make_shared<PostgresLimiter>(url, options()), 4);
        }
        for (int i = 0; i < 2; ++i) {
            clock->advance(1s);
            pass(1s);
            for (auto& process : processes) process.limiter->fetch();
        }
        return processes;
    }
    /// Of the database alone.
    void pass(std::chrono::milliseconds passed) {
        static_cast<void>(
            connection->run_script("update public.test_time set microseconds = microseconds + " +
                                   std::to_string(passed.count() * 1'000)));
    }
    void send(std::vector<SendingProcess>& processes, SentSlots& sent,
              std::chrono::milliseconds how_long) {
        run_limited(
            *clock, processes, sent, how_long, [&](auto passed) { pass(passed); }, 10ms);
    }
    MonotonicTime now() const { return clock->monotonic_now(); }

    std::string url;
    std::unique_ptr<detail::PostgresConnection> connection;
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<Heard> heard = std::make_shared<Heard>();
};

}  // namespace

TEST_CASE("processes keep together to a limit in PostgreSQL") {
    if (lacks_postgres()) return;
    Database database;
    Limiters limiters{database.server, database.name};
    auto processes = limiters.several(4);
    SentSlots sent;
    const auto begin = limiters.now();
    limiters.send(processes, sent, 10s);
    CHECK(sent.between(begin, begin + 10s) <= 80 * 10 * 101 / 100 + 1);
    CHECK(sent.between(begin, begin + 10s) >= 80 * 10 * 97 / 100);
    for (const auto& process : processes) {
        CHECK(process.limiter->state().questions <= 6 * 12);
        CHECK(process.limiter->state().processes == 4);
    }
    CHECK(database.psql("select count(*) from twiliowa.limiter_process") == "4");
    CHECK(database.psql("select count(*), min(length(sender)) from twiliowa.limiter_sender") ==
          "1|64");
}

TEST_CASE("a database whose clock was set back lets permits go all the same") {
    if (lacks_postgres()) return;
    Database database;
    Limiters limiters{database.server, database.name};
    auto processes = limiters.several(1);
    SentSlots sent;
    limiters.send(processes, sent, 1s);
    limiters.pass(-30min);
    const auto begin = limiters.now();
    limiters.send(processes, sent, 10s);
    CHECK(sent.between(begin, begin + 10s) >= 80 * 10 * 90 / 100);
    CHECK(processes[0].limiter->state().shared);
}

TEST_CASE("a PostgreSQL that is killed stops nothing, and is used again when it is back") {
    if (lacks_postgres()) return;
    TestPostgres server;
    const auto name = server.new_database();
    Limiters limiters{server, name};
    auto processes = limiters.several(4);
    SentSlots sent;
    limiters.send(processes, sent, 2s);
    limiters.heard->said.clear();
    server.kill_now();
    const auto gone = limiters.now();
    limiters.send(processes, sent, 60s);
    CHECK(sent.between(gone, gone + 60s) <= 80 * 60 * 12 / 10);
    CHECK(sent.between(gone, gone + 60s) >= 80 * 60 * 95 / 100);
    CHECK(limiters.heard->said == containing("cannot be reached"));
    for (const auto& process : processes) CHECK_FALSE(process.limiter->state().shared);
    server.start();
    const auto back = limiters.now();
    limiters.send(processes, sent, 10s);
    for (const auto& process : processes) CHECK(process.limiter->state().shared);
    CHECK(sent.between(back, back + 10s) <= 80 * 10 * 12 / 10);
    CHECK(sent.between(back, back + 10s) >= 80 * 10 * 90 / 100);
}

TEST_CASE("a limiter makes its tables when the server first answers, or says that it may not") {
    if (lacks_postgres()) return;
    Database database;
    const auto heard = std::make_shared<Heard>();
    const auto clock = std::make_shared<ManualClock>();
    const PostgresLimiterOptions without{
        .create = false, .timeout = 30s, .own_thread = false, .observer = heard, .clock = clock};
    PostgresLimiter waits{database.url(), without};
    CHECK_FALSE(waits.state().shared);
    CHECK(heard->said == containing("lacks its tables of the limiter"));
    SUBCASE("made by another") {
        const PostgresLimiter makes{database.url(), {.own_thread = false, .clock = clock}};
        CHECK(makes.state().shared);
    }
    SUBCASE("made by the owner of the database") {
        database.psql(PostgresLimiter::migration_sql());
    }
    clock->advance(1s);
    waits.fetch();
    CHECK(waits.state().shared);
}

TEST_CASE("limiters of other names share nothing, and a wrong option is refused") {
    if (lacks_postgres()) return;
    Database database;
    const PostgresLimiterOptions options{.name = "a", .timeout = 30s, .own_thread = false};
    PostgresLimiter one{database.url(), options};
    PostgresLimiter two{database.url(), options};
    CHECK(two.state().processes == 2);
    PostgresLimiter other{database.url(), {.name = "b", .timeout = 30s, .own_thread = false}};
    CHECK(other.state().processes == 1);
    CHECK_THROWS_AS((PostgresLimiter{database.url(), {.timeout = 0ms}}), InvalidRequestError);
    CHECK_THROWS_AS((PostgresLimiter{database.url(), {.burst = 0}}), InvalidRequestError);
    CHECK_THROWS_AS((PostgresLimiter{"postgresql://a:canary@h/d"}), InvalidRequestError);
}

}  // namespace postgres_limiter_test
