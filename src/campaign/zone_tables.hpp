/// @file
/// Which time zones the first digits of a phone number stand for.
#pragma once

#include <span>
#include <string_view>

namespace twiliowa::detail {

struct ZonePrefix {
    std::string_view digits;  ///< Of the number in E.164, without its plus.
    std::string_view zones;   ///< IANA names, with a space between them.
};

/// Sorted by digits; the longest one that a number begins with holds.
std::span<const ZonePrefix> zone_prefixes() noexcept;

}  // namespace twiliowa::detail
