#include "webhook_handler/event_desk.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>

#include <twiliowa/testing/manual_clock.hpp>

#include "support/store_doubles.hpp"

namespace event_desk_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using twiliowa::detail::EventDesk;
using twiliowa::testing::ManualClock;
using twiliowa::testing::SteppedStore;

namespace {

struct Desk {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<SteppedStore> store =
        std::make_shared<SteppedStore>(MemoryStoreOptions{.clock = clock});
    std::shared_ptr<DedupStore> dedup =
        std::make_shared<DedupStore>(store, DedupOptions{.lease = 1h});
    EventKey event{.account_sid = "AC1",
                   .message_sid = "SM1",
                   .kind = "message",
                   .status = {},
                   .signature = "signature"};

    /// How long a claim of the event took, with what outcome.
    std::chrono::nanoseconds waited(EventDesk& desk, ClaimOutcome expected) {
        const auto began = clock->monotonic_now();
        CHECK(desk.claim(event)->outcome == expected);
        return clock->monotonic_now() - began;
    }
};

}  // namespace

TEST_CASE("who waited in vain leaves the place to the next one") {
    Desk d;
    EventDesk desk{d.dedup, d.clock, 1s};
    CHECK(d.waited(desk, ClaimOutcome::claimed) == 0s);
    CHECK(d.waited(desk, ClaimOutcome::running) == 1s);
    CHECK(d.waited(desk, ClaimOutcome::running) == 1s);
}

TEST_CASE("where nobody may wait a running event is told at once") {
    Desk d;
    EventDesk desk{d.dedup, d.clock, 0s};
    CHECK(d.waited(desk, ClaimOutcome::claimed) == 0s);
    CHECK(d.waited(desk, ClaimOutcome::running) == 0s);
}

TEST_CASE("who waits looks at the event five times a second, and binds the signature once") {
    Desk d;
    EventDesk desk{d.dedup, d.clock, 1s};
    CHECK(d.waited(desk, ClaimOutcome::claimed) == 0s);
    d.store->writes = 0;
    CHECK(d.waited(desk, ClaimOutcome::running) == 1s);
    CHECK(d.store->writes == 1 + 5);
}

TEST_CASE("a turn that was not finished is free again, one that was is done") {
    Desk d;
    EventDesk desk{d.dedup, d.clock, 0s};
    { const detail::EventTurn turn{*d.dedup, desk.claim(d.event).value()}; }
    {
        detail::EventTurn turn{*d.dedup, desk.claim(d.event).value()};
        CHECK(turn.finish().value());
    }
    CHECK(desk.claim(d.event)->outcome == ClaimOutcome::done);
}

}  // namespace event_desk_test
