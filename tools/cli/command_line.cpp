#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>

#include <twiliowa/version.hpp>

#include "help.hpp"

namespace cli {

namespace {

/// Known before the rest is: what is wrong with it is said as it asks for.
bool asks_for_json(int argc, const char* const* argv) {
    return std::any_of(argv + 1, argv + argc,
                       [](const char* word) { return std::string_view{word} == "--json"; });
}

/// The command as far as it was understood: `twiliowa sender show`.
std::string words_of(const CLI::App& app) {
    const auto parsed = app.get_subcommands();
    return app.get_name() + (parsed.empty() ? "" : " " + words_of(*parsed.front()));
}

/// What was not understood, without a value that may follow: it could be a secret.
std::string stranger_among(const std::vector<std::string>& words) {
    const auto option = std::find_if(words.begin(), words.end(),
                                     [](const auto& word) { return word.starts_with("-"); });
    if (option != words.end()) return "there is no option " + option->substr(0, option->find('='));
    return "there is no place for '" + words.front() + "'";
}

/// The deepest of the commands that were named.
const CLI::App& named_command(const CLI::App& app) {
    const auto parsed = app.get_subcommands();
    return parsed.empty() ? app : named_command(*parsed.front());
}

Failure usage_failure_of(const CLI::App& app, const CLI::ParseError& error) {
    const auto help = words_of(app) + " --help";
    const auto& command = named_command(app);
    const auto left = app.remaining(true);
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr &&
        !command.get_subcommands({}).empty()) {
        return usage_failure(left.empty() || left.front().starts_with("-")
                                 ? "which command is missing"
                                 : "there is no command '" + left.front() + "'",
                             help);
    }
    if (!left.empty()) return usage_failure(stranger_among(left), help);
    return usage_failure(error.what(), help);
}

Action print(std::string text) {
    return [text = std::move(text)](Context& context) {
        context.output.result({{"text", text}}, text);
        return ExitCode::done;
    };
}

Action print_version() {
    return [](Context& context) {
        context.output.result({{"version", TWILIOWA_VERSION_STRING}},
                              "twiliowa " TWILIOWA_VERSION_STRING "\n");
        return ExitCode::done;
    };
}

}  // namespace

CommandLine::CommandLine(const std::vector<Command>& commands)
    : tree_(std::make_unique<CLI::App>("WhatsApp through Twilio, from the command line.",
                                       "twiliowa")) {
    auto formatter = std::make_shared<HelpFormatter>();
    tree_->formatter(formatter);
    tree_->set_help_flag("-h,--help", "How a command is used");
    tree_->set_version_flag("--version", TWILIOWA_VERSION_STRING, "Which version this is");
    tree_->add_flag("--json", common_.json, "The result as one JSON value; an error, too");
    tree_
        ->add_option("--env-file", common_.env_file,
                     "Variables for the environment; what is set there already wins")
        ->type_name("FILE");
    tree_
        ->add_option("--base-url", common_.base_url,
                     "Instead of https://api.twilio.com: an emulator, a gateway")
        ->type_name("URL");
    tree_->require_subcommand(1);
    tree_->fallthrough();
    for (const auto& command : commands) {
        auto& parent = command.verb.empty() ? *tree_ : noun(command.noun);
        auto* const app = parent.add_subcommand(command.verb.empty() ? command.noun : command.verb,
                                                command.summary);
        app->group("Commands");
        formatter->describe(app, command);
        actions_.emplace(app, command.declare(*app));
    }
}

CommandLine::~CommandLine() = default;

CLI::App& CommandLine::noun(const std::string& name) {
    auto* parent = tree_.get();
    std::istringstream words{name};
    for (std::string word; words >> word;) {
        const auto known =
            parent->get_subcommands([&](const CLI::App* app) { return app->get_name() == word; });
        if (!known.empty()) {
            parent = known.front();
            continue;
        }
        parent = parent->add_subcommand(word);
        parent->group("Commands");
        parent->require_subcommand(1);
    }
    return *parent;
}

Action CommandLine::parse(int argc, const char* const* argv) {
    try {
        tree_->parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return print(tree_->help());
    } catch (const CLI::CallForVersion&) {
        common_.json = asks_for_json(argc, argv);
        return print_version();
    } catch (const CLI::ParseError& error) {
        common_.json = asks_for_json(argc, argv);
        throw usage_failure_of(*tree_, error);
    }
    return actions_.at(&named_command(*tree_));
}

}  // namespace cli
