/// @file
/// When the windows of a quota begin and end.
#pragma once

#include <string>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/quotas.hpp>

namespace twiliowa::detail {

inline constexpr std::chrono::seconds day_of_quota{86'400};

/// The window at that time. `keep_until` is its end.
TWILIOWA_EXPORT QuotaSlot quota_slot(const QuotaWindow& window, TimePoint now);

/// InvalidRequestError for windows that cannot be.
Result<void> check_quota_windows(const std::vector<QuotaWindow>& windows);

/// The levels, in percent and rising, that are reached between two uses of a limit.
TWILIOWA_EXPORT std::vector<int> quota_levels_reached(const std::vector<int>& levels,
                                                      std::int64_t limit, std::int64_t before,
                                                      std::int64_t after);

}  // namespace twiliowa::detail
