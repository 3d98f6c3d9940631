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

    /// Late rather than early: who has a lease stops in time.
    LeaseTime lease_now() const { return {{}, machine_time() + most_ahead_}; }
    /// Early rather than late: what is to go at once is due at once.
    TimePoint now() const;

private:
    // By so much the database's time is later than ours.
    std::atomic<std::int64_t> most_ahead_{0};
    std::atomic<std::int64_t> least_ahead_{0};
    std::atomic<bool> has_heard_{false};
};

}  // namespace twiliowa::detail
