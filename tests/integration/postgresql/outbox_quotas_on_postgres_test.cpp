/// Quotas of jobs in a PostgreSQL that several processes share.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "postgresql/outbox_schema.hpp"
#include "support/show.hpp"
#include "timed_database.hpp"
#include "unit/outbox/outbox_service.hpp"

namespace outbox_quotas_on_postgres_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using outbox_test::customer;
using outbox_test::Service;
using twiliowa::test::containing;
using twiliowa::test::Database;
using twiliowa::test::lacks_postgres;
using twiliowa::test::TimedDatabase;
using twiliowa::test::TimedStorage;

namespace {

OutboxOptions with_windows(std::vector<QuotaWindow> windows, int concurrency = 50) {
    OutboxOptions options;
    options.concurrency = concurrency;
    options.quotas.emplace();
    options.quotas->windows = std::move(windows);
    return options;
}

struct QuotaDatabase {
    explicit QuotaDatabase(OutboxOptions options) : service(std::move(options)) {
        service.wrapped = [this] { return open(); };
        service.restart();
    }
    QuotaDatabase(const QuotaDatabase&) = delete;
    QuotaDatabase& operator=(const QuotaDatabase&) = delete;
    ~QuotaDatabase() { service.outbox.reset(); }

    std::shared_ptr<OutboxStorage> open() {
        return std::make_shared<TimedStorage>(database.url(), service.clock);
    }
    std::string used() const {
        return database.psql(
            "select coalesce(sum(used), 0) from twiliowa.outbox_quota_count where period = 0");
    }

    TimedDatabase database;
    Service service;
};

}  // namespace

TEST_CASE("in PostgreSQL two workers never send more than a quota holds") {
    if (lacks_postgres()) return;
    QuotaDatabase databases{with_windows({QuotaWindow::per_month(40)}, 3)};
    auto& service = databases.service;
    for (int i = 0; i < 100; ++i) {
        service.enqueue("Text " + std::to_string(i), {.quota = i % 2 == 0 ? "a" : "b"});
    }
    std::vector<std::thread> workers;
    for (int i = 0; i < 2; ++i) {
        workers.emplace_back([&] {
            Outbox own{databases.open(), service.options};
            // Who finds a quota taken is idle for now.
            while (own.counts().of(JobState::ready) > 0) own.run_until_idle();
        });
    }
    for (auto& worker : workers) worker.join();
    CHECK(service.at_twilio() == 80);
    CHECK(service.outbox->counts().of(JobState::held) == 20);
    CHECK(databases.used() == "80000");
}

TEST_CASE("in PostgreSQL what is not sent is given back, and what waits has its turn") {
    if (lacks_postgres()) return;
    QuotaDatabase databases{with_windows({QuotaWindow::per_minute(3), QuotaWindow::per_month(9)})};
    auto& service = databases.service;
    service.fake->next_fault(testing::Fault::too_many_requests, 2);
    for (int i = 0; i < 10; ++i) service.enqueue("Text " + std::to_string(i), {.quota = "org"});
    service.outbox->run_until_idle();
    CHECK(databases.used() == "1000");
    for (int minutes = 0; minutes < 8; ++minutes) {
        service.advance(1min);
        service.outbox->run_until_idle();
    }
    CHECK(service.at_twilio() == 9);
    CHECK(service.outbox->counts().of(JobState::held) == 1);
    CHECK(databases.used() == "9000");
    CHECK(databases.database.psql("select encode(counted, 'escape') ~ '^1-' and "
                                  "encode(counted, 'escape') ~ ';2[+]' "
                                  "from twiliowa.outbox_quota_job order by job limit 1") == "t");
}

TEST_CASE("in PostgreSQL programs hand over jobs with a quota by its functions") {
    if (lacks_postgres()) return;
    QuotaDatabase databases{with_windows({QuotaWindow::per_month(9)})};
    auto& service = databases.service;
    databases.database.psql(
        "select existed from twiliowa.enqueue('{\"key\": \"a\", \"quota\": \"org\", \"cost\": "
        "1500, \"message\": {\"to\": \"+447700900123\", \"body\": \"Hi\"}}')");
    databases.database.psql(
        "select existed from twiliowa.enqueue('{\"key\": \"b\", \"quota\": \"org\", \"message\": "
        "{\"to\": \"+447700900123\", \"body\": \"Ho\"}}')");
    databases.database.psql(
        "select existed from twiliowa.enqueue('{\"key\": \"c\", \"message\": "
        "{\"to\": \"+447700900123\", \"body\": \"Hu\"}}')");
    const auto connection = databases.database.connect();
    REQUIRE(connection->run_script("begin").has_value());
    const auto own =
        try_enqueue_in(connection->native(), *service.outbox,
                       OutboundText{.to = customer, .body = "Own", .from = "whatsapp:+14155238886"},
                       {.key = "d", .quota = "org", .cost = 2});
    REQUIRE(own.has_value());
    REQUIRE(connection->run_script("commit").has_value());
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 4);
    CHECK(databases.used() == "4500");
    CHECK(service.outbox->find("", "a")->cost == QuotaAmount::thousandths(1'500));
}

TEST_CASE("on earlier tables jobs go without a quota, and one that names one is refused") {
    if (lacks_postgres()) return;
    const Database database;
    const detail::PostgresMigration before{"outbox", detail::outbox_migration().steps.first(2)};
    REQUIRE(detail::migrate(*database.connect(), before).has_value());
    Service service{with_windows({QuotaWindow::per_month(9)})};
    service.wrapped = [&] { return std::make_shared<PostgresOutbox>(database.url()); };
    service.restart();
    service.enqueue("Hi");
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
    const OutboundText text{.to = customer, .body = "Ho"};
    const auto refused = service.outbox->try_enqueue(text, {.quota = "org"});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what() == containing("which keep no quotas"));
    CHECK(PostgresOutbox::migrate(database.url()).has_value());
    service.outbox->enqueue(text, {.quota = "org"});
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 2);
    CHECK(service.outbox->try_quota("org").value().at(0).used == 1);
    service.outbox.reset();
}

}  // namespace outbox_quotas_on_postgres_test
