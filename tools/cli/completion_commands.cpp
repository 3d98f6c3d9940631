// `twiliowa completion`

#include <string>
#include <utility>

#include "commands.hpp"
#include "completion.hpp"
#include "context.hpp"

namespace cli {

namespace {

Command completion_command(std::string shell, std::string details,
                           std::string (*script_of)(const CLI::App&)) {
    auto example = "twiliowa completion " + shell;
    auto summary = "Prints what makes " + shell + " complete command lines of twiliowa";
    return {.noun = "completion",
            .verb = std::move(shell),
            .summary = std::move(summary),
            .details = std::move(details),
            .examples = {std::move(example)},
            .declare = [script_of](CLI::App&) -> Action {
                return [script_of](Context& context) {
                    const auto script = script_of(context.tree);
                    context.output.result({{"script", script}}, script);
                    return ExitCode::done;
                };
            }};
}

}  // namespace

std::vector<Command> completion_commands() {
    return {
        completion_command("bash", "In ~/.bashrc: . <(twiliowa completion bash)", bash_completion),
        completion_command("zsh", "Into a file _twiliowa, in a directory of $fpath.",
                           zsh_completion),
        completion_command("fish", "Into ~/.config/fish/completions/twiliowa.fish.",
                           fish_completion)};
}

}  // namespace cli
