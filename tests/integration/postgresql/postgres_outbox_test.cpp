/// The jobs of an outbox in a PostgreSQL: what the engine promises, and what is PostgreSQL's own.
#include <twiliowa/postgresql/postgres_outbox.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <twiliowa/testing/check_outbox_storage.hpp>

#include "database.hpp"
#include "support/show.hpp"

namespace postgres_outbox_test {

using namespace twiliowa;
using namespace twiliowa::test;

namespace {

std::string shown(const std::vector<std::string>& faults) {
    std::string text;
    for (const auto& fault : faults) text += fault + '\n';
    return text;
}

/// As a program of another language hands over.
auto strangers_of(const Database& database) {
    return [&database](std::string_view key, std::string_view payload) {
        database.psql("select * from twiliowa.enqueue('{\"key\": \"" + std::string{key} +
                      "\", \"message\": " + std::string{payload} + "}')");
    };
}

}  // namespace

TEST_CASE("an outbox in PostgreSQL keeps the contract of a storage") {
    if (lacks_postgres()) return;
    const Database database;
    const auto faults = testing::check_outbox_storage(
        [&] { return std::make_shared<PostgresOutbox>(database.url()); },
        {.insert_as_stranger = strangers_of(database)});
    CHECK(shown(faults) == "");
}

TEST_CASE("it keeps it through PgBouncer in transaction mode, too") {
    if (lacks_pgbouncer()) return;
    const Database database;
    const TestPgBouncer bouncer{database.server};
    const auto faults = testing::check_outbox_storage(
        [&] { return std::make_shared<PostgresOutbox>(bouncer.url(database.name)); },
        {.insert_as_stranger = strangers_of(database)});
    CHECK(shown(faults) == "");
}

}  // namespace postgres_outbox_test
