#include <twiliowa/testing/memory_outbox.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <twiliowa/testing/check_inbox_storage.hpp>
#include <twiliowa/testing/check_outbox_storage.hpp>
#include <twiliowa/types/error.hpp>

namespace memory_outbox_test {

using namespace twiliowa;
using twiliowa::testing::check_inbox_storage;
using twiliowa::testing::check_outbox_storage;
using twiliowa::testing::MemoryOutbox;

TEST_CASE("a MemoryOutbox keeps the contract of an outbox's storage") {
    const auto storage = std::make_shared<MemoryOutbox>();
    std::string faults;
    for (const auto& fault : check_outbox_storage([&] { return storage; })) faults += fault + '\n';
    CHECK(faults == "");
}

TEST_CASE("a MemoryOutbox keeps the contract of an inbox's storage") {
    const auto storage = std::make_shared<MemoryOutbox>();
    std::string faults;
    for (const auto& fault : check_inbox_storage([&] { return storage; })) faults += fault + '\n';
    CHECK(faults == "");
}

TEST_CASE("check_outbox_storage refuses what it cannot check") {
    CHECK_THROWS_AS(static_cast<void>(check_outbox_storage({})), InvalidRequestError);
    CHECK_THROWS_AS(
        static_cast<void>(check_outbox_storage([] { return std::shared_ptr<OutboxStorage>{}; })),
        InvalidRequestError);
    const auto open = [] { return std::make_shared<MemoryOutbox>(); };
    CHECK_THROWS_AS(static_cast<void>(check_outbox_storage(open, {.threads = 0})),
                    InvalidRequestError);
    CHECK_THROWS_AS(static_cast<void>(check_outbox_storage(open, {.works_per_thread = 0})),
                    InvalidRequestError);
}

TEST_CASE("check_inbox_storage refuses what it cannot check") {
    CHECK_THROWS_AS(static_cast<void>(check_inbox_storage({})), InvalidRequestError);
    CHECK_THROWS_AS(
        static_cast<void>(check_inbox_storage([] { return std::shared_ptr<OutboxStorage>{}; })),
        InvalidRequestError);
    const auto open = [] { return std::make_shared<MemoryOutbox>(); };
    CHECK_THROWS_AS(static_cast<void>(check_inbox_storage(open, {.threads = 0})),
                    InvalidRequestError);
    CHECK_THROWS_AS(static_cast<void>(check_inbox_storage(open, {.works_per_thread = 0})),
                    InvalidRequestError);
}

TEST_CASE("a state of an inbox is known by its name") {
    for (const auto state : {InboxState::waiting, InboxState::running, InboxState::done,
                             InboxState::dead, InboxState::dropped}) {
        CHECK(parse_inbox_state(to_string(state)) == state);
    }
    CHECK(to_string(InboxState::running) == "running");
    CHECK_FALSE(parse_inbox_state("Running").has_value());
    CHECK_FALSE(parse_inbox_state("").has_value());
}

}  // namespace memory_outbox_test
