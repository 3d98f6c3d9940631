// `twiliowa emulator`

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>

#include <twiliowa/types/error.hpp>

#include "commands.hpp"
#include "context.hpp"

namespace cli {

namespace {

/// The one that was installed beside this program, or whichever the shell would find.
std::string emulator_program() {
    constexpr const char* name = "twiliowa-emulator";
    std::error_code failed;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
    if (!failed) {
        const auto beside = self.parent_path() / name;
        if (std::filesystem::exists(beside, failed)) return beside;
    }
    return name;
}

/// Becomes the emulator: signals and exit codes are its own.
ExitCode run_emulator(const std::vector<std::string>& arguments) {
    auto program = emulator_program();
    std::vector<char*> words{program.data()};
    std::vector<std::string> copies{arguments};
    for (auto& copy : copies) words.push_back(copy.data());
    words.push_back(nullptr);
    ::execvp(program.c_str(), words.data());
    twiliowa::Error::invalid_request(
        "twiliowa-emulator", "cannot be started: " + std::generic_category().message(errno),
        "it is installed with the tools (-DTWILIOWA_BUILD_TOOLS=ON); put it on the PATH")
        .raise();
}

Action declare_emulator(CLI::App& app) {
    app.prefix_command();
    app.fallthrough(false);
    return [&app](Context&) { return run_emulator(app.remaining()); };
}

}  // namespace

std::vector<Command> emulator_commands() {
    return {{.noun = "emulator",
             .summary = "Starts the fake Twilio: the API, webhooks, and a page for the customer",
             .details = "What follows is twiliowa-emulator's own: twiliowa emulator --help tells "
                        "this,\ntwiliowa-emulator --help the rest.",
             .examples = {"twiliowa emulator --port 0 -- printenv TWILIOWA_BASE_URL"},
             .declare = declare_emulator}};
}

}  // namespace cli
