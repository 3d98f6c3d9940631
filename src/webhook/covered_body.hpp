/// @file
/// Which part of a request is its body: one rule for who verifies, reads and answers it.
#pragma once

#include <string_view>

#include "text/ascii.hpp"

namespace twiliowa::detail {

/// GET and HEAD, in whatever case a server gives them, have none: a signature covers nothing but
/// their URL, so nothing else of them may be read. Any other method has one.
inline bool has_body(std::string_view method) noexcept {
    return !equals_ignoring_case(method, "GET") && !equals_ignoring_case(method, "HEAD");
}

/// Empty where the method has none, whatever was sent.
inline std::string_view covered_body(std::string_view method, std::string_view body) noexcept {
    return has_body(method) ? body : std::string_view{};
}

}  // namespace twiliowa::detail
