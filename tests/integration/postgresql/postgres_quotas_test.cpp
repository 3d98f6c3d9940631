#include <twiliowa/postgresql/postgres_quotas.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/state/quotas.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/check_quota_storage.hpp>

#include "database.hpp"
#include "support/show.hpp"

namespace postgres_quotas_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using twiliowa::testing::check_quota_storage;

namespace {

using Faults = std::vector<std::string>;

std::shared_ptr<PostgresQuotas> opened_quotas(const std::string& url, int connections = 4) {
    return std::make_shared<PostgresQuotas>(
        url, PostgresQuotasOptions{
                 .connections = connections, .connect_timeout = 30s, .statement_timeout = 30s});
}

Quotas quotas_in(const std::string& url) {
    return Quotas{opened_quotas(url),
                  {.windows = {QuotaWindow::per_minute(30), QuotaWindow::per_month(100)}}};
}

/// A database whose time is moved by hand.
struct QuotaDatabase : Database {
    QuotaDatabase() {
        PostgresQuotas::migrate(url());
        psql(
            "create table public.moved (now timestamptz); "
            "insert into public.moved values (pg_catalog.clock_timestamp()); "
            "create or replace function twiliowa.now() returns timestamptz language sql stable "
            "as 'select now from public.moved'");
    }
    void pass(std::chrono::microseconds time) const {
        psql("update public.moved set now = now + " + std::to_string(time.count()) +
             " * interval '1 microsecond'");
    }
    void set(const std::string& time) const {
        psql("update public.moved set now = '" + time + "'");
    }
};

}  // namespace

TEST_CASE("PostgresQuotas keep the contract of a storage") {
    if (lacks_postgres()) return;
    const QuotaDatabase d;
    const auto pass = [&](auto time) { d.pass(time); };
    CHECK(check_quota_storage([&] { return opened_quotas(d.url(), 1); }, {.pass_time = pass}) ==
          Faults{});
    const auto one = opened_quotas(d.url());
    CHECK(check_quota_storage([&] { return one; }, {.pass_time = pass}) == Faults{});
}

TEST_CASE("PostgresQuotas keep the contract by the server's own time, and through PgBouncer") {
    if (lacks_pgbouncer()) return;
    const Database d;
    CHECK(check_quota_storage([&] { return opened_quotas(d.url(), 1); }) == Faults{});
    const TestPgBouncer bouncer{d.server};
    const auto pooled = opened_quotas(bouncer.url(d.name));
    CHECK(check_quota_storage([&] { return pooled; }, {.threads = 2}) == Faults{});
}

TEST_CASE(
    "months are the server's, in UTC, and what was counted is there when it is opened again") {
    if (lacks_postgres()) return;
    const QuotaDatabase d;
    d.set("2026-11-30 23:59:59.5+00");
    CHECK(quotas_in(d.url()).reserve({"org", "a", 30}).value().granted);
    const auto november = quotas_in(d.url()).read("org").value();
    CHECK(november[1].used == 30);
    CHECK(november[1].renews == TimePoint{std::chrono::sys_days{std::chrono::year{2026} / 12 / 1}});
    d.set("2026-12-01 00:00:00+00");
    const auto december = quotas_in(d.url());
    CHECK(december.read("org").value()[1].used == 0);
    CHECK(december.settle({"org", "a", 30}, 7).value() == QuotaEnd::done);
    CHECK(december.read("org").value()[1].used == 0);
    const TimePoint first{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1}};
    const auto days = december.usage_by_day("org", first, first + 24h * 60).value();
    REQUIRE(days.size() == 1);
    CHECK(days.front().used == 7);
}

TEST_CASE("quotas of different tenants do not wait for one another") {
    if (lacks_postgres()) return;
    const QuotaDatabase d;
    const auto quotas = quotas_in(d.url());
    CHECK(quotas.reserve({"org", "a", 1}).value().granted);
    const auto held = d.connect();
    REQUIRE(held->run_script("begin; select pg_catalog.pg_advisory_xact_lock(1953976693, "
                             "pg_catalog.hashtext(pg_catalog.encode('org', 'hex')))")
                .has_value());
    CHECK(quotas.reserve({"other", "a", 1}).value().granted);
    const Quotas hurried{
        std::make_shared<PostgresQuotas>(d.url(), PostgresQuotasOptions{.statement_timeout = 1s}),
        {.windows = {QuotaWindow::per_minute(30)}}};
    CHECK(is_store_error(hurried.reserve({"org", "b", 1}).error()));
    REQUIRE(held->run_script("rollback").has_value());
    CHECK(hurried.reserve({"org", "b", 1}).value().granted);
}

TEST_CASE("a server that goes away grants nothing, and counts on when it is back") {
    if (lacks_postgres()) return;
    TestPostgres server;
    const auto quotas = quotas_in(server.url(server.new_database()));
    CHECK(quotas.reserve({"org", "a", 20}).value().granted);
    server.kill_now();
    const auto answer = quotas.reserve({"canary", "canary", 1});
    CHECK(is_store_error(answer.error()));
    CHECK(std::string{answer.error().what()}.find("canary") == std::string::npos);
    server.start();
    CHECK(quotas.reserve({"org", "a", 20}).value().granted_before);
    CHECK(quotas.read("org").value()[1].used == 20);
}

TEST_CASE("the tables of quotas are made by who may, or by their script") {
    if (lacks_postgres()) return;
    const Database d;
    CHECK_THROWS_AS(PostgresQuotas(d.url(), {.create = false}), TransportError);
    d.psql(PostgresQuotas::migration_sql());
    CHECK_NOTHROW(PostgresQuotas(d.url(), {.create = false}));
    CHECK(d.psql("select version from twiliowa.schema_version where component = 'quotas'") == "1");
    PostgresQuotas::migrate(d.url());
    CHECK_THROWS_AS(PostgresQuotas(d.url(), {.connections = 0}), InvalidRequestError);
    CHECK_THROWS_AS(PostgresQuotas(d.url(), {.statement_timeout = 0ms}), InvalidRequestError);
}

}  // namespace postgres_quotas_test
