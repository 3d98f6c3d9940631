#include "failure.hpp"

namespace cli {

using twiliowa::Effect;
using twiliowa::Error;
using twiliowa::ErrorKind;
using twiliowa::RetryAdvice;

namespace {

/// Whether Twilio's code says that time helps.
bool is_helped_by_time(RetryAdvice advice) {
    return advice == RetryAdvice::with_backoff || advice == RetryAdvice::later ||
           advice == RetryAdvice::next_day;
}

ExitCode exit_code_of(const Error& error) {
    if (error.kind() == ErrorKind::outcome_unknown || error.effect() == Effect::unknown) {
        return ExitCode::outcome_unknown;
    }
    switch (error.kind()) {
        case ErrorKind::rate_limit:
        case ErrorKind::transport:
        case ErrorKind::timeout:
        case ErrorKind::response:
        case ErrorKind::cancelled:
            return ExitCode::try_later;
        case ErrorKind::api:
            return error.http_status() >= 500 || is_helped_by_time(error.advice().retry)
                       ? ExitCode::try_later
                       : ExitCode::refused;
        default:
            return ExitCode::refused;
    }
}

}  // namespace

Failure failure_of(const Error& error) {
    return {.exit_code = exit_code_of(error),
            .kind = std::string{to_string(error.kind())},
            .code = error.code(),
            .field = error.field(),
            .message = error.what(),
            .advice = error.hint().empty() ? std::string{error.advice().advice} : error.hint(),
            .effect = std::string{to_string(error.effect())}};
}

Failure usage_failure(const std::string& message, const std::string& help) {
    return {
        .exit_code = ExitCode::usage, .kind = "usage", .message = message, .advice = "see " + help};
}

Failure internal_failure(const std::string& message) {
    return {.kind = "internal", .message = message};
}

nlohmann::ordered_json to_json(const Failure& failure) {
    return {{"error",
             {{"kind", failure.kind},
              {"code", failure.code},
              {"field", failure.field},
              {"message", failure.message},
              {"advice", failure.advice},
              {"effect", failure.effect}}}};
}

}  // namespace cli
