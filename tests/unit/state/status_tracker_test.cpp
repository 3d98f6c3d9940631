#include <twiliowa/state/status_tracker.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

#include "support/store_doubles.hpp"

namespace status_tracker_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::BrokenStore;
using twiliowa::testing::ManualClock;
using twiliowa::testing::SteppedStore;

namespace {

struct Report {
    std::string status = {};
    int error_code = 0;
    auto operator<=>(const Report&) const = default;
};
using Reports = std::vector<Report>;

/// Every life a message can have: a beginning, any part of the progress in between, an end.
std::vector<Reports> legal_lives() {
    const std::vector<std::string> progress = {"queued", "sending", "sent"};
    const std::vector<Reports> starts = {{}, {{"accepted"}}, {{"scheduled"}}};
    const std::vector<Reports> ends = {{},
                                       {{"delivered"}},
                                       {{"read"}},
                                       {{"delivered"}, {"read"}},
                                       {{"failed", 63018}},
                                       {{"undelivered", 63016}}};
    std::vector<Reports> lives = {{{"scheduled"}, {"canceled"}}, {{"accepted"}, {"canceled"}}};
    for (const auto& start : starts) {
        for (unsigned mask = 0; mask < 8; ++mask) {
            for (const auto& end : ends) {
                Reports life = start;
                for (unsigned i = 0; i < 3; ++i) {
                    if ((mask >> i & 1u) != 0) life.push_back({progress[i]});
                }
                life.insert(life.end(), end.begin(), end.end());
                if (!life.empty()) lives.push_back(life);
            }
        }
    }
    return lives;
}

/// What remains after `reports` arrived in this order, at one of two trackers each.
Report state_after(const Reports& reports, unsigned who) {
    const auto store = std::make_shared<MemoryStore>();
    const StatusTracker one(store);
    const StatusTracker two(store);
    for (std::size_t i = 0; i < reports.size(); ++i) {
        const auto& tracker = (who >> i & 1u) != 0 ? one : two;
        const MessageStatus status{reports[i].status};
        static_cast<void>(tracker.update("AC1", "SM1", status, reports[i].error_code).value());
    }
    const auto last = one.current("AC1", "SM1").value().value();
    return {last.status.str(), last.error_code};
}

}  // namespace

// Any two reports may change places, and any may come twice, in every state there is: so every
// order with any repetitions of one life ends in one state.
TEST_CASE("in every state, reports commute and repetitions change nothing") {
    std::set<Report> all;
    for (const auto& life : legal_lives()) all.insert(life.begin(), life.end());
    std::map<Report, Reports> states;  // with reports that lead there
    std::vector<Reports> to_visit{{}};
    std::size_t wrong = 0;
    const auto after = [](Reports reports, std::initializer_list<Report> more) {
        reports.insert(reports.end(), more);
        return state_after(reports, static_cast<unsigned>(reports.size() * 5));
    };
    while (!to_visit.empty()) {
        const auto way = to_visit.back();
        to_visit.pop_back();
        for (const auto& one : all) {
            const auto state = after(way, {one});
            if (after(way, {one, one}) != state) ++wrong;
            for (const auto& other : all) {
                if (after(way, {one, other}) != after(way, {other, one})) ++wrong;
            }
            auto further = way;
            further.push_back(one);
            if (states.emplace(state, further).second) to_visit.push_back(further);
        }
    }
    CHECK(wrong == 0);
    CHECK(states.size() >= all.size());
}

