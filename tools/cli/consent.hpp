/// @file
/// Asking a person before something is gone for good.
#pragma once

#include <string>

namespace cli {

/// Asks on the terminal, and waits for the answer.
/// @param help  the command line that tells more
/// @throws Failure where there is no terminal: then --yes has to be given.
bool agrees(const std::string& question, const std::string& help);

}  // namespace cli
