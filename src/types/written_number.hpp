/// @file
/// The digits of a phone number out of what somebody wrote.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace twiliowa::detail {

/// A few digits, in place.
class DigitText {
public:
    static constexpr std::size_t capacity = 24;

    constexpr DigitText() noexcept = default;
    constexpr DigitText(std::string_view digits) noexcept { append(digits); }

    /// What does not fit is left out.
    constexpr void append(std::string_view digits) noexcept {
        for (const char digit : digits) {
            if (size_ < capacity) digits_[size_++] = digit;
        }
    }
    constexpr std::string_view view() const noexcept { return {digits_.data(), size_}; }
    constexpr std::size_t size() const noexcept { return size_; }

private:
    std::array<char, capacity> digits_ = {};
    std::size_t size_ = 0;
};

struct WrittenNumber {
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

    DigitText digits = {};
    bool has_plus = false;
    bool names_country =
        false;                  ///< By `whatsapp:` or a plus behind it: the code is there, no plus.
    bool had_decimals = false;  ///< `.0` stood behind it.
    std::size_t bracketed_zero = nowhere;  ///< Which digit is the `(0)`.

    // What keeps it from being one number, and the way out; empty if nothing does.
    std::string_view problem = {};
    std::string_view hint = {};
};

WrittenNumber read_written_number(std::string_view text) noexcept;

}  // namespace twiliowa::detail
