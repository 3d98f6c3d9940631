/// twiliowa: the command line.

#include <exception>
#include <string>

#include <twiliowa/types/env_file.hpp>
#include <twiliowa/types/error.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "interruption.hpp"

namespace {

using cli::Failure;

cli::ExitCode fail(cli::Output& output, const Failure& failure) {
    output.failure(failure);
    return failure.exit_code;
}

/// Sets what the file says. @throws TwilioError
void load_env_file(const std::string& path) {
    const auto loaded = twiliowa::try_load_env_file(path);
    if (loaded) return;
    loaded.error().with([](twiliowa::ErrorData& data) { data.field = "--env-file"; }).raise();
}

/// Does what the action says, and tells of what went wrong.
cli::ExitCode run(const cli::CommandLine& line, const cli::Action& action, cli::Output& output) {
    try {
        const auto& common = line.common();
        if (!common.env_file.empty()) load_env_file(common.env_file);
        cli::Context context{common, output, line.tree(), cli::cancelled_by_signals()};
        return action(context);
    } catch (const twiliowa::TwilioError& error) {
        return fail(output, cli::failure_of(error.error()));
    } catch (const Failure& failure) {
        return fail(output, failure);
    } catch (const std::exception& error) {
        return fail(output, cli::internal_failure(error.what()));
    }
}

cli::ExitCode run(int argc, char** argv) {
    cli::CommandLine line{cli::all_commands()};
    cli::Action action;
    try {
        action = line.parse(argc, argv);
    } catch (const Failure& failure) {
        cli::Output output{line.common().json};
        return fail(output, failure);
    }
    cli::Output output{line.common().json};
    const auto code = run(line, action, output);
    if (output.flush()) return code;
    output.note("twiliowa: the result could not be written");
    return code == cli::ExitCode::done ? cli::ExitCode::refused : code;
}

}  // namespace

int main(int argc, char** argv) {
    return static_cast<int>(run(argc, argv));
}
