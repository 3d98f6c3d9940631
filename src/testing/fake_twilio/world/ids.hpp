/// @file
/// Identifiers the fake makes up.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace twiliowa::testing::fake {

/// A reproducible source of SIDs and request ids.
class FakeIds {
public:
    explicit FakeIds(std::uint64_t seed) noexcept : state_(seed) {}

    /// `prefix` and 32 hexadecimal digits.
    std::string next(std::string_view prefix);
    /// A version 4 UUID.
    std::string next_uuid();
    std::uint64_t next_word() noexcept;
    std::uint64_t state() const noexcept { return state_; }

private:
    std::uint64_t state_;
};

/// Whether `text` is `prefix` and 32 hexadecimal digits.
bool is_sid(std::string_view text, std::string_view prefix) noexcept;

}  // namespace twiliowa::testing::fake
