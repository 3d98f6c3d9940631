/// @file
/// One instant on both clocks.
#pragma once

#include <twiliowa/types/clock.hpp>

namespace twiliowa::testing::fake {

struct FakeMoment {
    TimePoint now = {};
    MonotonicTime monotonic = {};

    static FakeMoment of(const Clock& clock) { return {clock.now(), clock.monotonic_now()}; }
};

/// `when` on the other clock; what is past is now.
inline MonotonicTime monotonic_at(const FakeMoment& moment, TimePoint when) {
    return when <= moment.now ? moment.monotonic : moment.monotonic + (when - moment.now);
}

}  // namespace twiliowa::testing::fake
