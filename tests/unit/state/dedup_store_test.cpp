#include <twiliowa/state/dedup_store.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

#include "support/store_doubles.hpp"

namespace dedup_store_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::BrokenStore;
using twiliowa::testing::ManualClock;
using twiliowa::testing::SteppedStore;

namespace {

const EventKey event{"AC1", "SM1", "status", "sent"};

struct Desk {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<MemoryStore> store =
        std::make_shared<MemoryStore>(MemoryStoreOptions{.max_entries = 4, .clock = clock});
    DedupStore dedup{store, {.lease = 30s, .kept = 1h}};
};

}  // namespace

TEST_CASE(
    "an event is claimed once, runs until it is finished, and is done "
    "after that") {
    Desk d;
    const auto claim = d.dedup.claim(event).value();
    CHECK(claim.outcome == ClaimOutcome::claimed);
    CHECK(d.dedup.claim(event).value().outcome == ClaimOutcome::running);
    CHECK(d.dedup.finish(claim).value());
    CHECK(d.dedup.claim(event).value().outcome == ClaimOutcome::done);
    d.clock->advance(1h);
    CHECK(d.dedup.claim(event).value().outcome == ClaimOutcome::claimed);
}

TEST_CASE("a look tells what a claim would, and takes nothing") {
    Desk d;
    auto signed_event = event;
    signed_event.signature = "signature";
    CHECK(d.dedup.look(signed_event).value() == ClaimOutcome::claimed);
    CHECK(d.store->size() == 0);
    const auto claim = d.dedup.claim(signed_event).value();
    CHECK(d.dedup.look(signed_event).value() == ClaimOutcome::running);
    CHECK(d.dedup.finish(claim).value());
    CHECK(d.dedup.look(signed_event).value() == ClaimOutcome::done);
    CHECK(d.dedup.look(event).value() == ClaimOutcome::done);

    signed_event.status = "read";
    CHECK(d.dedup.look(signed_event).value() == ClaimOutcome::recut);
}

TEST_CASE("a claim of a signed event is one question to the store, and of a known one two") {
    const auto store = std::make_shared<SteppedStore>();
    const DedupStore dedup{store, {.lease = 30s, .kept = 1h}};
    auto signed_event = event;
    signed_event.signature = "signature";
    const auto asked = [&] {
        return std::exchange(store->gets, 0) + std::exchange(store->writes, 0);
    };
    const auto claim = dedup.claim(signed_event).value();
    CHECK(claim.outcome == ClaimOutcome::claimed);
    CHECK(asked() == 1);
    CHECK(dedup.claim(signed_event).value().outcome == ClaimOutcome::running);
    CHECK(asked() == 2);
    CHECK(dedup.finish(claim).value());
    CHECK(asked() == 1);
    CHECK(dedup.claim(signed_event).value().outcome == ClaimOutcome::done);
    CHECK(asked() == 2);
    signed_event.status = "read";
    CHECK(dedup.claim(signed_event).value().outcome == ClaimOutcome::recut);
    CHECK(asked() == 2);
}

TEST_CASE("what was let go after its signature was bound is claimed again") {
    Desk d;
    auto signed_event = event;
    signed_event.signature = "signature";
    CHECK(d.dedup.release(d.dedup.claim(signed_event).value()).value());
    CHECK(d.dedup.claim(signed_event).value().outcome == ClaimOutcome::claimed);
}

TEST_CASE("what is noted as done is done, and what is claimed or recut stays as it is") {
    Desk d;
    auto signed_event = event;
    signed_event.signature = "signature";
    CHECK(d.dedup.note_done(signed_event));
    CHECK(d.dedup.claim(signed_event).value().outcome == ClaimOutcome::done);
    CHECK(d.dedup.look(event).value() == ClaimOutcome::done);

    auto recut = signed_event;
    recut.status = "read";
    CHECK(d.dedup.note_done(recut));
    CHECK(d.dedup.look(recut).value() == ClaimOutcome::recut);
    recut.signature.clear();
    CHECK(d.dedup.look(recut).value() == ClaimOutcome::claimed);

    const EventKey other{"AC1", "SM2", "status", "sent"};
    const auto claim = d.dedup.claim(other).value();
    CHECK(d.dedup.note_done(other));
    CHECK(d.dedup.look(other).value() == ClaimOutcome::running);
    CHECK(d.dedup.finish(claim).value());

    const DedupStore broken{std::make_shared<BrokenStore>(), {.lease = 30s, .kept = 1h}};
    CHECK(is_store_error(broken.note_done(event).error()));
    CHECK(is_store_error(broken.note_done(signed_event).error()));
}

TEST_CASE("an event that is released goes to the next who claims it") {
    Desk d;
    const auto claim = d.dedup.claim(event).value();
    CHECK(d.dedup.release(claim).value());
    CHECK(d.dedup.claim(event).value().outcome == ClaimOutcome::claimed);
    CHECK_FALSE(d.dedup.release(claim).value());
}

