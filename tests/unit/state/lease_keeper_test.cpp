#include <twiliowa/state/lease_keeper.hpp>

#include <doctest/doctest.h>

#include <condition_variable>
#include <memory>
#include <mutex>

#include <twiliowa/state/dedup_store.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "support/store_doubles.hpp"

namespace lease_keeper_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::ManualClock;
using twiliowa::testing::SteppedStore;

namespace {

const EventKey event{.account_sid = "AC1", .message_sid = "SM1", .kind = "message"};

/// Two processes that share a store; the first has a keeper.
struct Two {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<SteppedStore> store =
        std::make_shared<SteppedStore>(MemoryStoreOptions{.clock = clock});
    std::shared_ptr<LeaseKeeper> keeper =
        std::make_shared<LeaseKeeper>(LeaseKeeperOptions{.own_thread = false, .clock = clock});
    DedupStore first{store, {.keeper = keeper}};
    DedupStore second{store};

    /// Time goes by, with or without the keeper.
    void live(std::chrono::seconds time) {
        for (; time > 0s; time -= 1s) {
            clock->advance(1s);
            keeper->renew_due();
        }
    }
};

}  // namespace

TEST_CASE("a lease that is kept does not end, and is done when it is finished") {
    Two two;
    const auto claim = two.first.claim(event).value();
    for (int i = 0; i < 14; ++i) {
        two.live(1s);
        CHECK(two.second.claim(event)->outcome == ClaimOutcome::running);
    }
    CHECK_FALSE(claim.lost.is_cancelled());
    CHECK(two.first.finish(claim).value());
    CHECK(two.second.claim(event)->outcome == ClaimOutcome::done);
    two.live(10s);
    CHECK(two.second.claim(event)->outcome == ClaimOutcome::done);
}

TEST_CASE("a lease whose process died is free five seconds later") {
    Two two;
    CHECK(two.first.claim(event)->outcome == ClaimOutcome::claimed);
    two.clock->advance(5s - 1ms);
    CHECK(two.second.claim(event)->outcome == ClaimOutcome::running);
    two.clock->advance(1ms);
    CHECK(two.second.claim(event)->outcome == ClaimOutcome::claimed);
}

TEST_CASE("a claim that is dropped is not kept") {
    Two two;
    { CHECK(two.first.claim(event)->outcome == ClaimOutcome::claimed); }
    two.live(6s);
    CHECK(two.second.claim(event)->outcome == ClaimOutcome::claimed);
}

TEST_CASE("a lost lease is told, and finishing it changes nothing") {
    Two two;
    const auto stopped = two.first.claim(event).value();
    two.clock->advance(10s);
    const auto next = two.second.claim(event).value();
    CHECK(next.outcome == ClaimOutcome::claimed);
    CHECK_FALSE(stopped.lost.is_cancelled());
    two.keeper->renew_due();
    CHECK(stopped.lost.is_cancelled());
    CHECK_FALSE(two.first.finish(stopped).value());
    CHECK_FALSE(two.first.release(stopped).value());
    CHECK(two.second.claim(event)->outcome == ClaimOutcome::running);
    CHECK(two.second.finish(next).value());
}

TEST_CASE("a lease that ran out is taken up again if nobody took the event") {
    Two two;
    const auto claim = two.first.claim(event).value();
    two.clock->advance(10s);
    two.keeper->renew_due();
    CHECK_FALSE(claim.lost.is_cancelled());
    CHECK(two.second.claim(event)->outcome == ClaimOutcome::running);
    CHECK(two.first.finish(claim).value());
}

TEST_CASE("a claim that is released is free at once, and stays so") {
    Two two;
    const auto claim = two.first.claim(event).value();
    two.live(4s);
    CHECK(two.first.release(claim).value());
    two.live(4s);
    CHECK(two.second.claim(event)->outcome == ClaimOutcome::claimed);
}

TEST_CASE("without a keeper a lease is 30 s over a store that is shared, endless in memory") {
    const auto clock = std::make_shared<ManualClock>();
    const DedupStore shared{std::make_shared<SteppedStore>(MemoryStoreOptions{.clock = clock})};
    const DedupStore memory{std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = clock})};
    const auto held = memory.claim(event).value();
    CHECK(shared.claim(event)->outcome == ClaimOutcome::claimed);
    clock->advance(30s - 1ms);
    CHECK(shared.claim(event)->outcome == ClaimOutcome::running);
    clock->advance(1ms);
    CHECK(shared.claim(event)->outcome == ClaimOutcome::claimed);
    clock->advance(24h * 365);
    CHECK(memory.claim(event)->outcome == ClaimOutcome::running);
    CHECK(memory.finish(held).value());
}

TEST_CASE("a keeper with a thread renews by itself") {
    /// Tells when it is written to over an entry that exists.
    struct Watched final : Store {
        MemoryStore inner;
        std::mutex mutex;
        std::condition_variable renewed;
        int renewals = 0;
        Result<std::optional<StoredValue>> get(std::string_view key) override {
            return inner.get(key);
        }
        Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                              std::string_view value,
                                              std::chrono::milliseconds time_to_live,
                                              Keep keep) override {
            const std::lock_guard lock(mutex);
            if (expected != 0) ++renewals;
            renewed.notify_all();
            return inner.compare_and_set(key, expected, value, time_to_live, keep);
        }
        Result<bool> erase(std::string_view key, std::uint64_t expected) override {
            return inner.erase(key, expected);
        }
    };
    const auto store = std::make_shared<Watched>();
    const DedupStore dedup{store, {.lease = 300ms, .keeper = std::make_shared<LeaseKeeper>()}};
    const auto claim = dedup.claim(event).value();
    std::unique_lock lock(store->mutex);
    CHECK(store->renewed.wait_for(lock, 30s, [&] { return store->renewals > 0; }));
    lock.unlock();
    static_cast<void>(dedup.finish(claim));
}

}  // namespace lease_keeper_test
