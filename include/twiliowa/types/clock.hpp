/// @file
/// Time as something that can be replaced in a test.
#pragma once

#include <chrono>
#include <memory>

#include <twiliowa/export.hpp>
#include <twiliowa/types/cancel.hpp>

namespace twiliowa {

/// A point on the calendar (UTC).
using TimePoint = std::chrono::system_clock::time_point;
/// A point on a clock that only moves forward; deadlines are made of it.
using MonotonicTime = std::chrono::steady_clock::time_point;

/// Where the library gets its time from. Implementations must be safe to call from any thread.
class TWILIOWA_EXPORT Clock {
public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;
    virtual MonotonicTime monotonic_now() const = 0;
    /// Blocks until `until`, or until `cancel` is cancelled, whichever comes first.
    virtual void sleep_until(MonotonicTime until, const CancelToken& cancel) = 0;
};

/// The machine's clock; stateless, shared.
TWILIOWA_EXPORT std::shared_ptr<Clock> system_clock();

}  // namespace twiliowa
