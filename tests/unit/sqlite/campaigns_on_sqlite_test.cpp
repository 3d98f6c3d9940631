/// Campaigns over days in which everything goes wrong, in a file.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/sqlite/sqlite_consents.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/sqlite/sqlite_store.hpp>

#include "support/at_scale.hpp"
#include "unit/campaign/campaign_theatre.hpp"
#include "unit/campaign/forgotten_customer.hpp"
#include "unit/sqlite/file_service.hpp"

namespace campaigns_on_sqlite_test {

using namespace std::chrono_literals;
using campaign_test::day;
using campaign_test::Theatre;
using campaign_test::TheatreOptions;
using sqlite_test::Database;
using sqlite_test::TestDirectory;
using twiliowa::test::at_scale;
using twiliowa::testing::ManualClock;

namespace {

TheatreOptions in_a_file(const std::string& directory, twiliowa::TimePoint start,
                         std::uint32_t seed) {
    return {.start = start,
            .recipients = at_scale(300, 10'000),
            .open =
                [directory](const std::shared_ptr<ManualClock>& clock) {
                    return std::make_shared<twiliowa::SqliteOutbox>(
                        directory + "/outbox.db",
                        twiliowa::SqliteOutboxOptions{
                            .clock = clock, .lease_clock = [clock] {
                                return twiliowa::LeaseTime{
                                    "boot", std::chrono::duration_cast<std::chrono::microseconds>(
                                                clock->monotonic_now().time_since_epoch())
                                                .count()};
                            }});
                },
            .seed = seed};
}

/// Of all tables, and quoted.
std::vector<std::pair<std::string, std::string>> columns_of(const Database& database) {
    std::vector<std::pair<std::string, std::string>> columns;
    std::istringstream lines{database.text_of(
        "select '\"' || t.name || '\" \"' || c.name || '\"' || char(10) from sqlite_master as t "
        "join pragma_table_info(t.name) as c where t.type = 'table'")};
    std::string table;
    std::string column;
    while (lines >> table >> column) columns.emplace_back(table, column);
    return columns;
}

}  // namespace

TEST_CASE("who is forgotten is in no column of any file any more, however they were known") {
    const TestDirectory directory;
    const auto clock = std::make_shared<ManualClock>();
    const auto jobs = directory.path + "/outbox.db";
    const auto state = directory.path + "/state.db";
    const auto consents = directory.path + "/consents.db";
    const auto that_hold = [&](std::string_view text) {
        std::vector<std::string> places;
        for (const auto& file : {jobs, state, consents}) {
            const Database database{file};
            for (const auto& column : columns_of(database)) {
                const auto count = database.text_of(
                    "select count(*) from " + column.first + " where instr(cast(" + column.second +
                    " as blob), cast('" + std::string{text} + "' as blob)) > 0");
                if (count != "0") places.push_back(column.first + '.' + column.second + count);
            }
        }
        return places;
    };
    campaign_test::forget_without_trace(
        {.clock = clock,
         .jobs = in_a_file(directory.path, {}, 0).open(clock),
         .store = std::make_shared<twiliowa::SqliteStore>(state),
         .consents = std::make_shared<twiliowa::SqliteConsents>(consents),
         .that_hold = that_hold});
}

TEST_CASE("in a file nobody gets a message twice or at night, when the clocks go forward" *
          doctest::test_suite("at scale")) {
    const TestDirectory directory;
    Theatre theatre{in_a_file(directory.path, day(2026, 3, 27) + 15h, 2)};
    theatre.play();
    theatre.check();
}

TEST_CASE("in a file nobody gets a message twice or at night, when the clocks go back" *
          doctest::test_suite("at scale")) {
    const TestDirectory directory;
    Theatre theatre{in_a_file(directory.path, day(2026, 10, 23) + 15h, 3)};
    theatre.play();
    theatre.check();
}

}  // namespace campaigns_on_sqlite_test
