/// @file
/// Environment variables, and wiping what was read from them.
#pragma once

#include <string>

namespace twiliowa::detail {

/// The variable's value; empty when it is not set.
std::string environment_variable(const char* name);

/// Overwrites the text in a way the optimiser keeps, then clears it.
void wipe_string(std::string& text) noexcept;

}  // namespace twiliowa::detail
