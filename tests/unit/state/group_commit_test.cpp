#include "state/group_commit.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <latch>
#include <span>
#include <thread>
#include <vector>

namespace group_commit_test {

using twiliowa::Result;

using namespace std::chrono_literals;

namespace {

using Work = std::function<Result<void>()>;
using GroupCommit = twiliowa::detail::GroupCommit<Work>;

const GroupCommit::Duration an_hour = 1h;

/// Notes how many works each commit had, on a disk as slow as it is told; the first commit of all
/// takes until it is let go on.
struct CountedCommits {
    explicit CountedCommits(GroupCommit::Duration disk, std::size_t most = 1'000)
        : took(disk), commits([this](auto batch) { return run(batch); }, most) {}

    GroupCommit::Duration run(std::span<GroupCommit::Queued* const> batch) {
        if (sizes.empty()) {
            begun.count_down();
            go_on.wait();
        }
        sizes.push_back(batch.size());
        return took;
    }
    void hand_over() {
        commits.commit([]() -> Result<void> { return {}; }).value();
    }
    void await_waiting(std::size_t works) const {
        while (commits.waiting() < works) std::this_thread::yield();
    }

    const GroupCommit::Duration took;
    std::vector<std::size_t> sizes = {};
    std::latch begun{1};
    std::latch go_on{1};
    GroupCommit commits;
};

}  // namespace

TEST_CASE("who hands over again at once shares the next commit with those who waited for it") {
    CountedCommits counted{an_hour};
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
        counted.hand_over();
        // Time enough for who would not wait.
        for (int i = 0; i < 1'000; ++i) std::this_thread::yield();
        counted.hand_over();
    });
    counted.begun.wait();
    for (int i = 0; i < 3; ++i) threads.emplace_back([&] { counted.hand_over(); });
    counted.await_waiting(3);
    counted.go_on.count_down();
    for (auto& thread : threads) thread.join();
    CHECK(counted.sizes == std::vector<std::size_t>{1, 4});
}

TEST_CASE("who hands over alone waits for nobody") {
    CountedCommits counted{an_hour};
    counted.go_on.count_down();
    for (int i = 0; i < 5; ++i) counted.hand_over();
    CHECK(counted.sizes == std::vector<std::size_t>{1, 1, 1, 1, 1});
}

TEST_CASE("whom nobody joins in time goes on alone") {
    CountedCommits counted{1ms};
    std::thread first{[&] { counted.hand_over(); }};
    counted.begun.wait();
    std::thread second{[&] { counted.hand_over(); }};
    counted.await_waiting(1);
    counted.go_on.count_down();
    first.join();
    second.join();
    CHECK(counted.sizes == std::vector<std::size_t>{1, 1});
}

TEST_CASE("no commit has more works than it may") {
    CountedCommits counted{0ms, 4};
    std::vector<std::thread> threads;
    threads.emplace_back([&] { counted.hand_over(); });
    counted.begun.wait();
    for (int i = 0; i < 10; ++i) threads.emplace_back([&] { counted.hand_over(); });
    counted.await_waiting(10);
    counted.go_on.count_down();
    for (auto& thread : threads) thread.join();
    CHECK(counted.sizes == std::vector<std::size_t>{1, 4, 4, 2});
    CHECK(counted.commits.waiting() == 0);
}

}  // namespace group_commit_test
