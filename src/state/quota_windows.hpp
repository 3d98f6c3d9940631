/// @file
/// When the windows of a quota begin and end.
#pragma once

#include <string>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/quotas.hpp>

namespace twiliowa::detail {

inline constexpr std::chrono::seconds day_of_quota{86'400};
/// A window that is never over: what is used in all.
inline constexpr std::chrono::seconds quota_without_end{4'000'000'000};

/// The window at that time. `keep_until` is its end.
TWILIOWA_EXPORT QuotaSlot quota_slot(const QuotaWindow& window, TimePoint now);

/// What is counted of them at that time: a slot of each, and a last one of the day if `counts_days`
/// and none of them is.
TWILIOWA_EXPORT std::vector<QuotaSlot> quota_time_slots(const std::vector<QuotaWindow>& windows,
                                                        TimePoint now, const QuotasOptions& options,
                                                        bool counts_days);

/// How a window stands, by what is counted in its slot.
TWILIOWA_EXPORT QuotaState quota_state(const QuotaWindow& window, const QuotaSlot& slot,
                                       const QuotaCount& count);
/// What a reply to a request for that cost means.
TWILIOWA_EXPORT QuotaAnswer quota_answer(const std::vector<QuotaWindow>& windows,
                                         const std::vector<QuotaSlot>& time_slots,
                                         const QuotaReply& reply, std::int64_t cost);
/// `has 0 left of 30 in this minute`
TWILIOWA_EXPORT std::string quota_problem_of(const QuotaAnswer& refusal);

/// Tells the observer, if there is one, of the levels that were reached.
TWILIOWA_EXPORT void tell_quota_levels(const QuotasOptions& options, std::string_view quota,
                                       const std::vector<QuotaWindow>& windows,
                                       const std::vector<QuotaCount>& counts);

/// Tells the observer, if there is one, of a refusal.
TWILIOWA_EXPORT void tell_quota_refusal(const std::shared_ptr<Observer>& observer,
                                        std::string_view quota, const QuotaAnswer& refusal);

/// The windows of a quota: its own, or those of all. What the program says is checked; a function
/// of it that throws is an error.
TWILIOWA_EXPORT Result<std::vector<QuotaWindow>> quota_windows_of(const QuotasOptions& options,
                                                                  std::string_view quota);

/// The windows that are of plans, or the others.
TWILIOWA_EXPORT std::vector<QuotaWindow> some_quota_windows(const std::vector<QuotaWindow>& windows,
                                                            bool of_plans);

/// InvalidRequestError naming the option that is wrong.
TWILIOWA_EXPORT Result<void> check_quotas_options(const QuotasOptions& options);

/// InvalidRequestError for windows that cannot be.
Result<void> check_quota_windows(const std::vector<QuotaWindow>& windows);

/// The levels, in percent and rising, that are reached between two uses of a limit.
TWILIOWA_EXPORT std::vector<int> quota_levels_reached(const std::vector<int>& levels,
                                                      std::int64_t limit, std::int64_t before,
                                                      std::int64_t after);

}  // namespace twiliowa::detail
