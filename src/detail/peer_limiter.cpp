#include "detail/peer_limiter.hpp"

#include <algorithm>

namespace twiliowa::detail {

std::chrono::nanoseconds PeerLimiter::wait_for(std::string_view peer, MonotonicTime now) {
    const std::lock_guard lock(mutex_);
    std::string key{peer};
    if (!buckets_.contains(key) && buckets_.size() >= max_peers) {
        forget_full_ones(now);
        // Too many peers at once are one peer.
        if (buckets_.size() >= max_peers) key.clear();
    }
    auto& bucket = buckets_[key];
    const auto full = std::max(bucket.full, now) + refill_;
    const auto latest = now + refill_ * burst_;
    if (full > latest) return full - latest;
    bucket.full = full;
    return std::chrono::nanoseconds{0};
}

void PeerLimiter::forget_full_ones(MonotonicTime now) {
    std::erase_if(buckets_, [now](const auto& entry) { return entry.second.full <= now; });
}

}  // namespace twiliowa::detail