TEST_CASE("every order and repetition of every legal life ends where the life ends") {
    std::size_t orders = 0;
    std::size_t wrong = 0;
    for (const auto& life : legal_lives()) {
        const std::size_t most = life.size() <= 3 ? life.size() : 1;  // reports that come twice
        for (unsigned twice = 0; twice < 1u << life.size(); ++twice) {
            Reports reports = life;
            for (std::size_t i = 0; i < life.size(); ++i) {
                if ((twice >> i & 1u) != 0) reports.push_back(life[i]);
            }
            if (reports.size() - life.size() > most) continue;
            std::sort(reports.begin(), reports.end());
            do {
                const auto who = static_cast<unsigned>(orders * 37);
                if (state_after(reports, who) != life.back()) ++wrong;
                ++orders;
            } while (std::next_permutation(reports.begin(), reports.end()));
        }
    }
    CHECK(wrong == 0);
    CHECK(orders > 30'000);
}

TEST_CASE(
    "reports that contradict each other end in one state, whatever their "
    "order") {
    Reports reports = {{"undelivered", 63016}, {"delivered"},  {"failed", 30008},
                       {"failed", 30003},      {"expired", 1}, {"teleported"},
                       {"partially_delivered"}};
    std::sort(reports.begin(), reports.end());
    std::size_t wrong = 0;
    do {
        if (state_after(reports, 0x55) != Report{"delivered"}) ++wrong;
    } while (std::next_permutation(reports.begin(), reports.end()));
    CHECK(wrong == 0);
}

TEST_CASE("the rank of statuses is the documented one") {
    const std::vector<std::string_view> order = {
        "receiving", "received",  "scheduled", "accepted", "queued",      "sending",
        "sent",      "a new one", "canceled",  "failed",   "undelivered", "partially_delivered",
        "delivered", "read"};
    for (std::size_t i = 1; i < order.size(); ++i) {
        CAPTURE(order[i]);
        CHECK(status_rank(MessageStatus{order[i - 1]}) < status_rank(MessageStatus{order[i]}));
    }
    CHECK(status_rank(MessageStatus{}) == status_rank(MessageStatus{"a new one"}));
}

TEST_CASE("an update says what is known after it, and whether it changed that") {
    const StatusTracker tracker(std::make_shared<MemoryStore>());
    CHECK_FALSE(tracker.current("AC1", "SM1").value().has_value());
    auto after = tracker.update("AC1", "SM1", MessageStatus{"sent"}).value();
    CHECK(after.status == MessageStatus::sent);
    CHECK(after.changed);
    after = tracker.update("AC1", "SM1", MessageStatus{"sent"}).value();
    CHECK_FALSE(after.changed);
    after = tracker.update("AC1", "SM1", MessageStatus{"undelivered"}, 63016).value();
    CHECK(after.changed);
    CHECK(after.error_code == 63016);
    after = tracker.update("AC1", "SM1", MessageStatus{"sent"}).value();
    CHECK(after.status == MessageStatus::undelivered);
    CHECK(after.error_code == 63016);
    CHECK_FALSE(after.changed);
    CHECK_FALSE(tracker.current("AC1", "SM1").value()->changed);
}

TEST_CASE("an error code that comes later with the same status is taken in") {
    const StatusTracker tracker(std::make_shared<MemoryStore>());
    static_cast<void>(tracker.update("AC1", "SM1", MessageStatus{"failed"}).value());
    CHECK(tracker.update("AC1", "SM1", MessageStatus{"failed"}, 30008).value().changed);
    const auto after = tracker.update("AC1", "SM1", MessageStatus{"failed"}).value();
    CHECK(after.error_code == 30008);
}

TEST_CASE("messages are tracked apart, by account and SID") {
    const StatusTracker tracker(std::make_shared<MemoryStore>());
    static_cast<void>(tracker.update("AC1", "SM1", MessageStatus{"read"}).value());
    CHECK_FALSE(tracker.current("AC2", "SM1").value().has_value());
    CHECK_FALSE(tracker.current("AC1", "SM2").value().has_value());
}

TEST_CASE("a word with spaces in it survives") {
    const StatusTracker tracker(std::make_shared<MemoryStore>());
    static_cast<void>(tracker.update("AC1", "SM1", MessageStatus{"1 two  3"}, -5).value());
    const auto known = tracker.current("AC1", "SM1").value().value();
    CHECK(known.status.str() == "1 two  3");
    CHECK(known.error_code == -5);
}

TEST_CASE(
    "a tracker that is overtaken between reading and writing does not "
    "lose the other's news") {
    const auto store = std::make_shared<SteppedStore>();
    const StatusTracker slow(store);
    const StatusTracker quick(store);
    SUBCASE("when the other's is newer") {
        store->before_write = [&] {
            static_cast<void>(quick.update("AC1", "SM1", MessageStatus{"read"}).value());
        };
        const auto after = slow.update("AC1", "SM1", MessageStatus{"delivered"}).value();
        CHECK(after.status == MessageStatus::read);
        CHECK_FALSE(after.changed);
    }
    SUBCASE("when the other's is older") {
        store->before_write = [&] {
            static_cast<void>(quick.update("AC1", "SM1", MessageStatus{"sent"}).value());
        };
        const auto after = slow.update("AC1", "SM1", MessageStatus{"read"}).value();
        CHECK(after.changed);
    }
    CHECK(slow.current("AC1", "SM1").value()->status == MessageStatus::read);
}

TEST_CASE("a status is forgotten when its time has passed since the last change") {
    const auto clock = std::make_shared<ManualClock>();
    const auto store = std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = clock});
    const StatusTracker tracker(store, {.kept = 1h});
    static_cast<void>(tracker.update("AC1", "SM1", MessageStatus{"sent"}).value());
    clock->advance(59min);
    static_cast<void>(tracker.update("AC1", "SM1", MessageStatus{"read"}).value());
    clock->advance(59min);
    CHECK(tracker.current("AC1", "SM1").value().has_value());
    clock->advance(1min);
    CHECK_FALSE(tracker.current("AC1", "SM1").value().has_value());
}

