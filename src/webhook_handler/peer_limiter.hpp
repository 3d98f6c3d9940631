/// @file
/// How often each peer may knock.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include <twiliowa/types/clock.hpp>

namespace twiliowa::detail {

/// A token bucket for each peer, in bounded memory and constant time. An IPv6 peer is its /64.
/// With more peers than it can hold it forgets those heard of longest ago, first those who have
/// requests left, who may then do as much as new ones: a flood from many addresses shuts out
/// nobody. Thread-safe.
class PeerLimiter {
public:
    static constexpr std::size_t max_peers = 10'000;

    /// `requests` at once, and as many again spread over `per`.
    PeerLimiter(int requests, std::chrono::milliseconds per) noexcept
        : burst_(requests), refill_(std::chrono::nanoseconds(per) / requests) {}

    /// Takes a token, or says how long it will be until there is one.
    std::chrono::nanoseconds wait_for(std::string_view peer, MonotonicTime now);

private:
    /// When each bucket is full again; it lacks a token for every `refill_` until then.
    using Buckets = std::unordered_map<std::string, MonotonicTime>;
    MonotonicTime& full_again(std::string key, MonotonicTime now);
    void turn_over(MonotonicTime now);

    int burst_;
    std::chrono::nanoseconds refill_;
    std::mutex mutex_;
    Buckets recent_;
    Buckets older_;
};

}  // namespace twiliowa::detail
