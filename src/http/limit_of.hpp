/// @file
/// The part of an engine's limiter's options that LeasedLimiter has.
#pragma once

#include <twiliowa/http/leased_limiter.hpp>

namespace twiliowa::detail {

template <class Options>
LeasedLimiterOptions limit_of(const Options& options) {
    return {.per_second = options.per_second,
            .burst = options.burst,
            .lease = options.lease,
            .processes = options.processes,
            .own_thread = options.own_thread,
            .clock = options.clock,
            .observer = options.observer};
}

}  // namespace twiliowa::detail