TEST_CASE("an empty status, a store that fails and a foreign entry are errors") {
    const StatusTracker broken(std::make_shared<BrokenStore>());
    CHECK(is_store_error(broken.update("AC1", "SM1", MessageStatus{"sent"}).error()));
    CHECK(is_store_error(broken.current("AC1", "SM1").error()));
    CHECK(broken.update("AC1", "SM1", MessageStatus{}).error().field() == "MessageStatus");

    const auto store = std::make_shared<MemoryStore>();
    const StatusTracker tracker(store);
    for (const char* junk : {"", "sent", "x sent", "99999999999 sent"}) {
        const auto key = "status 3:AC1 3:SM1";
        const auto entry = store->get(key).value();
        const auto version = entry ? entry->version : 0;
        CHECK(store->compare_and_set(key, version, junk, 1h, Keep::pinned).value() != 0);
        CHECK(is_store_error(tracker.update("AC1", "SM1", MessageStatus{"sent"}).error()));
        CHECK(is_store_error(tracker.current("AC1", "SM1").error()));
    }
    CHECK_THROWS_AS(StatusTracker(nullptr), InvalidRequestError);
    CHECK_THROWS_AS(StatusTracker(store, {.kept = 0s}), InvalidRequestError);
}

TEST_CASE("a failure that is reported again without its reason keeps it, in every order") {
    const auto ends_as = [](Reports reports, const Report& end) {
        std::sort(reports.begin(), reports.end());
        do {
            const auto state = state_after(reports, 0x5);
            CHECK(state.status == end.status);
            CHECK(state.error_code == end.error_code);
        } while (std::next_permutation(reports.begin(), reports.end()));
    };
    ends_as({{"sent"}, {"failed", 63016}, {"undelivered"}}, {"undelivered", 63016});
    ends_as({{"failed", 63016}, {"undelivered", 30008}}, {"undelivered", 30008});
    // The reason is that of the furthest failure that has one.
    ends_as({{"canceled", 9}, {"failed", 63016}, {"failed", 63020}, {"undelivered"}},
            {"undelivered", 63020});
    ends_as({{"failed", 63020}, {"undelivered"}, {"undelivered", 30003}}, {"undelivered", 30003});
    ends_as({{"failed", 63016}, {"undelivered"}, {"delivered"}}, {"delivered"});
    ends_as({{"sent", 1}, {"failed"}}, {"failed"});  // no reason of a failure
}

TEST_CASE("a reason that comes after its failure is news") {
    const StatusTracker tracker(std::make_shared<MemoryStore>());
    static_cast<void>(tracker.update("AC1", "SM1", MessageStatus{"undelivered"}).value());
    const auto after = tracker.update("AC1", "SM1", MessageStatus{"failed"}, 63016).value();
    CHECK(after.changed);
    CHECK(after.status == MessageStatus::undelivered);
    CHECK(after.error_code == 63016);
    CHECK_FALSE(tracker.update("AC1", "SM1", MessageStatus{"failed"}, 63016).value().changed);
    CHECK(tracker.current("AC1", "SM1").value()->error_code == 63016);
}

TEST_CASE("a status that version 0.1.0 kept is read") {
    const auto store = std::make_shared<MemoryStore>();
    REQUIRE(store->compare_and_set("status 3:AC1 3:SM1", 0, "63016 failed", 1h, Keep::evictable)
                .value() != 0);
    const StatusTracker tracker(store);
    CHECK(tracker.current("AC1", "SM1").value()->error_code == 63016);
    const auto after = tracker.update("AC1", "SM1", MessageStatus{"undelivered"}).value();
    CHECK(after.error_code == 63016);
}

}  // namespace status_tracker_test
