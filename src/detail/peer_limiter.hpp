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

/// A token bucket for each peer, in bounded memory. Thread-safe.
class PeerLimiter {
public:
    static constexpr std::size_t max_peers = 10'000;

    /// `requests` at once, and as many again spread over `per`.
    PeerLimiter(int requests, std::chrono::milliseconds per) noexcept
        : burst_(requests), refill_(std::chrono::nanoseconds(per) / requests) {}

    /// Takes a token, or says how long it will be until there is one.
    std::chrono::nanoseconds wait_for(std::string_view peer, MonotonicTime now);

private:
    /// The bucket is full at `full`, and lacks a token for every `refill_` before that.
    struct Bucket {
        MonotonicTime full = {};
    };
    void forget_full_ones(MonotonicTime now);

    int burst_;
    std::chrono::nanoseconds refill_;
    std::mutex mutex_;
    std::unordered_map<std::string, Bucket> buckets_;
};

}  // namespace twiliowa::detail
