/// @file
/// Whose turn it is: fair shares for senders, lanes and tenants.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/outbox/storage.hpp>

namespace twiliowa::detail {

/// A sender of an account, by their names: what limits and outages are of.
using SendRoad = std::pair<std::string, std::string>;

/// How many jobs a group may send now.
struct GroupTurn {
    ReadyGroup group = {};
    std::size_t jobs = 0;
};

/// Deals out turns. Senders take turns one by one, since limits are theirs; within a sender what is
/// urgent goes first, and the other lanes share 16 : 8 : 3; within a lane the tenants take turns,
/// and within a tenant its campaigns and the rest. Remembers whose turn was last, so that a small
/// share comes in time.
class OutboxScheduler {
public:
    /// @param groups   where jobs wait, and may go.
    /// @param allowed  how many more messages may go there now.
    std::vector<GroupTurn> deal(const std::vector<ReadyGroup>& groups, std::size_t total,
                                const std::function<std::size_t(const SendRoad&)>& allowed);
    /// Whose turn was last; empty: nobody's.
    const SendRoad& last_road() const noexcept { return last_road_; }

private:
    struct SenderTurns {
        std::array<int, 4> credit = {};               ///< Of each lane.
        std::array<std::string, 4> last_tenant = {};  ///< Of each lane.
        /// Of each lane and tenant that has several.
        std::map<std::pair<std::size_t, std::string>, std::string> last_campaign = {};
    };

    std::map<SendRoad, SenderTurns> roads_ = {};
    SendRoad last_road_ = {};
};

}  // namespace twiliowa::detail
