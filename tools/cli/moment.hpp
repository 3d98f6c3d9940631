/// @file
/// Times, as they are printed and given: 2026-11-21T06:10:00Z.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/types/clock.hpp>

namespace cli {

/// Empty for none.
std::string text_of(const std::optional<twiliowa::TimePoint>& time);
/// Null for none.
nlohmann::ordered_json json_of(const std::optional<twiliowa::TimePoint>& time);

/// Reads `2026-11-21T06:10:00Z`, with `+01:00` in place of the Z, with parts of a second, or the
/// seconds since 1970. Nullopt for anything else: a time without its zone is none.
std::optional<twiliowa::TimePoint> time_of(std::string_view text);
/// Reads `90s`, `30m`, `48h`.
std::optional<std::chrono::seconds> duration_of(std::string_view text);

}  // namespace cli
