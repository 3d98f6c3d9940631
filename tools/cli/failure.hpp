/// @file
/// How a command ends, and what it says when it fails: exit codes and the error object, both an
/// interface (docs/command-line.md).
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include <twiliowa/types/error.hpp>

namespace cli {

enum class ExitCode {
    done = 0,
    refused = 1,          ///< It was not done, and will not be as it is.
    usage = 2,            ///< The command line is wrong.
    outcome_unknown = 3,  ///< It may have been done: look before it is done again.
    try_later = 4,        ///< Nothing was done, and trying later may help.
};

/// Why a command failed.
struct Failure {
    ExitCode exit_code = ExitCode::refused;
    std::string kind = {};  ///< An ErrorKind, or usage, or internal.
    int code = 0;           ///< Twilio's, 0 when there is none.
    std::string field = {};
    std::string message = {};  ///< Free of secrets and phone numbers, as Error::what().
    std::string advice = {};
    std::string effect = "none";
};

Failure failure_of(const twiliowa::Error& error);
/// The command line is wrong; `help` is the command line that tells more.
Failure usage_failure(const std::string& message, const std::string& help);
Failure internal_failure(const std::string& message);

/// `{"error": {...}}`
nlohmann::ordered_json to_json(const Failure& failure);

}  // namespace cli
