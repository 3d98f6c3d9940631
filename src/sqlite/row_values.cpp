#include "sqlite/row_values.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

namespace twiliowa::detail {

std::int64_t stored_time(TimePoint time) noexcept {
    return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}

TimePoint time_of_stored(std::int64_t microseconds_since_epoch) noexcept {
    // Rows come from other programs, too: what no clock here can count is the first or last it can.
    using std::chrono::microseconds;
    constexpr auto first = std::chrono::ceil<microseconds>(TimePoint::min().time_since_epoch());
    constexpr auto last = std::chrono::floor<microseconds>(TimePoint::max().time_since_epoch());
    return TimePoint{std::clamp(microseconds{microseconds_since_epoch}, first, last)};
}

std::int64_t row_limit(std::size_t limit) noexcept {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    return limit > static_cast<std::size_t>(most) ? most : static_cast<std::int64_t>(limit);
}

}  // namespace twiliowa::detail
