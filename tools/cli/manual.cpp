// `twiliowa manual`

#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>

#include <twiliowa/version.hpp>

#include "commands.hpp"
#include "context.hpp"

namespace cli {

namespace {

/// An option or an argument, as the manual tells it.
struct Explained {
    std::string form = {};  ///< `--to ADDRESS`
    std::string text = {};
    bool is_needed = false;
};

/// A command with all that its help says.
struct Entry {
    std::string name = {};  ///< `twiliowa send text`
    Command command = {};
    std::vector<Explained> options = {};
};

std::vector<Explained> options_of(const CLI::App& app) {
    std::vector<Explained> all;
    for (const auto* const option : app.get_options()) {
        if (option == app.get_help_ptr() || option == app.get_version_ptr()) continue;
        const auto& names = option->get_lnames();
        Explained each{.text = option->get_description(), .is_needed = option->get_required()};
        each.form = names.empty() ? option->get_name() : "--" + names.front();
        const bool takes_value = !option->get_type_name().empty();
        if (!names.empty() && takes_value) each.form += " " + option->get_type_name();
        if (takes_value && !option->get_default_str().empty()) {
            each.text += " (default: " + option->get_default_str() + ")";
        }
        all.push_back(std::move(each));
    }
    return all;
}

/// In the order in which help lists them.
std::vector<Entry> entries_of(const CLI::App& tree) {
    std::vector<Entry> all;
    for (auto& command : all_commands()) {
        const auto words =
            command.noun + (command.verb.empty() ? std::string{} : " " + command.verb);
        const auto* app = &tree;
        std::istringstream names{words};
        for (std::string name; names >> name;) app = app->get_subcommand(name);
        all.push_back({"twiliowa " + words, std::move(command), options_of(*app)});
    }
    return all;
}

// ---- for `man`

/// As roff takes it: nothing of it is a request.
std::string roff(const std::string& text) {
    std::string out;
    bool begins = true;
    for (const char c : text) {
        if (begins && (c == '.' || c == '\'')) out += "\\&";
        begins = c == '\n';
        if (c == '\\') {
            out += "\\e";
        } else if (c == '-') {
            out += "\\-";
        } else {
            out += c;
        }
    }
    return out;
}

std::string roff_of_options(const std::vector<Explained>& options) {
    std::string out;
    for (const auto& each : options) {
        out += ".TP\n.B " + roff(each.form) + "\n" + roff(each.text) +
               (each.is_needed ? " (needed)" : "") + "\n";
    }
    return out;
}

std::string man_page(const CLI::App& tree) {
    std::string out = ".TH TWILIOWA 1 \"\" \"twiliowa " TWILIOWA_VERSION_STRING
                      "\"\n.SH NAME\ntwiliowa \\- WhatsApp through Twilio, from the command line\n"
                      ".SH SYNOPSIS\n.B twiliowa\n.I COMMAND\n[OPTIONS]\n.SH DESCRIPTION\n";
    if (const auto formatter = std::dynamic_pointer_cast<CLI::Formatter>(tree.get_formatter())) {
        out += roff(formatter->make_footer(&tree));
    }
    out += ".SH OPTIONS OF EVERY COMMAND\n" + roff_of_options(options_of(tree));
    out += ".SH COMMANDS\n";
    for (const auto& entry : entries_of(tree)) {
        out += ".SS " + roff(entry.name) + "\n" + roff(entry.command.summary) + ".\n";
        if (!entry.command.details.empty()) out += ".PP\n" + roff(entry.command.details) + "\n";
        out += roff_of_options(entry.options);
        out += ".PP\n.nf\n";
        for (const auto& example : entry.command.examples) out += roff(example) + "\n";
        out += ".fi\n";
    }
    return out;
}

// ---- for the documentation

/// On one line, and nothing of it is markup.
std::string plain_markdown(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') {
            out += ' ';
        } else if (c == '<') {
            out += "&lt;";
        } else {
            if (std::string_view{"*_@#|\\"}.find(c) != std::string_view::npos) out += '\\';
            out += c;
        }
    }
    return out;
}

std::string markdown(const CLI::App& tree) {
    std::string out;
    for (const auto& entry : entries_of(tree)) {
        out += "### " + entry.name + "\n\n" + plain_markdown(entry.command.summary) + ".";
        if (!entry.command.details.empty()) out += " " + plain_markdown(entry.command.details);
        out += "\n\n";
        for (const auto& each : entry.options) {
            out += "- `" + each.form + "`" + (each.is_needed ? ", needed" : "") + ": " +
                   plain_markdown(each.text) + "\n";
        }
        if (!entry.options.empty()) out += "\n";
    }
    if (!out.empty()) out.pop_back();
    return out;
}

Action declare_manual(CLI::App& app) {
    const auto format = std::make_shared<std::string>("man");
    app.add_option("--format", *format, "man: for troff; markdown: for docs/command-line.md")
        ->type_name("man|markdown")
        ->check(CLI::IsMember({"man", "markdown"}))
        ->capture_default_str();
    return [format](Context& context) {
        const auto text = *format == "man" ? man_page(context.tree) : markdown(context.tree);
        context.output.result({{"text", text}}, text);
        return ExitCode::done;
    };
}

}  // namespace

std::vector<Command> manual_commands() {
    return {{.noun = "manual",
             .summary = "Prints the manual: every command with its options",
             .examples = {"twiliowa manual --format markdown"},
             .declare = declare_manual}};
}

}  // namespace cli