TEST_CASE("a lease runs out by time, and its old holder cannot touch the new one") {
    Desk d;
    const auto dead = d.dedup.claim(event).value();
    d.clock->advance(30s - 1ms);
    CHECK(d.dedup.claim(event).value().outcome == ClaimOutcome::running);
    d.clock->advance(1ms);
    const auto next = d.dedup.claim(event).value();
    CHECK(next.outcome == ClaimOutcome::claimed);
    CHECK_FALSE(d.dedup.release(dead).value());
    CHECK_FALSE(d.dedup.finish(dead).value());
    CHECK(d.dedup.claim(event).value().outcome == ClaimOutcome::running);
    CHECK(d.dedup.finish(next).value());
    CHECK_FALSE(d.dedup.release(dead).value());
    CHECK(d.dedup.claim(event).value().outcome == ClaimOutcome::done);
}

TEST_CASE(
    "a handler slower than its lease still records that it is done, if "
    "nobody took over") {
    Desk d;
    const auto slow = d.dedup.claim(event).value();
    d.clock->advance(31s);
    CHECK(d.dedup.finish(slow).value());
    CHECK(d.dedup.claim(event).value().outcome == ClaimOutcome::done);
}

TEST_CASE("only a claim that was granted can be finished or released") {
    Desk d;
    const auto claim = d.dedup.claim(event).value();
    const auto second = d.dedup.claim(event).value();
    CHECK(second.outcome == ClaimOutcome::running);
    CHECK_FALSE(d.dedup.finish(second).value());
    CHECK_FALSE(d.dedup.release(second).value());
    CHECK_FALSE(d.dedup.finish(Claim{}).value());
    CHECK(d.dedup.claim(event).value().outcome == ClaimOutcome::running);
    CHECK(d.dedup.finish(claim).value());
}

TEST_CASE(
    "events that differ in any part are different events, whatever "
    "characters they hold") {
    const auto store = std::make_shared<MemoryStore>();
    const DedupStore dedup(store);
    const std::vector<EventKey> events = {
        {"AC1", "SM1", "status", "sent"},
        {"AC1", "SM1", "status", "delivered"},
        {"AC1", "SM1", "status", ""},
        {"AC1", "SM1", "message", "sent"},
        {"AC1", "SM2", "status", "sent"},
        {"AC2", "SM1", "status", "sent"},
        {"AC1SM1", "", "status", "sent"},
        {"AC1 3:SM1", "status", "sent", ""},
        {"AC1", "SM1 6:status", "sent", ""},
        {"AC1", "SM1", "status 4:sent", ""},
        {"AC1", "SM1", "status", "sent 0:"},
        {std::string("AC1\0SM1", 7), "", "status", "sent"},
        {"", "", "", ""},
    };
    std::set<std::string> keys;
    for (const auto& each : events) {
        const auto claim = dedup.claim(each).value();
        CHECK(claim.outcome == ClaimOutcome::claimed);
        keys.insert(claim.key);
    }
    CHECK(keys.size() == events.size());
}

TEST_CASE("a store that runs full drops finished events, never a live lease") {
    Desk d;
    const auto lease = d.dedup.claim(event).value();
    for (int i = 0; i < 100; ++i) {
        const auto claim = d.dedup.claim({"AC1", std::to_string(i), "message", {}}).value();
        CHECK(claim.outcome == ClaimOutcome::claimed);
        CHECK(d.dedup.finish(claim).value());
    }
    CHECK(d.store->size() == 4);
    CHECK(d.dedup.claim(event).value().outcome == ClaimOutcome::running);
    CHECK(d.dedup.finish(lease).value());
}

TEST_CASE("two that use one store share its claims") {
    Desk d;
    const DedupStore other(d.store, {.lease = 30s, .kept = 1h});
    const auto claim = d.dedup.claim(event).value();
    CHECK(other.claim(event).value().outcome == ClaimOutcome::running);
    CHECK(d.dedup.finish(claim).value());
    CHECK(other.claim(event).value().outcome == ClaimOutcome::done);
}

TEST_CASE("an event that is let go while another claims it goes to that other") {
    const auto store = std::make_shared<SteppedStore>();
    const DedupStore dedup(store);
    const auto first = dedup.claim(event).value();
    store->before_read = [&] { CHECK(dedup.release(first).value()); };
    CHECK(dedup.claim(event).value().outcome == ClaimOutcome::claimed);
}

TEST_CASE("a store that fails gives an error, and no claim") {
    const DedupStore dedup(std::make_shared<BrokenStore>());
    CHECK(is_store_error(dedup.claim(event).error()));
    const Claim claim{ClaimOutcome::claimed, "k", 1};
    CHECK(is_store_error(dedup.finish(claim).error()));
    CHECK(is_store_error(dedup.release(claim).error()));
}

TEST_CASE("claims need a store and durations") {
    CHECK_THROWS_AS(DedupStore(nullptr), InvalidRequestError);
    const auto store = std::make_shared<MemoryStore>();
    CHECK_THROWS_AS(DedupStore(store, {.lease = 0s}), InvalidRequestError);
    CHECK_THROWS_AS(DedupStore(store, {.kept = -1s}), InvalidRequestError);
    CHECK_THROWS_AS(DedupStore(store, {.kept = Store::forever}), InvalidRequestError);
}

}  // namespace dedup_store_test
