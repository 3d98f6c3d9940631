#include <twiliowa/log_observer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

namespace log_observer_test {

using namespace twiliowa;

TEST_CASE("8 threads tell a log of events: each line is whole, and comes once") {
    constexpr int threads = 8;
    constexpr int events_of_each = 500;
    // The sink is called by one thread at a time: it needs no lock of its own.
    std::vector<std::string> lines;
    LogObserver log{[&](LogLevel, std::string_view line) { lines.emplace_back(line); },
                    {.level = LogLevel::debug,
                     .format = LogFormat::text,
                     .clock = std::make_shared<testing::ManualClock>()}};
    std::vector<std::thread> telling;
    for (int thread = 0; thread < threads; ++thread) {
        telling.emplace_back([&, thread] {
            for (int i = 0; i < events_of_each; ++i) {
                // Of many lengths.
                const auto id = std::to_string(thread * events_of_each + i) + "/" +
                                std::string(static_cast<std::size_t>(i % 60), 'x');
                log.on_job({.change = JobChange::accepted, .job = id});
            }
        });
    }
    for (auto& thread : telling) thread.join();
    REQUIRE(lines.size() == threads * events_of_each);
    std::vector<std::string> expected;
    for (int i = 0; i < threads * events_of_each; ++i) {
        const auto id = std::to_string(i) + "/" +
                        std::string(static_cast<std::size_t>(i % events_of_each % 60), 'x');
        expected.push_back("2026-01-01T00:00:00.000Z info job change=accepted job=" + id);
    }
    std::sort(lines.begin(), lines.end());
    std::sort(expected.begin(), expected.end());
    CHECK(lines == expected);
}

}  // namespace log_observer_test
