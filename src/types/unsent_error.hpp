/// @file
/// Failures before anything left this process.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/types/error.hpp>

namespace twiliowa::detail {

inline Error unsent_error(ErrorKind kind, std::string_view summary) {
    return Error{{.kind = kind, .effect = Effect::none, .summary = std::string(summary)}};
}

inline Error client_destroyed() {
    return unsent_error(ErrorKind::cancelled, "the client was destroyed");
}

}  // namespace twiliowa::detail
