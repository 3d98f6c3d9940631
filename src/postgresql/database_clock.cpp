#include "postgresql/database_clock.hpp"

#include <algorithm>
#include <ctime>

#include "outbox/job_values.hpp"

namespace twiliowa::detail {

std::int64_t DatabaseClock::machine_time() noexcept {
    struct timespec time = {};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 +
           static_cast<std::int64_t>(time.tv_nsec) / 1'000;
}

void DatabaseClock::heard(std::int64_t database_microseconds, std::int64_t asked_at) noexcept {
    // It was said between the question and now.
    const auto most = database_microseconds - asked_at;
    const auto least = database_microseconds - machine_time();
    const bool knew = has_heard_.exchange(true);
    most_ahead_ = knew ? std::clamp<std::int64_t>(most_ahead_, least, most) : most;
    least_ahead_ = knew ? std::clamp<std::int64_t>(least_ahead_, least, most) : least;
}

TimePoint DatabaseClock::now() const {
    return time_of_stored(machine_time() + least_ahead_);
}

}  // namespace twiliowa::detail
