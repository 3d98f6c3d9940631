/// @file
/// Variables of the environment.
#pragma once

#include <string>

namespace cli {

/// Empty where it is not set.
std::string environment(const char* name);

}  // namespace cli
