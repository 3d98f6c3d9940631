/// @file
/// Wiping secrets.
#pragma once

#include <string>

namespace twiliowa::detail {

/// Overwrites the text in a way the optimiser keeps, then clears it.
void wipe_string(std::string& text) noexcept;

}  // namespace twiliowa::detail
