/// @file
/// Times, as they are printed: 2026-11-21T06:10:00Z.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include <twiliowa/types/clock.hpp>

namespace cli {

/// Empty for none.
std::string text_of(const std::optional<twiliowa::TimePoint>& time);
/// Null for none.
nlohmann::ordered_json json_of(const std::optional<twiliowa::TimePoint>& time);

}  // namespace cli
