/// What an outbox promises, in a PostgreSQL that several processes share.
#include <doctest/doctest.h>

#include <memory>

#include "support/at_scale.hpp"
#include "timed_database.hpp"
#include "unit/outbox/outbox_outages.hpp"
#include "unit/outbox/outbox_turns.hpp"

namespace outbox_on_postgres_test {

using namespace std::chrono_literals;
using outbox_test::Service;
using twiliowa::OnUnknown;
using twiliowa::OutboxOptions;
using twiliowa::test::at_scale;
using twiliowa::test::lacks_postgres;
using twiliowa::test::TimedDatabase;
using twiliowa::test::TimedStorage;

namespace {

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
    outbox_test::keep_order(databases.service, at_scale(12, 1'000), at_scale(8, 10));
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

}  // namespace outbox_on_postgres_test
