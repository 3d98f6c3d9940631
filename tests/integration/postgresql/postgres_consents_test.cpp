#include <twiliowa/postgresql/postgres_consents.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/testing/check_consent_storage.hpp>

#include "database.hpp"
#include "support/show.hpp"

namespace postgres_consents_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using twiliowa::testing::check_consent_storage;

namespace {

using Faults = std::vector<std::string>;

std::shared_ptr<PostgresConsents> opened_consents(const std::string& url, int connections = 4) {
    return std::make_shared<PostgresConsents>(
        url, PostgresConsentsOptions{
                 .connections = connections, .connect_timeout = 30s, .statement_timeout = 30s});
}

}  // namespace

TEST_CASE("PostgresConsents keep the contract of a storage") {
    if (lacks_postgres()) return;
    const Database d;
    CHECK(check_consent_storage([&] { return opened_consents(d.url(), 1); }) == Faults{});
    const auto one = opened_consents(d.url());
    CHECK(check_consent_storage([&] { return one; }) == Faults{});
}

TEST_CASE("PostgresConsents keep the contract through PgBouncer") {
    if (lacks_pgbouncer()) return;
    const Database d;
    PostgresConsents::migrate(d.url());
    const TestPgBouncer bouncer{d.server};
    const auto pooled = opened_consents(bouncer.url(d.name));
    CHECK(check_consent_storage([&] { return pooled; }, {.threads = 2}) == Faults{});
}

TEST_CASE("tables of consents are made by who may, from a script or not at all") {
    if (lacks_postgres()) return;
    const Database d;
    CHECK_THROWS_AS((PostgresConsents{d.url(), {.create = false}}), TransportError);
    d.psql(PostgresConsents::migration_sql());
    PostgresConsents consents{d.url(), {.create = false}};
    const ConsentRecord record{"person", "marketing", ConsentChange::granted, TimePoint{1s},
                               "slip"};
    CHECK(consents.add({&record, 1}).value() == 1);
}

}  // namespace postgres_consents_test
