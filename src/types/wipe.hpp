/// @file
/// Wiping secrets.
#pragma once

#include <string>
#include <utility>

namespace twiliowa::detail {

/// Overwrites the text in a way the optimiser keeps, then clears it.
void wipe_string(std::string& text) noexcept;

/// A text that is wiped whatever happens. One that grows leaves bytes behind: give it its size
/// first.
struct WipedString {
    WipedString() = default;
    explicit WipedString(std::string of) noexcept : text(std::move(of)) {}
    WipedString(const WipedString&) = delete;
    WipedString& operator=(const WipedString&) = delete;
    ~WipedString() { wipe_string(text); }
    std::string text = {};
};

}  // namespace twiliowa::detail
