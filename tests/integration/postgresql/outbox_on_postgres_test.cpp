/// What an outbox promises, in a PostgreSQL that several processes share.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "postgresql/outbox_schema.hpp"
#include "support/at_scale.hpp"
#include "timed_database.hpp"
#include "unit/outbox/outbox_outages.hpp"
#include "unit/outbox/outbox_telling.hpp"
#include "unit/outbox/outbox_turns.hpp"

namespace outbox_on_postgres_test {

using namespace std::chrono_literals;
using outbox_test::Service;
using twiliowa::JobState;
using twiliowa::OnUnknown;
using twiliowa::OutboxOptions;
using twiliowa::PostgresOutbox;
using twiliowa::PostgresOutboxOptions;
using twiliowa::test::at_scale;
using twiliowa::test::Database;
using twiliowa::test::lacks_postgres;
using twiliowa::test::TimedDatabase;
using twiliowa::test::TimedStorage;

namespace {

namespace detail = twiliowa::detail;

/// A service whose jobs are in a database of its own.
struct DatabaseService {
    explicit DatabaseService(OutboxOptions options = {}) : service(std::move(options)) {
        service.wrapped = [this] {
            return std::make_shared<TimedStorage>(database.url(), service.clock);
        };
        service.restart();
    }
    DatabaseService(const DatabaseService&) = delete;
    DatabaseService& operator=(const DatabaseService&) = delete;
    ~DatabaseService() { service.outbox.reset(); }

    TimedDatabase database;
    Service service;
};

}  // namespace

// ---- Whose turn it is

TEST_CASE("in PostgreSQL a tenant with few waits at most twice as long as alone" *
          doctest::test_suite("at scale")) {
    if (lacks_postgres()) return;
    DatabaseService databases;
    outbox_test::take_turns(databases.service, at_scale(1'000, 100'000));
}

TEST_CASE("in PostgreSQL what is urgent waits for what is under way, and for nothing that waits" *
          doctest::test_suite("at scale")) {
    if (lacks_postgres()) return;
    DatabaseService databases;
    outbox_test::let_urgent_pass(databases.service, at_scale(1'000, 20'000));
}

TEST_CASE("in PostgreSQL jobs of an order_key go in the order in which they were taken in" *
          doctest::test_suite("at scale")) {
    if (lacks_postgres()) return;
    DatabaseService databases{{.on_unknown = OnUnknown::resend_after(10min, 2)}};
    outbox_test::keep_order(databases.service, at_scale(12, 200), at_scale(8, 10));
}

// ---- Twilio fails

TEST_CASE("in PostgreSQL five minutes of Twilio's failures make few outcomes unknown" *
          doctest::test_suite("at scale")) {
    if (lacks_postgres()) return;
    DatabaseService databases{{.concurrency = 6}};
    outbox_test::outlast_an_outage(databases.service, at_scale(300, 50'000));
}

TEST_CASE("in PostgreSQL of identical texts as many are taken to be sent as there are" *
          doctest::test_suite("at scale")) {
    if (lacks_postgres()) return;
    DatabaseService databases{{.exclusive_senders = true}};
    outbox_test::tell_twins(databases.service, at_scale(400, 20'000));
}

TEST_CASE("in PostgreSQL what the list shows late goes twice where the policy is quicker") {
    if (lacks_postgres()) return;
    constexpr int lost = 3;
    DatabaseService patient{{.on_unknown = OnUnknown::resend_after(1h)}};
    outbox_test::wait_for_a_late_list(patient.service, lost, 0);
    DatabaseService hasty{{.on_unknown = OnUnknown::resend_after(1min, 2)}};
    outbox_test::wait_for_a_late_list(hasty.service, lost, lost);
}

// ---- Who is told

TEST_CASE("of those who work on one database one is told at a time, and another after it") {
    if (lacks_postgres()) return;
    DatabaseService databases;
    const auto open = [&] {
        return std::make_shared<TimedStorage>(databases.database.url(), databases.service.clock);
    };
    SUBCASE("while one tells") {
        outbox_test::tell_by_one(databases.service, open);
    }
    SUBCASE("after one that died") {
        outbox_test::tell_after_the_dead(databases.service, open);
    }
    SUBCASE("beside one that stood still") {
        outbox_test::tell_no_more_without_a_lease(databases.service, open);
    }
}

// ---- Another version of the tables

TEST_CASE("tables are brought up to date beside those who work, and no row is written anew" *
          doctest::test_suite("at scale")) {
    if (lacks_postgres()) return;
    const Database database;
    const detail::PostgresMigration before{"outbox", detail::outbox_migration().steps.first(1)};
    REQUIRE(detail::migrate(*database.connect(), before).has_value());
    const auto many = std::to_string(at_scale(1'000, 1'000'000));
    database.psql(
        "insert into twiliowa.job (id, key, content_hash, created_at, has_payload, not_before, "
        "updated_at) select decode(lpad(to_hex(i), 20, '0'), 'hex'), convert_to('k' || i, 'UTF8'), "
        "'hash', 0, false, 9000000000000000, 0 from generate_series(1, " +
        many +
        ") as i; insert into twiliowa.job_key (tenant, key, job) select tenant, key, id from "
        "twiliowa.job; insert into twiliowa.job_tally values ('', 0, " +
        many + ")");
    const auto files = [&] {
        return database.psql(
            "select string_agg(relname || '=' || relfilenode, ' ' order by relname) from pg_class "
            "where relnamespace = 'twiliowa'::regnamespace and relkind in ('r', 'i') and "
            "relname ~ '^job' and relname !~ '^job_done_[0-9]' and relname !~ "
            "'job_ready|campaign'");
    };
    const auto of_before = files();
    Service service;
    // Who works waits as long as the index of a million takes on a busy machine.
    const PostgresOutboxOptions patiently{.statement_timeout = 5min};
    service.wrapped = [&] { return std::make_shared<PostgresOutbox>(database.url(), patiently); };
    service.restart();
    std::atomic<bool> migrated{false};
    int sent = 0;
    std::thread worker{[&] {
        // Some before, and some after.
        for (int left = 5; left > 0; left -= migrated ? 1 : 0) {
            service.enqueue("Text " + std::to_string(sent++));
            service.outbox->run_until_idle();
        }
    }};
    CHECK(PostgresOutbox::migrate(database.url()).has_value());
    migrated = true;
    worker.join();
    CHECK(files() == of_before);
    CHECK(service.outbox->counts().of(JobState::accepted) == sent);
    CHECK(static_cast<int>(service.at_twilio()) == sent);
    CHECK(database.psql("select version from twiliowa.schema_version where component = 'outbox'") ==
          std::to_string(detail::outbox_migration().newest()));
}

}  // namespace outbox_on_postgres_test
