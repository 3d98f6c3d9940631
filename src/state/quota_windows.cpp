#include "state/quota_windows.hpp"

#include <algorithm>
#include <iterator>
#include <new>

#include <twiliowa/state/store.hpp>

#include "state/quota_book.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::size_t most_quota_windows = 8;
constexpr std::chrono::seconds longest_quota_period = std::chrono::hours{24 * 366};

/// So that a clock which is set back finds what it counted.
constexpr std::chrono::hours kept_for_clocks{24};

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

std::vector<QuotaSlot> quota_time_slots(const std::vector<QuotaWindow>& windows, TimePoint now,
                                        const QuotasOptions& options, bool counts_days) {
    std::vector<QuotaSlot> time_slots;
    time_slots.reserve(windows.size() + 1);
    bool has_day = !counts_days;
    for (const auto& window : windows) {
        auto& slot = time_slots.emplace_back(quota_slot(window, now));
        const bool is_day = window.period == day_of_quota;
        const auto kept =
            window.is_plan || is_day ? options.keep_usage : options.lapse_after + options.remember;
        slot.keep_until = time_after(slot.end, kept + kept_for_clocks);
        has_day = has_day || is_day;
    }
    if (has_day) return time_slots;
    auto& day = time_slots.emplace_back(quota_slot({day_of_quota, {}, true}, now));
    day.limit = QuotaSlot::no_limit;
    day.keep_until = time_after(day.end, options.keep_usage + kept_for_clocks);
    return time_slots;
}

QuotaState quota_state(const QuotaWindow& window, const QuotaSlot& slot, const QuotaCount& count) {
    QuotaState state{.window = window, .began = slot.begin, .renews = slot.end};
    state.used = QuotaAmount::thousandths(count.used);
    state.reserved = QuotaAmount::thousandths(count.open);
    state.left = QuotaAmount::thousandths(std::max<std::int64_t>(slot.limit - count.used, 0));
    return state;
}

namespace {

void set_retry_after(QuotaAnswer& answer, TimePoint now, std::int64_t cost) {
    TimePoint last = now;
    for (const auto& state : answer.windows) {
        if (!state.refused) continue;
        // Waiting is no answer.
        if (state.window.is_plan || state.window.limit.thousandths() < cost) return;
        last = std::max(last, state.renews);
    }
    answer.retry_after =
        std::max(std::chrono::ceil<std::chrono::seconds>(last - now), std::chrono::seconds{1});
}

}  // namespace

QuotaAnswer quota_answer(const std::vector<QuotaWindow>& windows,
                         const std::vector<QuotaSlot>& time_slots, const QuotaReply& reply,
                         std::int64_t cost) {
    QuotaAnswer answer;
    answer.granted = reply.taken != QuotaTaken::refused;
    answer.granted_before = reply.taken == QuotaTaken::taken_before;
    for (std::size_t i = 0; i < windows.size(); ++i) {
        auto state = quota_state(windows[i], time_slots[i], reply.counts[i]);
        state.refused = !answer.granted && state.left.thousandths() < cost;
        answer.windows.push_back(state);
    }
    if (!answer.granted) set_retry_after(answer, reply.now, cost);
    return answer;
}

std::string quota_problem_of(const QuotaAnswer& refusal) {
    const auto* const by = refusal.refused_by();
    if (by == nullptr) return "is used up";
    return "has " + by->left.text() + " left of " + by->window.limit.text() + " in this " +
           by->window.name();
}

void tell_quota_levels(const QuotasOptions& options, std::string_view quota,
                       const std::vector<QuotaWindow>& windows,
                       const std::vector<QuotaCount>& counts) {
    if (!options.observer) return;
    for (const auto& count : counts) {
        const auto window = std::find_if(windows.begin(), windows.end(), [&](const auto& one) {
            return one.period.count() == count.period;
        });
        if (window == windows.end()) continue;
        const auto limit = window->limit.thousandths();
        for (const int level :
             quota_levels_reached(options.warn_at, limit, count.peak_before, count.peak)) {
            const auto name = window->name();
            options.observer->on_quota_level({quota, name, window->is_plan, level, count.used,
                                              limit, quota_slot(*window, count.begin).end});
        }
    }
}

void tell_quota_refusal(const std::shared_ptr<Observer>& observer, std::string_view quota,
                        const QuotaAnswer& refusal) {
    const auto* const by = observer ? refusal.refused_by() : nullptr;
    if (by == nullptr) return;
    const auto name = by->window.name();
    observer->on_quota_refused({.quota = quota,
                                .window = name,
                                .is_plan = by->window.is_plan,
                                .left = by->left.thousandths(),
                                .limit = by->window.limit.thousandths(),
                                .renews = by->renews});
}

Result<std::vector<QuotaWindow>> quota_windows_of(const QuotasOptions& options,
                                                  std::string_view quota) {
    if (!options.windows_of) return options.windows;
    try {
        auto windows = options.windows_of(quota);
        if (!windows) return windows;
        if (auto fit = check_quota_windows(*windows); !fit) return fit.error();
        return windows;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (...) {
        return store_error("cannot tell the windows of a quota", "windows_of threw");
    }
}

std::vector<QuotaWindow> some_quota_windows(const std::vector<QuotaWindow>& windows,
                                            bool of_plans) {
    std::vector<QuotaWindow> some;
    std::copy_if(windows.begin(), windows.end(), std::back_inserter(some),
                 [&](const auto& window) { return window.is_plan == of_plans; });
    return some;
}

Result<void> check_quotas_options(const QuotasOptions& options) {
    if (!options.windows_of || !options.windows.empty()) {
        if (auto fit = check_quota_windows(options.windows); !fit) return fit;
    }
    const std::pair<std::string_view, std::chrono::milliseconds> durations[] = {
        {"lapse_after", options.lapse_after},
        {"remember", options.remember},
        {"keep_usage", options.keep_usage}};
    for (const auto& [name, duration] : durations) {
        if (const auto wrong = wrong_duration(name, duration)) return *wrong;
    }
    for (const int level : options.warn_at) {
        if (level >= 1 && level <= 100) continue;
        return Error::invalid_request("warn_at", "has a level that is not from 1 to 100");
    }
    return {};
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
