#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/dedup_store.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/state/status_tracker.hpp>
#include <twiliowa/testing/manual_clock.hpp>

namespace state_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::ManualClock;

namespace {

constexpr std::size_t thread_count = 64;

/// Runs `work(i)` in 64 threads that begin together.
template <class Work>
void in_64_threads(Work work) {
    std::vector<std::thread> threads;
    std::promise<void> go;
    const auto started = go.get_future().share();
    for (std::size_t i = 0; i < thread_count; ++i) {
        threads.emplace_back([&work, started, i] {
            started.wait();
            work(i);
        });
    }
    go.set_value();
    for (auto& thread : threads) thread.join();
}

EventKey event_number(std::size_t number) {
    return {"AC1", "SM" + std::to_string(number), "message", {}};
}

}  // namespace

TEST_CASE("64 threads claim each of 1000 events, and each is handled once") {
    constexpr std::size_t events = 1'000;
    const auto store = std::make_shared<MemoryStore>();
    const std::array desks = {DedupStore(store), DedupStore(store)};
    std::vector<std::atomic<int>> handled(events);
    std::atomic<int> failures{0};
    in_64_threads([&](std::size_t i) {
        const auto& dedup = desks[i % desks.size()];
        for (std::size_t k = 0; k < events; ++k) {
            const auto number = (k + i * 7) % events;
            const auto claim = dedup.claim(event_number(number)).value();
            if (claim.outcome != ClaimOutcome::claimed) continue;
            ++handled[number];
            if (!dedup.finish(claim).value()) ++failures;
        }
    });
    CHECK(failures == 0);
    CHECK(std::all_of(handled.begin(), handled.end(), [](const auto& n) { return n == 1; }));
}

TEST_CASE("64 threads claim one event 1000 times each, and it is handled once") {
    const auto store = std::make_shared<MemoryStore>();
    const DedupStore dedup(store);
    std::atomic<int> claimed{0};
    in_64_threads([&](std::size_t) {
        for (int k = 0; k < 1'000; ++k) {
            const auto claim = dedup.claim(event_number(0)).value();
            if (claim.outcome != ClaimOutcome::claimed) continue;
            ++claimed;
            CHECK(dedup.finish(claim).value());
        }
    });
    CHECK(claimed == 1);
}

TEST_CASE("handlers that fail and leases that run out never leave an event with two holders") {
    const auto clock = std::make_shared<ManualClock>();
    const auto store = std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = clock});
    const DedupStore dedup(store, {.lease = 1s});
    std::atomic<int> holders{0};
    std::atomic<int> crowded{0};
    std::atomic<int> let_go{0};
    in_64_threads([&](std::size_t) {
        for (int k = 0; k < 200; ++k) {
            const auto claim = dedup.claim(event_number(0)).value();
            if (claim.outcome != ClaimOutcome::claimed) continue;
            if (++holders != 1) ++crowded;
            --holders;
            if (dedup.release(claim).value()) ++let_go;
        }
    });
    CHECK(crowded == 0);
    CHECK(let_go > 0);
    const auto dead = dedup.claim(event_number(0)).value();
    REQUIRE(dead.outcome == ClaimOutcome::claimed);
    clock->advance(1s);
    std::atomic<int> taken_over{0};
    in_64_threads([&](std::size_t) {
        if (dedup.claim(event_number(0)).value().outcome == ClaimOutcome::claimed) ++taken_over;
        if (dedup.release(dead).value()) ++crowded;
    });
    CHECK(taken_over == 1);
    CHECK(crowded == 0);
}

TEST_CASE("two trackers and 64 threads bring every message to its furthest status") {
    const std::array reports = {"queued", "sending", "sent", "delivered", "read", "sent", "read"};
    constexpr std::size_t messages = 100;
    const auto store = std::make_shared<MemoryStore>();
    const std::array trackers = {StatusTracker(store), StatusTracker(store)};
    std::atomic<int> became_read{0};
    in_64_threads([&](std::size_t i) {
        for (std::size_t k = 0; k < messages; ++k) {
            const MessageStatus status{reports[(i + k) % reports.size()]};
            const auto after =
                trackers[i % 2].update("AC1", "SM" + std::to_string(k), status).value();
            if (after.changed && after.status == MessageStatus::read) ++became_read;
        }
    });
    CHECK(became_read == messages);
    for (std::size_t k = 0; k < messages; ++k) {
        const auto known = trackers[0].current("AC1", "SM" + std::to_string(k)).value();
        CHECK(known.value().status == MessageStatus::read);
    }
}

TEST_CASE("windows and opt-outs keep the newest news of 64 threads") {
    const auto clock = std::make_shared<ManualClock>();
    const auto start = clock->now();
    clock->advance(1h);
    const auto store = std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = clock});
    const ConversationWindow window(store, {.clock = clock});
    const OptOuts opt_outs(store, {.clock = clock});
    in_64_threads([&](std::size_t i) {
        for (std::size_t k = 0; k < 50; ++k) {
            const auto at = start + std::chrono::seconds((k * thread_count + i) % 3'000);
            window.record_inbound("+14155238886", "+447700900123", at).value();
            // Each second has one word: out in the odd ones.
            const bool out = (at - start) / 1s % 2 == 1;
            (out ? opt_outs.opt_out("+14155238886", "+447700900123", at)
                 : opt_outs.opt_in("+14155238886", "+447700900123", at))
                .value();
        }
    });
    CHECK(window.state("+14155238886", "+447700900123").value().until == start + 2'999s + 24h);
    CHECK(opt_outs.is_opted_out("+14155238886", "+447700900123").value());
}

TEST_CASE(
    "a store under pressure from 64 threads stays within its bound and keeps what is pinned") {
    const auto store = std::make_shared<MemoryStore>(MemoryStoreOptions{.max_entries = 100});
    in_64_threads([&](std::size_t i) {
        const auto own = "pinned " + std::to_string(i);
        const auto version = store->compare_and_set(own, 0, "v", 1h, Keep::pinned).value();
        CHECK(version != 0);
        for (int k = 0; k < 200; ++k) {
            const auto key = std::to_string(i) + '/' + std::to_string(k);
            CHECK(store->compare_and_set(key, 0, "v", 1h, Keep::evictable).value() != 0);
        }
        CHECK(store->get(own).value().has_value());
    });
    CHECK(store->size() == 100);
}

}  // namespace state_test
