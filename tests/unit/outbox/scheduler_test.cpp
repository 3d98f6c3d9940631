#include "outbox/scheduler.hpp"

#include <doctest/doctest.h>

#include <map>

namespace scheduler_test {

using twiliowa::Lane;
using twiliowa::ReadyGroup;
using twiliowa::detail::GroupTurn;
using twiliowa::detail::OutboxScheduler;
using twiliowa::detail::SendRoad;

namespace {

ReadyGroup group(std::string sender, Lane lane = Lane::normal, std::string tenant = {}) {
    return {std::move(sender), lane, std::move(tenant), {}};
}

std::size_t all(const SendRoad&) {
    return 1'000'000;
}

std::size_t turns_of(const std::vector<GroupTurn>& turns, const ReadyGroup& group) {
    for (const auto& turn : turns) {
        if (turn.group == group) return turn.jobs;
    }
    return 0;
}

}  // namespace

TEST_CASE("senders take turns, and what one may not use the others get") {
    OutboxScheduler scheduler;
    const std::vector<ReadyGroup> groups{group("a"), group("b"), group("c")};
    const auto even = scheduler.deal(groups, 30, all);
    for (const auto& each : groups) CHECK(turns_of(even, each) == 10);
    const auto limited = scheduler.deal(groups, 30, [](const SendRoad& road) -> std::size_t {
        return road.second == "a" ? 2 : 100;
    });
    CHECK(turns_of(limited, groups[0]) == 2);
    CHECK(turns_of(limited, groups[1]) == 14);
    CHECK(scheduler.deal(groups, 30, [](const SendRoad&) -> std::size_t { return 0; }).empty());
    CHECK(scheduler.deal({}, 30, all).empty());
}

TEST_CASE("what is urgent goes first; the other lanes share, and the last has a tenth") {
    OutboxScheduler scheduler;
    const auto high = group("a", Lane::high);
    const auto normal = group("a", Lane::normal);
    const auto bulk = group("a", Lane::bulk);
    const auto urgent = group("a", Lane::urgent);
    const auto turns = scheduler.deal({high, normal, bulk}, 270, all);
    CHECK(turns_of(turns, high) == 160);
    CHECK(turns_of(turns, normal) == 80);
    CHECK(turns_of(turns, bulk) == 30);
    CHECK(turns_of(scheduler.deal({urgent, high, bulk}, 10, all), urgent) == 10);
    CHECK(turns_of(scheduler.deal({bulk}, 10, all), bulk) == 10);
}

TEST_CASE("shares hold when turns come one by one, too") {
    OutboxScheduler scheduler;
    const std::vector<ReadyGroup> groups{group("a", Lane::high), group("a", Lane::bulk)};
    std::size_t bulk = 0;
    for (int i = 0; i < 190; ++i) bulk += turns_of(scheduler.deal(groups, 1, all), groups[1]);
    CHECK(bulk == 30);
}

TEST_CASE("tenants of one lane take turns, however few turns there are") {
    OutboxScheduler scheduler;
    const std::vector<ReadyGroup> groups{group("s", Lane::normal, "a"),
                                         group("s", Lane::normal, "b"),
                                         group("s", Lane::normal, "c")};
    std::map<std::string, std::size_t> dealt;
    for (int i = 0; i < 30; ++i) {
        for (const auto& turn : scheduler.deal(groups, 1, all))
            dealt[turn.group.tenant] += turn.jobs;
    }
    CHECK(dealt == std::map<std::string, std::size_t>{{"a", 10}, {"b", 10}, {"c", 10}});
}

}  // namespace scheduler_test
