/// @file
/// The hours of a week in which something is allowed, without a calendar.
#pragma once

#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include <twiliowa/campaign/quiet_hours.hpp>

namespace twiliowa::detail {

/// Seconds since Monday, 0:00.
using WeekSecond = std::chrono::seconds;

/// Sorted, and none touches the next.
class AllowedWeek {
public:
    /// Of hours that were checked.
    explicit AllowedWeek(const WeekHours& week);

    static WeekSecond second_of(std::chrono::seconds since_1970) noexcept;

    bool allows(WeekSecond at) const noexcept;
    /// How long it stays as it is; nullopt: always.
    std::optional<std::chrono::seconds> unchanged_for(WeekSecond at) const noexcept;

private:
    std::vector<std::pair<WeekSecond, WeekSecond>> intervals_;
};

}  // namespace twiliowa::detail
