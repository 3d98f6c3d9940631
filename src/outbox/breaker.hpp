/// @file
/// An outage must not make every job's outcome unknown: after some in a row, one job at a time
/// tries whether it is over.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>

#include <twiliowa/types/clock.hpp>

namespace twiliowa::detail {

/// Of one account and sender. Not thread-safe; has no clock of its own.
class SendBreaker {
public:
    /// How many may go now.
    std::size_t allowed(MonotonicTime now) const noexcept {
        if (failures_ < to_open) return (std::numeric_limits<std::size_t>::max)();
        return now >= next_probe_ && !probing_ ? 1 : 0;
    }
    bool is_open() const noexcept { return failures_ >= to_open; }
    MonotonicTime next_probe() const noexcept { return next_probe_; }

    void went() noexcept {
        if (is_open()) probing_ = true;
    }
    /// An answer, whatever it says.
    void answered() noexcept { *this = SendBreaker{}; }
    /// It ended before anybody was asked: the next one probes.
    void unanswered() noexcept { probing_ = false; }
    /// It may have been sent, or no connection was had.
    void failed(MonotonicTime now) noexcept {
        // What went before it opened is no probe, however late it ends.
        if (is_open() && !probing_) return;
        probing_ = false;
        if (++failures_ < to_open) return;
        next_probe_ = now + pause_;
        pause_ = std::min(pause_ * 2, longest_pause);
    }

private:
    static constexpr int to_open = 3;
    static constexpr std::chrono::milliseconds longest_pause{120'000};

    int failures_ = 0;
    bool probing_ = false;
    std::chrono::milliseconds pause_{15'000};
    MonotonicTime next_probe_ = {};
};

}  // namespace twiliowa::detail
