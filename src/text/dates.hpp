/// @file
/// The dates of the API and of HTTP, whatever the locale. Years 1970 to 2261 (where system_clock
/// ends); all else is nullopt.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/export.hpp>

namespace twiliowa::detail {

using CalendarTime = std::chrono::system_clock::time_point;

/// `Thu, 24 Aug 2023 05:01:45 +0000` (the weekday may be missing; GMT and UT are known).
std::optional<CalendarTime> parse_rfc2822(std::string_view text);
/// `2023-08-24T05:01:45Z`, with a fraction or an offset too.
TWILIOWA_EXPORT std::optional<CalendarTime> parse_iso8601(std::string_view text);
/// The three forms of RFC 9110.
TWILIOWA_EXPORT std::optional<CalendarTime> parse_http_date(std::string_view text);
/// Either form that Twilio uses.
std::optional<CalendarTime> parse_twilio_date(std::string_view text);

TWILIOWA_EXPORT std::string format_iso8601_utc(CalendarTime time);  ///< `2026-11-21T06:10:00Z`
/// `Sat, 21 Nov 2026 06:10:00 +0000`
TWILIOWA_EXPORT std::string format_rfc2822(CalendarTime time);
std::string format_date_utc(CalendarTime time);  ///< `2026-11-21`

}  // namespace twiliowa::detail
