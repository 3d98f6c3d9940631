#include <utility>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>

#include "outbox/job_intake.hpp"
#include "outbox/outbox_core.hpp"
#include "state/quota_book.hpp"
#include "state/quota_windows.hpp"

namespace twiliowa {

namespace detail {
namespace {

Error lacks_quotas() {
    return Error::invalid_request("quotas", "are not given", "give OutboxOptions::quotas");
}

}  // namespace
}  // namespace detail

Result<std::vector<QuotaState>> Outbox::try_quota(std::string_view quota) {
    const auto core = detail::OutboxParts::of(*this).core;
    const auto& options = core->options.quotas;
    if (!options) return detail::lacks_quotas();
    if (auto fits = detail::check_quota_keys(quota, quota); !fits) return fits.error();
    auto windows = detail::quota_windows_of(*options, quota);
    if (!windows) return windows.error();
    std::vector<QuotaWindow> elsewhere;
    if (core->options.quota_rates) {
        elsewhere = detail::some_quota_windows(*windows, false);
        *windows = detail::some_quota_windows(*windows, true);
    }
    std::vector<QuotaState> states;
    const auto read = core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        states.clear();
        for (const auto& window : *windows) {
            const auto slot = detail::quota_slot(window, transaction.now());
            const auto counts = transaction.quota_history(quota, slot.period, slot.begin, slot.end);
            if (!counts) return counts.error();
            states.push_back(detail::quota_state(window, slot,
                                                 counts->empty() ? QuotaCount{} : counts->front()));
        }
        return {};
    });
    if (!read) return read.error();
    if (elsewhere.empty()) return states;
    const Quotas rates{core->options.quota_rates,
                       {.windows = std::move(elsewhere), .clock = core->options.clock}};
    auto more = rates.read(quota);
    if (!more) return more.error();
    states.insert(states.end(), more->begin(), more->end());
    return states;
}

std::vector<QuotaState> Outbox::quota(std::string_view quota) {
    return try_quota(quota).value();
}

Result<std::vector<QuotaDay>> Outbox::try_quota_by_day(std::string_view quota, TimePoint from,
                                                       TimePoint to) {
    if (auto fits = detail::check_quota_keys(quota, quota); !fits) return fits.error();
    const auto core = detail::OutboxParts::of(*this).core;
    std::vector<QuotaDay> days;
    const auto read = core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        days.clear();
        const auto counts =
            transaction.quota_history(quota, detail::day_of_quota.count(), from, to);
        if (!counts) return counts.error();
        for (const auto& count : *counts) {
            if (count.used == 0) continue;
            days.push_back({count.begin, QuotaAmount::thousandths(count.used), {}});
        }
        return {};
    });
    if (!read) return read.error();
    return days;
}

Result<std::int64_t> Outbox::try_resume_quota(std::string_view quota) {
    constexpr std::size_t resumed_at_once = 200;
    const auto parts = detail::OutboxParts::of(*this);
    std::int64_t resumed = 0;
    for (const auto state : {JobState::held, JobState::ready}) {
        JobFilter filter{.state = state, .limit = resumed_at_once};
        for (std::size_t read = filter.limit; read == filter.limit;) {
            std::int64_t some = 0;
            auto last = filter.after;
            const auto done =
                parts.core->transact([&](OutboxTransaction& transaction) -> Result<void> {
                    some = 0;
                    last = filter.after;
                    auto jobs = transaction.list(filter);
                    if (!jobs) return jobs.error();
                    read = jobs->size();
                    for (auto& job : *jobs) {
                        last = job.sequence;
                        if (job.quota != quota) continue;
                        const auto moved = parts.core->apply(
                            transaction, job,
                            [](detail::JobMachine& machine) { return machine.quota_renewed(); });
                        if (!moved) return moved.error();
                        if (*moved) ++some;
                    }
                    return {};
                });
            if (!done) return done.error();
            resumed += some;
            filter.after = last;
        }
    }
    parts.wake();
    return resumed;
}

}  // namespace twiliowa
