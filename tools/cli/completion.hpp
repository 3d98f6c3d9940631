/// @file
/// Completion scripts for shells, made from the commands there are.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace cli {

std::string bash_completion(const CLI::App& tree);
std::string zsh_completion(const CLI::App& tree);
std::string fish_completion(const CLI::App& tree);

}  // namespace cli
