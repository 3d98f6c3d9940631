/// @file
/// The time of a database, between its answers.
#pragma once

#include <atomic>
#include <cstdint>

#include <twiliowa/outbox/lease_time.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa::detail {

/// What the database said last, and what has passed here since, time in suspend included.
/// Thread-safe.
class DatabaseClock {
public:
    /// Microseconds since this machine started.
    static std::int64_t machine_time() noexcept;

    /// An answer to a question that was asked then. It keeps what it knew where the answer allows
    /// it: how long an answer takes moves no time.
    void heard(std::int64_t database_microseconds, std::int64_t asked_at) noexcept;

    std::int64_t microseconds() const noexcept { return machine_time() + ahead_; }
    LeaseTime lease_now() const { return {{}, microseconds()}; }
    TimePoint now() const;

private:
    std::atomic<std::int64_t> ahead_{0};  ///< By so much the database's time is later than ours.
    std::atomic<bool> has_heard_{false};
};

}  // namespace twiliowa::detail
