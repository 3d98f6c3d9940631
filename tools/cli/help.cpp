#include "help.hpp"

#include <sstream>

namespace cli {

HelpFormatter::HelpFormatter() {
    label("SUBCOMMAND", "COMMAND");
    label("Positionals", "Arguments");
    label("REQUIRED", "");
    column_width(26);
}

std::string HelpFormatter::make_description(const CLI::App* app) const {
    const auto found = commands_.find(app);
    if (found == commands_.end()) {
        return app->get_description().empty() ? "" : app->get_description() + "\n\n";
    }
    const auto& command = found->second;
    std::string text = command.examples.size() == 1 ? "Example:\n" : "Examples:\n";
    for (const auto& example : command.examples) text += "  " + example + "\n";
    text += "\n" + command.summary + ".\n";
    if (!command.details.empty()) text += command.details + "\n";
    return text + "\n";
}

std::string HelpFormatter::make_subcommand(const CLI::App* app) const {
    std::ostringstream out;
    auto summary = app->get_description();
    for (const auto* const verb : app->get_subcommands({})) {
        summary += (summary.empty() ? "" : ", ") + verb->get_name();
    }
    CLI::detail::format_help(out, app->get_name(), summary, column_width_);
    return out.str();
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
    const bool is_argument = option->get_lnames().empty() && option->get_snames().empty();
    return is_argument ? "" : Formatter::make_option_opts(option);
}

std::string HelpFormatter::make_footer(const CLI::App* app) const {
    const auto* root = app;
    while (root->get_parent() != nullptr) root = root->get_parent();
    if (root == app) {
        return "Credentials come from the environment: TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, "
               "or\n"
               "TWILIO_API_KEY and TWILIO_API_SECRET. Exit codes: 0 done, 1 refused, 2 wrong "
               "command\n"
               "line, 3 outcome unknown, 4 nothing was done and trying later may help.\n";
    }
    const auto common = root->get_options([root](const CLI::Option* option) {
        return option != root->get_help_ptr() && option != root->get_version_ptr();
    });
    return make_group("Options of every command", false, common).substr(1);
}

}  // namespace cli
