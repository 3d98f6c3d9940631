/// Campaigns over days in which everything goes wrong, in PostgreSQL.
#include <doctest/doctest.h>

#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/postgresql/postgres_consents.hpp>
#include <twiliowa/postgresql/postgres_store.hpp>

#include "support/at_scale.hpp"
#include "timed_database.hpp"
#include "unit/campaigns/campaign_theatre.hpp"
#include "unit/campaigns/forgotten_customer.hpp"

namespace campaigns_on_postgres_test {

using namespace std::chrono_literals;
using campaign_test::day;
using campaign_test::Theatre;
using twiliowa::test::at_scale;
using twiliowa::test::lacks_postgres;
using twiliowa::test::TimedDatabase;
using twiliowa::test::TimedStorage;
using twiliowa::testing::ManualClock;

namespace {

/// Without the end of the line.
std::string trimmed(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

}  // namespace

TEST_CASE("who is forgotten is in no column of the database any more, however they were known") {
    if (lacks_postgres()) return;
    const TimedDatabase database;
    const auto clock = std::make_shared<ManualClock>();
    // What is bytes is shown by its digits.
    const auto that_hold = [&](std::string_view text) {
        const auto hex =
            database.psql("select encode(convert_to('" + std::string{text} + "', 'UTF8'), 'hex')");
        const auto counts = database.psql(
            "select string_agg(format('select %L || count(*) from %I.%I where position(%L in "
            "%I::text) > 0 or position(%L in %I::text) > 0', table_name || '.' || column_name || "
            "' ', table_schema, table_name, '" +
            std::string{text} + "', column_name, '" + trimmed(hex) +
            "', column_name), ' union all ') from information_schema.columns where table_schema = "
            "'twiliowa'");
        std::vector<std::string> places;
        std::istringstream lines{database.psql(counts)};
        for (std::string line; std::getline(lines, line);) {
            if (!line.empty() && !line.ends_with(" 0")) places.push_back(line);
        }
        return places;
    };
    twiliowa::PostgresStore::migrate(database.url());
    twiliowa::PostgresConsents::migrate(database.url());
    campaign_test::forget_without_trace(
        {.clock = clock,
         .jobs = std::make_shared<TimedStorage>(database.url(), clock),
         .store = std::make_shared<twiliowa::PostgresStore>(database.url()),
         .consents = std::make_shared<twiliowa::PostgresConsents>(database.url()),
         .that_hold = that_hold});
}

TEST_CASE("in PostgreSQL nobody gets a message twice or at night, when the clocks go forward" *
          doctest::test_suite("at scale")) {
    if (lacks_postgres()) return;
    const TimedDatabase database;
    Theatre theatre{{.start = day(2026, 3, 27) + 15h,
                     .recipients = at_scale(200, 10'000),
                     .open =
                         [&](const std::shared_ptr<ManualClock>& clock) {
                             return std::make_shared<TimedStorage>(database.url(), clock);
                         },
                     .seed = 4}};
    theatre.play();
    theatre.check();
}

}  // namespace campaigns_on_postgres_test
