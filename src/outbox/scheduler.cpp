#include "outbox/scheduler.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace twiliowa::detail {
namespace {

/// Of the lanes; the urgent one goes before all shares.
constexpr std::array<int, 4> lane_shares{0, 16, 8, 3};

/// The groups of one sender, by lane, in the order of their tenants.
using LaneGroups = std::array<std::vector<const ReadyGroup*>, 4>;

std::size_t index_of(Lane lane) noexcept {
    return static_cast<std::size_t>(lane);
}

}  // namespace

std::vector<GroupTurn> OutboxScheduler::deal(
    const std::vector<ReadyGroup>& groups, std::size_t total,
    const std::function<std::size_t(const SendRoad&)>& allowed) {
    struct Waiting {
        LaneGroups lanes = {};
        std::size_t left = 0;
    };
    std::map<SendRoad, Waiting> waiting;
    for (const auto& group : groups) {
        waiting[{group.account, group.sender}].lanes[index_of(group.lane)].push_back(&group);
    }
    std::erase_if(roads_, [&](const auto& each) { return !waiting.contains(each.first); });
    std::map<ReadyGroup, std::size_t> dealt;
    std::size_t able = 0;
    for (auto& [road, each] : waiting) {
        each.left = std::min(allowed(road), total);
        if (each.left != 0) ++able;
        for (auto& lane : each.lanes) {
            std::sort(lane.begin(), lane.end(), [](const auto* a, const auto* b) {
                return std::tie(a->tenant, a->campaign) < std::tie(b->tenant, b->campaign);
            });
        }
    }
    auto turn = waiting.upper_bound(last_road_);
    while (total != 0 && able != 0) {
        if (turn == waiting.end()) turn = waiting.begin();
        auto& [road, here] = *turn;
        ++turn;
        if (here.left == 0) continue;
        auto& memory = roads_[road];
        std::size_t lane = 0;
        if (here.lanes[0].empty()) {
            // Each lane that waits earns its share; the richest goes, and pays for all.
            int earned = 0;
            for (std::size_t i = 1; i < lane_shares.size(); ++i) {
                if (here.lanes[i].empty()) {
                    memory.credit[i] = 0;
                    continue;
                }
                memory.credit[i] += lane_shares[i];
                earned += lane_shares[i];
                if (lane == 0 || memory.credit[i] > memory.credit[lane]) lane = i;
            }
            memory.credit[lane] -= earned;
        }
        const auto& groups_here = here.lanes[lane];
        auto next = std::find_if(groups_here.begin(), groups_here.end(), [&](const auto* group) {
            return group->tenant > memory.last_tenant[lane];
        });
        if (next == groups_here.end()) next = groups_here.begin();
        const auto& tenant = (*next)->tenant;
        memory.last_tenant[lane] = tenant;
        const auto end = std::find_if(next, groups_here.end(),
                                      [&](const auto* group) { return group->tenant != tenant; });
        if (end - next > 1) {
            auto& last = memory.last_campaign[{lane, tenant}];
            const auto later =
                std::find_if(next, end, [&](const auto* group) { return group->campaign > last; });
            if (later != end) next = later;
            last = (*next)->campaign;
        }
        ++dealt[**next];
        last_road_ = road;
        --total;
        if (--here.left == 0) --able;
    }
    std::vector<GroupTurn> turns;
    turns.reserve(dealt.size());
    for (auto& [group, jobs] : dealt) turns.push_back({group, jobs});
    return turns;
}

}  // namespace twiliowa::detail
