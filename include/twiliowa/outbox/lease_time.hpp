/// @file
/// The clock that leases go by: `LeaseTime`.
#pragma once

#include <cstdint>
#include <string>

namespace twiliowa {

/// A point on the clock that leases go by: the time since the machine started, suspended time
/// included, and which start that was; or the time of the database, and an empty `boot`.
struct LeaseTime {
    std::string boot = {};
    std::int64_t microseconds = 0;

    /// Whether a lease until this point has ended `now`. One of another start has.
    bool ended(const LeaseTime& now) const noexcept {
        return boot != now.boot || microseconds <= now.microseconds;
    }
    friend bool operator==(const LeaseTime&, const LeaseTime&) = default;
};

}  // namespace twiliowa
