#include <twiliowa/state/store.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/testing/check_store.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "support/show.hpp"
#include "support/store_doubles.hpp"

namespace store_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::ManualClock;

namespace {

struct Shelf {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    MemoryStore store;
    explicit Shelf(std::size_t max_entries = 1'000)
        : store({.max_entries = max_entries, .clock = clock}) {}

    std::uint64_t put(const std::string& key, Keep keep = Keep::pinned,
                      std::chrono::milliseconds time_to_live = 1h) {
        return store.compare_and_set(key, 0, "v", time_to_live, keep).value();
    }
    bool has(const std::string& key) { return store.get(key).value().has_value(); }
};

}  // namespace

TEST_CASE("a MemoryStore keeps the contract of a store") {
    const auto clock = std::make_shared<ManualClock>();
    const auto store = std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = clock});
    CHECK(twiliowa::testing::check_store([&] { return store; }, {.pass_time = [&](auto time) {
                                             clock->advance(time);
                                         }}) == std::vector<std::string>{});
}

TEST_CASE("an entry is absent for every operation once its time has passed") {
    Shelf s;
    const auto version = s.put("k", Keep::pinned, 10s);
    s.clock->advance(10s - 1ns);
    CHECK(s.has("k"));
    s.clock->advance(1ns);
    CHECK_FALSE(s.store.erase("k", version).value());
    CHECK_FALSE(s.has("k"));
    CHECK(s.store.compare_and_set("k", version, "x", 1h, Keep::pinned).value() == 0);
    CHECK(s.store.compare_and_set("k", 0, "x", 1h, Keep::pinned).value() != 0);
}

TEST_CASE("what is kept forever does not expire, whatever the clock says") {
    Shelf s;
    s.clock->advance(std::chrono::hours{24 * 365});
    s.put("a", Keep::pinned, Store::forever);
    s.put("b", Keep::pinned, Store::forever - 1ms);
    s.clock->advance(std::chrono::hours{24 * 365 * 100});
    CHECK(s.has("a"));
    CHECK(s.has("b"));
}

TEST_CASE(
    "a full store gives up what has expired, then the evictable entry "
    "written longest ago") {
    Shelf s(4);
    s.put("lease", Keep::pinned);
    const auto rewritten = s.put("a", Keep::evictable);
    s.put("b", Keep::evictable);
    s.put("short", Keep::pinned, 1s);
    CHECK(s.store.compare_and_set("a", rewritten, "v", 1h, Keep::evictable).value() != 0);
    s.clock->advance(1s);
    s.put("c", Keep::evictable);
    CHECK(s.has("b"));
    CHECK_FALSE(s.has("short"));
    s.put("d", Keep::evictable);
    CHECK_FALSE(s.has("b"));
    CHECK(s.has("a"));
    s.put("e", Keep::evictable);
    CHECK_FALSE(s.has("a"));
    CHECK(s.has("lease"));
    CHECK(s.store.size() == 4);
}

TEST_CASE("a store that is full of pinned entries refuses a new one, and says so") {
    Shelf s(2);
    const auto lease = s.put("a");
    s.put("b");
    const auto refused = s.store.compare_and_set("c", 0, "v", 1h, Keep::evictable);
    REQUIRE_FALSE(refused.has_value());
    CHECK(is_store_error(refused.error()));
    CHECK(refused.error().kind() == ErrorKind::transport);
    CHECK(refused.error().effect() == Effect::none);
    CHECK(refused.error().what() == containing("store: is full"));
    CHECK(s.has("a"));
    CHECK(s.has("b"));
    // What is there may still change, and what becomes evictable makes room.
    CHECK(s.store.compare_and_set("a", lease, "done", 1h, Keep::evictable).value() != 0);
    CHECK(s.put("c") != 0);
    CHECK_FALSE(s.has("a"));
}

TEST_CASE("a store does not grow with entries that have expired") {
    Shelf s(1'000'000);
    for (int i = 0; i < 5'000; ++i) {
        s.put(std::to_string(i), Keep::pinned, 10ms);
        s.clock->advance(1ms);
    }
    CHECK(s.store.size() <= 12);
}

TEST_CASE("an entry over the size limit is refused") {
    MemoryStore store({.max_entry_bytes = 8});
    CHECK(store.compare_and_set("1234", 0, "5678", 1h, Keep::pinned).value() != 0);
    const auto refused = store.compare_and_set("1234", 0, "56789", 1h, Keep::pinned);
    CHECK(is_store_error(refused.error()));
}

