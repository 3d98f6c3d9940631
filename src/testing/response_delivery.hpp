/// @file
/// What the transports of twiliowa::testing share: obeying a CallContext.
#pragma once

#include <optional>

#include <twiliowa/http/http_transport.hpp>

namespace twiliowa::testing::shared {

/// The failure of a request that was cancelled before anything left.
Error cancelled_before_start();

/// Why a request must not start at `now` (cancelled, or out of time), if so. Effect none.
std::optional<Error> refusal_to_start(const CallContext& context, MonotonicTime now);

/// The failure of a request whose answer did not come in time. Effect unknown.
Error no_answer_in_time();

/// Hands an answer over as `context` wants it: into the body sink if there is one, and refused when
/// it is larger than allowed.
Result<HttpResponse> deliver_response(HttpResponse response, const CallContext& context);

}  // namespace twiliowa::testing::shared
