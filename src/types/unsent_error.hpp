/// @file
/// Failures before anything left this process.
#pragma once

#include <string>
#include <utility>

#include <twiliowa/types/error.hpp>

namespace twiliowa::detail {

inline Error unsent_error(ErrorKind kind, std::string summary) {
    ErrorData data;
    data.kind = kind;
    data.effect = Effect::none;
    data.stage = Stage::prepare;
    data.summary = std::move(summary);
    return Error{std::move(data)};
}

inline Error client_destroyed() {
    return unsent_error(ErrorKind::cancelled, "the client was destroyed");
}

}  // namespace twiliowa::detail
