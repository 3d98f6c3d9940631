#include "outbox/inbox_machine.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

namespace inbox_machine_test {

using namespace std::chrono_literals;
using twiliowa::InboxState;
using twiliowa::LeaseTime;
using twiliowa::StoredEvent;
using twiliowa::TimePoint;
using twiliowa::detail::inbox_pause;
using twiliowa::detail::InboxMachine;
using twiliowa::detail::InboxMoment;
using twiliowa::detail::InboxRules;

namespace {

const InboxMoment now{.now = TimePoint{1'000h}, .lease_now = {"boot", 1'000'000}, .jitter = 1};
const LeaseTime lease{"boot", 11'000'000};

StoredEvent event_in(InboxState state) {
    StoredEvent event;
    event.state = state;
    event.payload = "what came in";
    event.fence = 7;
    event.tries = 2;
    event.not_before = now.now;
    if (state == InboxState::running) {
        event.worker = "w";
        event.lease_until = lease;
    }
    return event;
}

struct Arrow {
    std::string what;
    std::function<bool(InboxMachine&)> event;
    /// Where it leads from waiting, running, done, dead and dropped; what has no arrow stays.
    std::vector<InboxState> to;
};

constexpr auto waiting = InboxState::waiting;
constexpr auto running = InboxState::running;
constexpr auto done = InboxState::done;
constexpr auto dead = InboxState::dead;
constexpr auto dropped = InboxState::dropped;

}  // namespace

TEST_CASE("each thing that happens to an event has its arrow from each state, or none") {
    const std::vector<Arrow> arrows{
        {"claim",
         [](auto& m) { return m.claim("w2", lease); },
         {running, running, done, dead, dropped}},
        {"renew",
         [](auto& m) { return m.renew(7, lease); },
         {waiting, running, done, dead, dropped}},
        {"finish", [](auto& m) { return m.finish(7); }, {waiting, done, done, dead, dropped}},
        {"finish with another fence",
         [](auto& m) { return m.finish(6); },
         {waiting, running, done, dead, dropped}},
        {"fail",
         [](auto& m) { return m.fail(7, "no", false); },
         {waiting, waiting, done, dead, dropped}},
        {"fail for good",
         [](auto& m) { return m.fail(7, "no", true); },
         {waiting, dead, done, dead, dropped}},
        {"fail with another fence",
         [](auto& m) { return m.fail(8, "no", true); },
         {waiting, running, done, dead, dropped}},
        {"let go",
         [](auto& m) { return m.let_go(7, now.now, {}); },
         {waiting, waiting, done, dead, dropped}},
        {"its lease has not ended",
         [](auto& m) { return m.lease_ended(); },
         {waiting, running, done, dead, dropped}},
        {"retry", [](auto& m) { return m.retry(); }, {waiting, running, done, waiting, dropped}},
        {"drop", [](auto& m) { return m.drop({}); }, {dropped, running, done, dropped, dropped}},
    };
    const InboxState from[] = {waiting, running, done, dead, dropped};
    for (const auto& arrow : arrows) {
        for (std::size_t i = 0; i < 5; ++i) {
            auto event = event_in(from[i]);
            const InboxRules rules;
            InboxMachine machine{event, rules, now};
            CAPTURE(arrow.what);
            CAPTURE(to_string(from[i]));
            const bool changed = arrow.event(machine);
            CHECK(to_string(event.state) == to_string(arrow.to[i]));
            if (event.state != from[i]) CHECK(changed);
            if (event.state != running) CHECK(event.worker.empty());
        }
    }
}

TEST_CASE(
    "a try is counted when the event is taken up, and not given back but by who did not begin") {
    auto event = event_in(InboxState::waiting);
    event.tries = 0;
    const InboxRules rules;
    InboxMachine machine{event, rules, now};
    REQUIRE(machine.claim("w", lease));
    CHECK(event.tries == 1);
    CHECK(event.fence == 8);
    REQUIRE(machine.let_go(8, now.now, {}));
    CHECK(event.tries == 0);
    REQUIRE(machine.claim("w", lease));
    REQUIRE(machine.fail(9, "no", false));
    CHECK(event.tries == 1);
}

TEST_CASE("what is not due yet is not taken up") {
    auto event = event_in(InboxState::waiting);
    event.not_before = now.now + 1ms;
    const InboxRules rules;
    InboxMachine machine{event, rules, now};
    CHECK_FALSE(machine.claim("w", lease));
    CHECK(event.tries == 2);
}

TEST_CASE("an event whose process died waits again, and is dead after its last try") {
    const InboxRules rules{.max_tries = 3};
    const InboxMoment later{.now = now.now + 20s, .lease_now = {"boot", 21'000'000}};
    auto event = event_in(InboxState::running);
    InboxMachine first{event, rules, later};
    REQUIRE(first.lease_ended());
    CHECK(event.state == InboxState::waiting);
    CHECK(event.not_before == later.now);
    CHECK_FALSE(event.problem.empty());
    InboxMachine second{event, rules, later};
    REQUIRE(second.claim("w", {"boot", 22'000'000}));
    const InboxMoment other_boot{.now = later.now, .lease_now = {"another", 1}};
    InboxMachine third{event, rules, other_boot};
    REQUIRE(third.lease_ended());
    CHECK(event.state == InboxState::dead);
}

TEST_CASE("a dead letter that a person tries again runs out of its order, with all its tries") {
    auto event = event_in(InboxState::dead);
    event.tries = 5;
    const InboxRules rules;
    InboxMachine machine{event, rules, now};
    REQUIRE(machine.retry());
    CHECK(event.out_of_order);
    CHECK(event.tries == 0);
    auto erased = event_in(InboxState::dead);
    erased.payload.clear();
    InboxMachine other{erased, rules, now};
    CHECK_FALSE(other.retry());
}

TEST_CASE("pauses grow, and all of an event's together are no longer than the rules say") {
    for (const int tries : {2, 3, 5, 8, 40}) {
        const InboxRules rules{.max_tries = tries, .pauses = 2min};
        std::chrono::milliseconds all{};
        std::chrono::milliseconds last{};
        for (int i = 1; i < tries; ++i) {
            const auto pause = inbox_pause(rules, i, 1.0);
            CHECK(pause >= last);
            CHECK(inbox_pause(rules, i, 0.0) <= pause);
            last = pause;
            all += pause;
        }
        CAPTURE(tries);
        CHECK(all <= 2min);
        CHECK(all > 110s);
    }
    const InboxRules rules;
    CHECK(inbox_pause(rules, 1, 1.0) == 3s);
    CHECK(inbox_pause(rules, 4, 1.0) == 81s);
}

TEST_CASE("what nobody is to handle is done at once") {
    auto event = event_in(InboxState::waiting);
    event.tries = 0;
    const InboxRules rules;
    InboxMachine machine{event, rules, now};
    CHECK(machine.need_nobody());
    CHECK(event.state == InboxState::done);
}

}  // namespace inbox_machine_test
