#include <twiliowa/outbox/dialogue.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "unit/outbox/dialogue_service.hpp"

namespace dialogue_concurrency_test {

using namespace twiliowa;
using dialogue_test::PlainProgram;
using dialogue_test::said_by;

TEST_CASE("two processes on one store take a customer's messages one at a time, and lose none") {
    constexpr int processes = 2;
    constexpr int threads_each = 4;
    constexpr int messages_each = 25;
    const auto store = std::make_shared<MemoryStore>();
    std::atomic<int> under_way = 0;
    std::atomic<int> at_once = 0;
    const auto steps = [&](Dialogue& dialogue) {
        dialogue.first("count", [&](DialogueTurn& t) {
            if (++under_way > 1) ++at_once;
            const int count = t.has("count") ? std::stoi(t.get("count")) + 1 : 1;
            t.set("count", count);
            t.reply(std::to_string(count));
            --under_way;
        });
    };
    std::vector<std::unique_ptr<PlainProgram>> programs;
    for (int i = 0; i < processes; ++i) {
        programs.push_back(std::make_unique<PlainProgram>(store, steps));
    }
    std::vector<std::vector<int>> answers(processes * threads_each);
    std::vector<std::thread> threads;
    for (int i = 0; i < processes * threads_each; ++i) {
        threads.emplace_back([&, i] {
            auto& program = *programs[static_cast<std::size_t>(i % processes)];
            for (int j = 0; j < messages_each; ++j) {
                while (true) {  // as Twilio does, where it is asked to
                    const auto answer = program.receive(i * messages_each + j, "more");
                    if (answer.status == 200) {
                        answers[static_cast<std::size_t>(i)].push_back(std::stoi(said_by(answer)));
                        break;
                    }
                    std::this_thread::yield();
                }
            }
        });
    }
    for (auto& thread : threads) thread.join();
    std::vector<int> all;
    for (const auto& some : answers) all.insert(all.end(), some.begin(), some.end());
    std::sort(all.begin(), all.end());
    REQUIRE(all.size() == processes * threads_each * messages_each);
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == static_cast<int>(i) + 1);
    CHECK(at_once == 0);
}

}  // namespace dialogue_concurrency_test
