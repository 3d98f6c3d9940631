/// @file
/// Header fields that would be read as something else on the wire.
#pragma once

#include <optional>

#include <twiliowa/http/http_transport.hpp>

namespace twiliowa::detail {

/// The refusal of a request that has a header name that is no token, or a value (authorization
/// too) with a control character in it: CR and LF would begin a header, or a request, of their own.
std::optional<Error> wrong_header(const HttpRequest& request);

}  // namespace twiliowa::detail
