/// @file
/// The random end of a version.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>

namespace twiliowa::detail {

/// Numbers from 000 to 999 that no two stores give in the same order. Thread-safe.
class VersionDigits {
public:
    std::string next() noexcept {
        // SplitMix64, a step for each.
        auto bits = state_.fetch_add(0x9e3779b97f4a7c15U, std::memory_order_relaxed);
        bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9U;
        bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebU;
        return std::to_string(1'000 + (bits ^ (bits >> 31)) % 1'000).substr(1);
    }

private:
    static std::uint64_t seed() {
        std::random_device random;
        return std::uint64_t{random()} << 32 | random();
    }
    std::atomic<std::uint64_t> state_{seed()};
};

}  // namespace twiliowa::detail
