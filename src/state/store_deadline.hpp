/// @file
/// By when the answer of a store is wanted: what a call with a deadline asks in its own thread.
#pragma once

#include <chrono>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa::detail {

/// Until when who asks a store in this thread waits for it, by the steady clock, whatever the
/// store's own time-out is. MonotonicTime::max(): as long as that.
TWILIOWA_EXPORT MonotonicTime store_deadline() noexcept;

/// While it lives, what this thread asks of stores is wanted within `left`, and within what an
/// outer one leaves. The interface of `Store` does not say so, as most of what is asked has no
/// deadline: the library's own stores look here.
class TWILIOWA_EXPORT StoreDeadline {
public:
    explicit StoreDeadline(std::chrono::milliseconds left) noexcept;
    ~StoreDeadline();
    StoreDeadline(const StoreDeadline&) = delete;
    StoreDeadline& operator=(const StoreDeadline&) = delete;

private:
    const MonotonicTime before_;
};

}  // namespace twiliowa::detail
