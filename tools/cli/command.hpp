/// @file
/// A command of twiliowa: `twiliowa <noun> <verb>`; a noun may be two words, as `outbox keys`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "failure.hpp"

namespace CLI {
class App;
}

namespace cli {

class Context;

/// Carries a command out. What the library throws may leave it.
using Action = std::function<ExitCode(Context&)>;

struct Command {
    std::string noun = {};
    std::string verb = {};     ///< Empty for a command of one word.
    std::string summary = {};  ///< One line, for lists.
    std::string details = {};  ///< What else its help says; may be empty.
    /// Whole command lines, which its help begins with. A test runs each of them.
    std::vector<std::string> examples = {};
    /// Declares options and arguments, and says what is done with them.
    std::function<Action(CLI::App&)> declare = {};
};

}  // namespace cli