TEST_CASE("a store with a limit of nothing is refused") {
    CHECK_THROWS_AS(MemoryStore({.max_entries = 0}), InvalidRequestError);
    CHECK_THROWS_AS(MemoryStore({.max_entry_bytes = 0}), InvalidRequestError);
}

TEST_CASE("where memory is wanting an entry stays as it was, and the store whole") {
    MemoryStore store{{.max_entries = 4, .max_entry_bytes = std::string::npos}};
    const auto put = [&](const std::string& key, std::uint64_t expected) {
        return store.compare_and_set(key, expected, "as it was", 1h, Keep::evictable).value();
    };
    put("a", 0);
    const auto version = put("b", 0);
    put("c", 0);
    // No memory holds so much: it is refused before a byte of it is read.
    const std::string_view huge{"x", std::numeric_limits<std::size_t>::max() / 2};
    CHECK_THROWS(static_cast<void>(store.compare_and_set("b", version, huge, 2h, Keep::evictable)));
    CHECK_THROWS(static_cast<void>(store.compare_and_set("new", 0, huge, 2h, Keep::evictable)));
    CHECK(store.size() == 3);
    CHECK(store.get("b").value()->value == "as it was");
    CHECK(store.get("b").value()->version == version);
    // Its neighbours go, and so does it, in the order in which they were written.
    for (int i = 0; i < 3; ++i) put("d" + std::to_string(i), 0);
    CHECK_FALSE(store.get("a").value());
    CHECK_FALSE(store.get("b").value());
    CHECK(store.get("c").value());
    CHECK(store.size() == 4);
}

TEST_CASE("what left the middle of the evictable entries takes no other along") {
    Shelf s(3);
    s.put("a", Keep::evictable);
    const auto version = s.put("b", Keep::evictable);
    s.put("c", Keep::evictable);
    SUBCASE("written again") {
        CHECK(s.store.compare_and_set("b", version, "v", 1h, Keep::evictable).value() != 0);
        s.put("d", Keep::evictable);
        CHECK_FALSE(s.has("a"));
        s.put("e", Keep::evictable);
        CHECK_FALSE(s.has("c"));
        CHECK(s.has("b"));
    }
    SUBCASE("erased") {
        CHECK(s.store.erase("b", version).value());
        s.put("d", Keep::evictable);
        s.put("e", Keep::evictable);
        s.put("f", Keep::evictable);
        CHECK_FALSE(s.has("a"));
        CHECK_FALSE(s.has("c"));
        CHECK(s.has("d"));
    }
    CHECK(s.store.size() == 3);
}

TEST_CASE("two expired entries go for each one that comes") {
    Shelf s(1'000);
    for (int i = 0; i < 100; ++i) s.put("old" + std::to_string(i), Keep::pinned, 1s);
    s.clock->advance(1s);
    for (int i = 0; i < 50; ++i) s.put("new" + std::to_string(i));
    CHECK(s.store.size() == 50);
}

TEST_CASE("keys of the same hash are two keys") {
    // With libstdc++'s hash of 64 bits; with another they are two keys like any others.
    Shelf s;
    s.put("collideshdzzgead");
    CHECK_FALSE(s.has("8h4ughj4u2n5d77b"));
    CHECK(s.put("8h4ughj4u2n5d77b") != 0);
    CHECK(s.store.size() == 2);
}

TEST_CASE("several keys are read in their order, by a store that only knows one at a time, too") {
    MemoryStore store;
    const auto version = store.compare_and_set("a", 0, "1", Store::forever, Keep::evictable);
    CHECK(store.compare_and_set("c", 0, "3", Store::forever, Keep::evictable).has_value());
    const std::vector<std::string> keys{"c", "b", "a", "a"};
    const auto at_once = store.get_each(keys).value();
    const auto one_by_one = store.Store::get_each(keys).value();
    for (const auto* const entries : {&at_once, &one_by_one}) {
        REQUIRE(entries->size() == 4);
        CHECK((*entries)[0]->value == "3");
        CHECK_FALSE((*entries)[1].has_value());
        CHECK((*entries)[2]->value == "1");
        CHECK((*entries)[3]->version == *version);
    }
    CHECK(store.get_each({}).value().empty());
    CHECK_FALSE(twiliowa::testing::BrokenStore{}.get_each(keys).has_value());
}

}  // namespace store_test
