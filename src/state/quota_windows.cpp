#include "state/quota_windows.hpp"

#include <algorithm>

#include "state/quota_book.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::size_t most_quota_windows = 8;
constexpr std::chrono::seconds longest_quota_period = std::chrono::hours{24 * 366};

QuotaSlot month_slot(const QuotaWindow& window, TimePoint now) {
    const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(now)};
    const auto month = today.year() / today.month();
    const TimePoint begin = std::chrono::sys_days{month / 1};
    const TimePoint end = std::chrono::sys_days{(month + std::chrono::months{1}) / 1};
    return {0, begin, end, window.limit.thousandths(), end};
}

}  // namespace

QuotaSlot quota_slot(const QuotaWindow& window, TimePoint now) {
    if (window.period.count() == 0) return month_slot(window, now);
    const auto since = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch();
    const auto into = (since % window.period + window.period) % window.period;
    const TimePoint begin{since - into};
    const TimePoint end = begin + window.period;
    return {window.period.count(), begin, end, window.limit.thousandths(), end};
}

Result<void> check_quota_windows(const std::vector<QuotaWindow>& windows) {
    const auto wrong = [](std::string_view problem) {
        return Error::invalid_request("windows", problem);
    };
    if (windows.empty()) {
        // A tenant without a plan is a mistake, not one without limits.
        return Error::invalid_request("windows", "are none", "give a window whose limit is large");
    }
    if (windows.size() > most_quota_windows) return wrong("are more than 8");
    for (const auto& window : windows) {
        if (window.period.count() < 0 || window.period > longest_quota_period) {
            return wrong("have a period that is negative, or longer than 366 days");
        }
        const auto limit = window.limit.thousandths();
        if (limit < 0 || limit > QuotaSlot::most) {
            return wrong("have a limit that is negative, or more than can be counted");
        }
        const auto same = std::count_if(windows.begin(), windows.end(), [&](const auto& other) {
            return other.period == window.period;
        });
        if (same != 1) return wrong("have two of one period");
    }
    return {};
}

std::vector<int> quota_levels_reached(const std::vector<int>& levels, std::int64_t limit,
                                      std::int64_t before, std::int64_t after) {
    std::vector<int> reached;
    if (limit <= 0) return reached;
    for (const int level : levels) {
        const auto at = (limit * level + 99) / 100;
        if (before < at && at <= after) reached.push_back(level);
    }
    std::sort(reached.begin(), reached.end());
    return reached;
}

}  // namespace twiliowa::detail
