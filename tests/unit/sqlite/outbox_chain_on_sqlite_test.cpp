/// One message after another, in a file.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include "unit/outbox/outbox_chain.hpp"
#include "unit/sqlite/file_service.hpp"

namespace outbox_chain_on_sqlite_test {

using chain_test::Engine;
using sqlite_test::TestDirectory;
using twiliowa::testing::ManualClock;

namespace {

/// Each storage in a file of its own.
Engine in_files_of(const std::string& directory) {
    return [directory, number = 0](const std::shared_ptr<ManualClock>& clock) mutable {
        const auto path = directory + '/' + std::to_string(++number) + ".db";
        return [path, clock] {
            return std::make_shared<twiliowa::SqliteOutbox>(
                path, twiliowa::SqliteOutboxOptions{
                          .clock = clock, .lease_clock = [clock] {
                              return twiliowa::LeaseTime{
                                  "boot", std::chrono::duration_cast<std::chrono::microseconds>(
                                              clock->monotonic_now().time_since_epoch())
                                              .count()};
                          }});
        };
    };
}

}  // namespace

TEST_CASE("a chain in a file") {
    const TestDirectory directory;
    const auto engine = in_files_of(directory.path);
    for (const auto& scenario : chain_test::scenarios()) {
        SUBCASE(scenario.name) {
            scenario.play(engine);
        }
    }
    SUBCASE("in some of the orders in which its reports may come, there is one SMS at most") {
        chain_test::report_in_all_orders(engine, 17);
    }
}

}  // namespace outbox_chain_on_sqlite_test
