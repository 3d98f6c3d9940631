#include "http/fair_queue.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

namespace fair_queue_test {

using twiliowa::detail::FairQueue;

struct Queue {
    void add(std::uint64_t key, int count = 1) {
        for (int i = 0; i < count; ++i) queue.add(key, order++, std::to_string(key));
    }
    std::string take(int count) {
        std::string taken;
        for (int i = 0; i < count; ++i) taken += queue.take_next();
        return taken;
    }

    FairQueue<std::string> queue = {};
    std::uint64_t order = 1;
};

TEST_CASE("what waits for one key goes in its order") {
    FairQueue<int> queue;
    CHECK(queue.empty());
    for (int i = 0; i < 3; ++i) queue.add(7, static_cast<std::uint64_t>(i), i);
    for (int i = 0; i < 3; ++i) CHECK(queue.take_next() == i);
    CHECK(queue.empty());
}

TEST_CASE("keys take turns, whoever came first, and however many they have") {
    Queue q;
    q.add(1, 5);
    q.add(2, 2);
    q.add(3, 1);
    CHECK(q.take(8) == "12312111");
    CHECK(q.queue.empty());
}

TEST_CASE("ten calls beside ten thousand are done in ten rounds") {
    Queue q;
    q.add(1, 10'000);
    q.take(100);
    q.add(2, 10);
    CHECK(q.take(20) == "12121212121212121212");
    CHECK(q.take(9'890) == std::string(9'890, '1'));
    CHECK(q.queue.empty());
}

TEST_CASE("a key that comes back goes to the end of the turns") {
    Queue q;
    q.add(1, 3);
    q.add(2, 1);
    CHECK(q.take(2) == "12");
    q.add(3, 1);
    q.add(2, 1);
    CHECK(q.take(4) == "1321");
}

TEST_CASE("who is taken out of the queue costs no turn, and gives none away") {
    Queue q;
    q.add(1, 3);  // 1 2 3
    q.add(2, 2);  // 4 5
    q.add(3, 2);  // 6 7
    CHECK(q.queue.take(2, 4) == "2");
    CHECK(q.queue.take(2, 5) == "2");
    CHECK(q.take(3) == "131");
    q.add(2, 1);  // its turn has passed
    CHECK(q.take(3) == "312");
    CHECK(q.queue.empty());
}

TEST_CASE("a key that lost all it had does not get two turns when it comes again") {
    Queue q;
    q.add(1, 3);
    q.add(2, 1);
    CHECK(q.queue.take(2, 4) == "2");
    q.add(2, 3);
    CHECK(q.take(6) == "121212");
}

TEST_CASE("a queue whose last one was taken out is as new") {
    Queue q;
    q.add(1, 1);
    q.add(2, 1);
    CHECK(q.queue.take(1, 1) == "1");
    CHECK(q.queue.take(2, 2) == "2");
    CHECK(q.queue.empty());
    q.add(2, 1);
    q.add(1, 1);
    CHECK(q.take(2) == "21");
    CHECK(q.queue.empty());
}

TEST_CASE("of many keys, taken and taken out at random, each one comes once and none is lost") {
    FairQueue<std::uint64_t> queue;
    std::set<std::pair<std::uint64_t, std::uint64_t>> waiting;  // order, key
    std::uint64_t state = 1;
    const auto random = [&state](std::uint64_t below) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return (state >> 33) % below;
    };
    for (std::uint64_t order = 1; order < 20'000; ++order) {
        const auto key = random(17);
        queue.add(key, order, order);
        waiting.emplace(order, key);
        for (auto n = random(3); n > 0 && !waiting.empty(); --n) {
            if (random(2) == 0) {
                const auto next = queue.take_next();
                const auto found = waiting.lower_bound({next, 0});
                REQUIRE(found != waiting.end());
                REQUIRE(found->first == next);
                waiting.erase(found);
            } else {
                auto some = waiting.lower_bound({random(order), 0});
                if (some == waiting.end()) some = waiting.begin();
                REQUIRE(queue.take(some->second, some->first) == some->first);
                waiting.erase(some);
            }
            REQUIRE(queue.empty() == waiting.empty());
        }
    }
}

}  // namespace fair_queue_test
