/// @file
/// Enumerations that Twilio may extend.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace twiliowa {

/// A word from Twilio's vocabulary. Known words are constants of the derived type; a word that
/// Twilio adds later is kept as it is and survives a round trip.
template <class Derived>
class OpenEnum {
public:
    OpenEnum() noexcept = default;
    explicit OpenEnum(std::string_view text) : text_(text) {}

    const std::string& str() const noexcept { return text_; }
    bool empty() const noexcept { return text_.empty(); }
    friend bool operator==(const OpenEnum& a, const OpenEnum& b) noexcept {
        return a.text_ == b.text_;
    }
    friend bool operator==(const OpenEnum& a, std::string_view b) noexcept { return a.text_ == b; }

private:
    std::string text_;
};

}  // namespace twiliowa
