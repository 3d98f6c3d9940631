/// Campaigns over days in which everything goes wrong, in a file.
#include <doctest/doctest.h>

#include "support/at_scale.hpp"
#include "unit/campaign/campaign_theatre.hpp"
#include "unit/sqlite/file_service.hpp"

namespace campaigns_on_sqlite_test {

using namespace std::chrono_literals;
using campaign_test::day;
using campaign_test::Theatre;
using campaign_test::TheatreOptions;
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

}  // namespace

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
