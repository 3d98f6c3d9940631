/// Campaigns over days in which everything goes wrong, in memory.
#include <doctest/doctest.h>

#include <twiliowa/testing/memory_outbox.hpp>

#include "support/at_scale.hpp"
#include "unit/campaigns/campaign_theatre.hpp"

namespace campaign_theatre_test {

using namespace std::chrono_literals;
using campaign_test::day;
using campaign_test::Theatre;
using twiliowa::testing::ManualClock;
using twiliowa::testing::MemoryOutbox;

TEST_CASE("nobody gets a message twice or at night, when the clocks go forward") {
    const auto storage = std::make_shared<std::shared_ptr<MemoryOutbox>>();
    Theatre theatre{{.start = day(2026, 3, 27) + 15h,
                     .recipients = 200,
                     .open = [storage](const std::shared_ptr<ManualClock>& clock) {
                         if (!*storage) *storage = std::make_shared<MemoryOutbox>(clock);
                         return *storage;
                     }}};
    theatre.play();
    theatre.check();
}

}  // namespace campaign_theatre_test
