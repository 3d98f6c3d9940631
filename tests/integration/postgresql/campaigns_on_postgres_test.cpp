/// Campaigns over days in which everything goes wrong, in PostgreSQL.
#include <doctest/doctest.h>

#include "support/at_scale.hpp"
#include "timed_database.hpp"
#include "unit/campaign/campaign_theatre.hpp"

namespace campaigns_on_postgres_test {

using namespace std::chrono_literals;
using campaign_test::day;
using campaign_test::Theatre;
using twiliowa::test::at_scale;
using twiliowa::test::lacks_postgres;
using twiliowa::test::TimedDatabase;
using twiliowa::test::TimedStorage;
using twiliowa::testing::ManualClock;

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
