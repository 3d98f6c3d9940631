/// Whose turn it is among many: tenants, lanes, and jobs of one order_key, in a file and in memory.
#include <doctest/doctest.h>

#include "support/at_scale.hpp"
#include "unit/outbox/outbox_turns.hpp"
#include "unit/sqlite/file_service.hpp"

namespace outbox_turns_test {

using namespace std::chrono_literals;
using sqlite_test::FileService;
using twiliowa::OnUnknown;
using twiliowa::test::at_scale;

TEST_CASE("a tenant with few waits at most twice as long as alone, however many another has" *
          doctest::test_suite("at scale")) {
    int many = at_scale(1'000, 100'000);
    FileService files;
    SUBCASE("in a file") {}
    SUBCASE("in memory") {
        many = at_scale(1'000, 20'000);
        files.service.wrapped = {};
    }
    outbox_test::take_turns(files.service, many);
}

TEST_CASE("what is urgent waits for what is under way, and for nothing that waits" *
          doctest::test_suite("at scale")) {
    FileService files;
    SUBCASE("in a file") {}
    SUBCASE("in memory") {
        files.service.wrapped = {};
    }
    outbox_test::let_urgent_pass(files.service, at_scale(1'000, 20'000));
}

TEST_CASE("jobs of an order_key go in the order in which they were taken in, whatever fails" *
          doctest::test_suite("at scale")) {
    int keys = at_scale(12, 1'000);
    FileService files{{.on_unknown = OnUnknown::resend_after(10min, 2)}};
    SUBCASE("in a file") {}
    SUBCASE("in memory") {
        // It looks at each job in each step.
        keys = at_scale(12, 100);
        files.service.wrapped = {};
        files.service.restart();
    }
    outbox_test::keep_order(files.service, keys, at_scale(8, 100));
}

}  // namespace outbox_turns_test
