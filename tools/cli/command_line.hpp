/// @file
/// The command line: which command, and the options of every command.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "context.hpp"

namespace cli {

class CommandLine {
public:
    explicit CommandLine(const std::vector<Command>& commands);
    ~CommandLine();
    CommandLine(const CommandLine&) = delete;
    CommandLine& operator=(const CommandLine&) = delete;

    /// What to do.
    /// @throws Failure if it is wrong.
    Action parse(int argc, const char* const* argv);

    const CommonOptions& common() const noexcept { return common_; }
    const CLI::App& tree() const noexcept { return *tree_; }

private:
    CLI::App& noun(const std::string& name);

    CommonOptions common_;
    std::unique_ptr<CLI::App> tree_;
    std::map<const CLI::App*, Action> actions_;
};

}  // namespace cli
