/// One message after another, in PostgreSQL.
#include <doctest/doctest.h>

#include <memory>

#include "timed_database.hpp"
#include "unit/outbox/outbox_chain.hpp"

namespace outbox_chain_on_postgres_test {

using chain_test::Engine;
using twiliowa::test::lacks_postgres;
using twiliowa::test::TimedDatabase;
using twiliowa::test::TimedStorage;
using twiliowa::testing::ManualClock;

namespace {

/// One storage after the other in the same database.
Engine in_database(const TimedDatabase& database) {
    return [&database](const std::shared_ptr<ManualClock>& clock) {
        database.clear();
        return [&database, clock] { return std::make_shared<TimedStorage>(database.url(), clock); };
    };
}

}  // namespace

TEST_CASE("a chain in PostgreSQL") {
    if (lacks_postgres()) return;
    static const TimedDatabase database;
    const auto engine = in_database(database);
    for (const auto& scenario : chain_test::scenarios()) {
        SUBCASE(scenario.name) {
            scenario.play(engine);
        }
    }
    SUBCASE("in some of the orders in which its reports may come, there is one SMS at most") {
        chain_test::report_in_all_orders(engine, 41);
    }
}

}  // namespace outbox_chain_on_postgres_test
