#include "completion.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>
#include <vector>

namespace cli {

namespace {

/// An option of a command, or an argument of it.
struct Word {
    std::string name = {};   ///< --json; empty for an argument.
    std::string value = {};  ///< What it takes: empty for a flag, FILE, or words between bars.
    std::string summary = {};

    bool takes_file() const { return value == "FILE"; }
    /// The words that it takes, separated by blanks, if only these.
    std::string choices() const {
        if (value.find('|') == std::string::npos) return {};
        return CLI::detail::find_and_replace(value, "|", " ");
    }
};

/// A command, or the beginning of one.
struct Place {
    std::string path = {};  ///< " sender show"; empty for the first word.
    std::string summary = {};
    std::vector<std::pair<std::string, std::string>> next = {};  ///< Words that go on, and why.
    std::vector<Word> words = {};

    bool takes_file() const {
        return std::any_of(words.begin(), words.end(),
                           [](const Word& word) { return word.name.empty() && word.takes_file(); });
    }
};

std::string summary_of(const CLI::App& app) {
    auto summary = app.get_description();
    for (const auto* const verb : app.get_subcommands({})) {
        summary += (summary.empty() ? "" : ", ") + verb->get_name();
    }
    return summary;
}

void collect(const CLI::App& app, const std::string& path, std::vector<Place>& places) {
    Place place{.path = path, .summary = summary_of(app)};
    for (const auto* const option : app.get_options()) {
        const auto& names = option->get_lnames();
        place.words.push_back({.name = names.empty() ? "" : "--" + names.front(),
                               .value = option->get_type_size() == 0 ? "" : option->get_type_name(),
                               .summary = option->get_description()});
    }
    for (const auto* const next : app.get_subcommands({})) {
        place.next.emplace_back(next->get_name(), summary_of(*next));
    }
    places.push_back(place);
    for (const auto* const next : app.get_subcommands({})) {
        collect(*next, path + " " + next->get_name(), places);
    }
}

/// The first is that of the options of every command.
std::vector<Place> places_of(const CLI::App& tree) {
    std::vector<Place> places;
    collect(tree, "", places);
    return places;
}

std::string shell_word(const std::string& text) {
    return "'" + CLI::detail::find_and_replace(text, "'", "'\\''") + "'";
}

/// The paths of all commands, quoted.
std::string paths_of(const std::vector<Place>& places, const std::string& separator) {
    std::string paths;
    for (const auto& place : places) {
        if (place.path.empty()) continue;
        paths += (paths.empty() ? "" : separator) + shell_word(place.path);
    }
    return paths;
}

/// The pattern for the place and the word before: of every command, or of that.
std::string pattern_of(const Place& place, const Word& word) {
    return (place.path.empty() ? "*" : "") + shell_word(place.path + " " + word.name);
}

}  // namespace

std::string bash_completion(const CLI::App& tree) {
    const auto places = places_of(tree);
    std::string script =
        "# Completion of twiliowa for bash: . <(twiliowa completion bash)\n"
        "_twiliowa() {\n"
        "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n"
        "    local at='' words='' files='' i\n"
        "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "        case \"$at ${COMP_WORDS[i]}\" in\n"
        "        " +
        paths_of(places, " | ") +
        ") at+=\" ${COMP_WORDS[i]}\" ;;\n"
        "        esac\n"
        "    done\n"
        "    case \"$at $before\" in\n";
    for (const auto& place : places) {
        for (const auto& word : place.words) {
            if (word.name.empty() || word.value.empty()) continue;
            script += "    " + pattern_of(place, word) +
                      (word.takes_file() ? ") files=yes ;;\n"
                                         : ") words=" + shell_word(word.choices()) + " ;;\n");
        }
    }
    script +=
        "    *)\n"
        "        case \"$at\" in\n";
    for (const auto& place : places) {
        std::string words;
        for (const auto& [name, summary] : place.next) words += name + " ";
        for (const auto& word : place.words) {
            if (!word.name.empty()) words += word.name + " ";
        }
        script += "        " + shell_word(place.path) + ") words=" + shell_word(words) +
                  (place.takes_file() ? " files=yes" : "") + " ;;\n";
    }
    std::string common;
    for (const auto& word : places.front().words) {
        if (word.name != "--version" && word.name != "--help") common += " " + word.name;
    }
    return script +
           "        esac\n"
           "        words+='" +
           common +
           "' ;;\n"
           "    esac\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\" | sort -u)\n"
           "    [ -n \"$files\" ] || return 0\n"
           "    compopt -o filenames 2>/dev/null || true\n"
           "    mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$current\")\n"
           "}\n"
           "complete -F _twiliowa twiliowa\n";
}

std::string zsh_completion(const CLI::App& tree) {
    const auto places = places_of(tree);
    std::string script =
        "#compdef twiliowa\n"
        "# Completion of twiliowa for zsh: a file _twiliowa in a directory of $fpath.\n"
        "_twiliowa() {\n"
        "    local at='' word files=''\n"
        "    local -a offered\n"
        "    for word in \"${(@)words[2,CURRENT-1]}\"; do\n"
        "        case \"$at $word\" in\n"
        "        (" +
        paths_of(places, "|") +
        ") at+=\" $word\" ;;\n"
        "        esac\n"
        "    done\n"
        "    case \"$at ${words[CURRENT-1]}\" in\n";
    for (const auto& place : places) {
        for (const auto& word : place.words) {
            if (word.name.empty() || word.value.empty()) continue;
            script += "    (" + pattern_of(place, word) +
                      (word.takes_file() ? ") _files; return ;;\n"
                                         : ") compadd -- " + word.choices() + "; return ;;\n");
        }
    }
    script +=
        "    esac\n"
        "    case \"$at\" in\n";
    for (const auto& place : places) {
        script += "    (" + shell_word(place.path) + ") offered=(";
        for (const auto& [name, summary] : place.next)
            script += shell_word(name + ":" + summary) + " ";
        for (const auto& word : place.words) {
            if (!word.name.empty()) script += shell_word(word.name + ":" + word.summary) + " ";
        }
        script += place.takes_file() ? ") files=yes ;;\n" : ") ;;\n";
    }
    script += "    esac\n    [[ -z $at ]] || offered+=(";
    for (const auto& word : places.front().words) {
        if (word.name != "--version" && word.name != "--help") {
            script += shell_word(word.name + ":" + word.summary) + " ";
        }
    }
    return script +
           ")\n"
           "    _describe twiliowa offered\n"
           "    [[ -z $files ]] || _files\n"
           "}\n"
           "if [[ ${funcstack[1]} = _twiliowa ]]; then _twiliowa \"$@\"; else compdef _twiliowa "
           "twiliowa; fi\n";
}

std::string fish_completion(const CLI::App& tree) {
    const auto places = places_of(tree);
    std::string script =
        "# Completion of twiliowa for fish: twiliowa completion fish | source\n"
        "function __twiliowa_at\n"
        "    set -l at ''\n"
        "    for word in (commandline -opc)[2..-1]\n"
        "        switch \"$at $word\"\n"
        "            case " +
        paths_of(places, " ") +
        "\n"
        "                set at \"$at $word\"\n"
        "        end\n"
        "    end\n"
        "    test \"$at\" = \"$argv[1]\"\n"
        "end\n"
        "complete -c twiliowa -f\n";
    for (const auto& place : places) {
        const auto here = place.path.empty() && !place.next.empty()
                              ? std::string{}
                              : " -n \"__twiliowa_at " + shell_word(place.path) + "\"";
        for (const auto& [name, summary] : place.next) {
            script += "complete -c twiliowa -n \"__twiliowa_at " + shell_word(place.path) +
                      "\" -a " + shell_word(name) + " -d " + shell_word(summary) + "\n";
        }
        for (const auto& word : place.words) {
            if (word.name.empty()) {
                if (word.takes_file()) script += "complete -c twiliowa" + here + " -F\n";
                continue;
            }
            script += "complete -c twiliowa" + here + " -l " + word.name.substr(2);
            if (word.takes_file()) {
                script += " -r -F";
            } else if (!word.choices().empty()) {
                script += " -x -a " + shell_word(word.choices());
            } else if (!word.value.empty()) {
                script += " -x";
            }
            script += " -d " + shell_word(word.summary) + "\n";
        }
    }
    return script;
}

}  // namespace cli
