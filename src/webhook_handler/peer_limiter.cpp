#include "webhook_handler/peer_limiter.hpp"

#include <algorithm>
#include <utility>

#include "net/ip.hpp"

namespace twiliowa::detail {

namespace {

/// Whoever has one address of an IPv6 /64 has them all. One of IPv4 is the same however it is
/// written.
std::string peer_key(std::string_view peer) {
    const auto address = parse_ip_address(peer.substr(0, peer.find('%')));
    if (!address) return std::string{peer};
    if (is_ip4(*address)) return {address->begin() + 12, address->end()};
    return {address->begin(), address->begin() + 8};
}

}  // namespace

std::chrono::nanoseconds PeerLimiter::wait_for(std::string_view peer, MonotonicTime now) {
    auto key = peer_key(peer);
    const std::lock_guard lock(mutex_);
    auto& full_at = full_again(std::move(key), now);
    const auto full = std::max(full_at, now) + refill_;
    const auto latest = now + refill_ * burst_;
    if (full > latest) return full - latest;
    full_at = full;
    return std::chrono::nanoseconds{0};
}

MonotonicTime& PeerLimiter::full_again(std::string key, MonotonicTime now) {
    const auto recent = recent_.find(key);
    if (recent != recent_.end()) return recent->second;
    if (recent_.size() >= max_peers / 2) turn_over(now);
    auto older = older_.extract(key);
    if (!older.empty()) return recent_.insert(std::move(older)).position->second;
    return recent_[std::move(key)];
}

/// Those of the older ones who have used up their requests stay, as far as there is room: otherwise
/// a peer would only have to wait for others.
void PeerLimiter::turn_over(MonotonicTime now) {
    const auto empty_at = now + refill_ * (burst_ - 1);
    Buckets kept;
    for (auto peer = older_.begin(); peer != older_.end() && kept.size() < max_peers / 4;) {
        const auto here = peer++;
        if (here->second > empty_at) kept.insert(older_.extract(here));
    }
    older_ = std::exchange(recent_, std::move(kept));
}

}  // namespace twiliowa::detail
