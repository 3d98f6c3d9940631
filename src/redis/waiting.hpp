/// @file
/// Waiting for a socket, until a deadline.
#pragma once

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <twiliowa/types/clock.hpp>

namespace twiliowa::detail {

/// False: the deadline has passed.
inline bool await_socket(int socket, short events, MonotonicTime deadline) noexcept {
    using std::chrono::milliseconds;
    constexpr milliseconds day = std::chrono::hours{24};
    while (true) {
        const auto now = std::chrono::steady_clock::now();
        // The difference to a deadline long ago need not fit.
        const auto patience = deadline <= now
                                  ? milliseconds{0}
                                  : std::min(std::chrono::ceil<milliseconds>(deadline - now), day);
        pollfd waiting{socket, events, 0};
        const int answer = ::poll(&waiting, 1, static_cast<int>(patience.count()));
        if (answer > 0) return true;
        if (answer < 0 ? errno != EINTR : patience < day) return false;
    }
}

}  // namespace twiliowa::detail
