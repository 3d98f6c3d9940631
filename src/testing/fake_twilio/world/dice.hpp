/// @file
/// Chance, from a seed.
#pragma once

#include <cstdint>

#include "testing/fake_twilio/world/ids.hpp"

namespace twiliowa::testing::fake {

/// Apart from the identifiers', so that faults do not change those.
class FakeDice {
public:
    explicit FakeDice(std::uint64_t seed) noexcept : words_(seed ^ 0x746f6c6c65697321u) {}
    bool rolls(double probability) noexcept {
        if (probability <= 0.0) return false;
        return static_cast<double>(words_.next_word() >> 11) * 0x1p-53 < probability;
    }
    std::uint64_t state() const noexcept { return words_.state(); }
    void restore(std::uint64_t state) noexcept { words_ = FakeIds{state}; }

private:
    FakeIds words_;
};

}  // namespace twiliowa::testing::fake
