/// @file
/// When a server that was not to be had is tried again.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <twiliowa/redis/redis_connection.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// After each failure twice as late, up to a second, and at random within that time's second half:
/// processes do not come all at once. Not thread-safe.
class RedisBackoff {
public:
    static constexpr std::chrono::milliseconds first{50};
    static constexpr std::chrono::milliseconds longest{1'000};

    /// @param refusal  a store_error, or what the server answered
    /// @param random  from 0 up to 1
    void failed(Result<RedisReply> refusal, MonotonicTime now, double random) {
        const auto half = wait_ / 2;
        next_ = now + half + std::chrono::duration_cast<std::chrono::microseconds>(half * random);
        wait_ = std::min(wait_ * 2, longest);
        refusal_ = std::move(refusal);
    }
    void succeeded() noexcept {
        wait_ = first;
        refusal_.reset();
    }
    /// Why it is not tried now; nullopt: it may be.
    std::optional<Result<RedisReply>> refusal(MonotonicTime now) const {
        return refusal_ && now < next_ ? refusal_ : std::nullopt;
    }

private:
    std::chrono::milliseconds wait_ = first;
    MonotonicTime next_ = {};
    std::optional<Result<RedisReply>> refusal_ = {};
};

}  // namespace twiliowa::detail
