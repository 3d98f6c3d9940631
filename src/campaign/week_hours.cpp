#include "campaign/week_hours.hpp"

#include <algorithm>
#include <cstddef>

namespace twiliowa::detail {

namespace {
constexpr std::chrono::seconds day_length{std::chrono::hours{24}};
constexpr std::chrono::seconds week_length{7 * day_length};
}  // namespace

AllowedWeek::AllowedWeek(const WeekHours& week) {
    for (std::size_t day = 0; day < week.size(); ++day) {
        if (!week[day]) continue;
        const auto midnight = static_cast<int>(day) * day_length;
        const WeekSecond from = midnight + week[day]->from;
        WeekSecond to = midnight + week[day]->to;
        if (to <= from) to += day_length;
        // Sunday's night is Monday's morning.
        if (to > week_length) intervals_.emplace_back(WeekSecond{0}, to - week_length);
        intervals_.emplace_back(from, std::min(to, week_length));
    }
    std::sort(intervals_.begin(), intervals_.end());
    std::vector<std::pair<WeekSecond, WeekSecond>> joined;
    for (const auto& interval : intervals_) {
        if (joined.empty() || joined.back().second < interval.first) {
            joined.push_back(interval);
        } else {
            joined.back().second = std::max(joined.back().second, interval.second);
        }
    }
    intervals_ = std::move(joined);
}

WeekSecond AllowedWeek::second_of(std::chrono::seconds since_1970) noexcept {
    // It was a Thursday.
    const auto since_monday = (since_1970 + 3 * day_length) % week_length;
    return since_monday.count() < 0 ? since_monday + week_length : since_monday;
}

bool AllowedWeek::allows(WeekSecond at) const noexcept {
    return std::any_of(intervals_.begin(), intervals_.end(), [at](const auto& interval) {
        return interval.first <= at && at < interval.second;
    });
}

std::optional<std::chrono::seconds> AllowedWeek::unchanged_for(WeekSecond at) const noexcept {
    const bool allowed = allows(at);
    std::optional<std::chrono::seconds> soonest;
    const auto consider = [&](WeekSecond boundary) {
        const auto in_week = boundary % week_length;
        // What ends with the week may go on in the next.
        if (allows(in_week) == allowed) return;
        auto distance = in_week - at;
        if (distance.count() <= 0) distance += week_length;
        if (!soonest || distance < *soonest) soonest = distance;
    };
    for (const auto& [from, to] : intervals_) {
        consider(from);
        consider(to);
    }
    return soonest;
}

}  // namespace twiliowa::detail
