/// @file
/// The help of a command: its examples come first.
#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <string>

#include "command.hpp"

namespace cli {

class HelpFormatter : public CLI::Formatter {
public:
    HelpFormatter();

    void describe(const CLI::App* app, const Command& command) { commands_[app] = command; }

    std::string make_description(const CLI::App* app) const override;
    std::string make_subcommand(const CLI::App* app) const override;
    /// What an option takes; an argument's name says that.
    std::string make_option_opts(const CLI::Option* option) const override;
    /// The options of every command.
    std::string make_footer(const CLI::App* app) const override;

private:
    std::map<const CLI::App*, Command> commands_;
};

}  // namespace cli
