/// @file
/// Processes that send as fast as a limiter lets them, on a clock that is moved.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <twiliowa/http/leased_limiter.hpp>
#include <twiliowa/testing/manual_clock.hpp>

namespace twiliowa::test {

inline constexpr const char* load_sender = "+447700900123";

/// A process whose callers each send, wait for the next slot, and send again.
struct SendingProcess {
    std::shared_ptr<LeasedLimiter> limiter;
    std::vector<MonotonicTime> callers;

    SendingProcess(std::shared_ptr<LeasedLimiter> by, std::size_t count)
        : limiter(std::move(by)), callers(count, MonotonicTime{}) {}
};

/// The slots at which messages left.
struct SentSlots {
    std::vector<MonotonicTime> slots = {};

    std::size_t between(MonotonicTime from, MonotonicTime to) const {
        return static_cast<std::size_t>(
            std::count_if(slots.begin(), slots.end(),
                          [&](MonotonicTime slot) { return slot >= from && slot < to; }));
    }
    /// The most within a time of that length that begins with a message.
    std::size_t most_within(MonotonicTime::duration length) {
        std::sort(slots.begin(), slots.end());
        std::size_t most = 0;
        std::size_t first = 0;
        for (std::size_t i = 0; i < slots.size(); ++i) {
            while (slots[i] - slots[first] >= length) ++first;
            most = std::max(most, i - first + 1);
        }
        return most;
    }
};

/// Lets all of them send for so long, in steps of a millisecond.
inline void run_limited(testing::ManualClock& clock, std::vector<SendingProcess>& processes,
                        SentSlots& sent, std::chrono::milliseconds time,
                        const std::function<void(std::chrono::milliseconds)>& passes = {},
                        std::chrono::milliseconds step = std::chrono::milliseconds{1}) {
    for (std::chrono::milliseconds passed{0}; passed < time; passed += step) {
        const auto now = clock.monotonic_now();
        for (auto& process : processes) {
            for (auto& slot : process.callers) {
                if (slot > now) continue;
                if (slot != MonotonicTime{}) sent.slots.push_back(slot);
                slot = process.limiter->reserve(load_sender, now);
            }
            process.limiter->fetch();
        }
        clock.advance(step);
        if (passes) passes(step);
    }
}

}  // namespace twiliowa::test
