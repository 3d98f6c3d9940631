/// @file
/// The fake's refusals.
#pragma once

#include <optional>
#include <string>

#include <twiliowa/http/http_transport.hpp>

namespace twiliowa::testing::fake {

/// A refusal as Twilio words it on the wire: HTTP status, code, text.
struct FakeProblem {
    int status = 400;
    int code = 0;
    std::string message = {};
    HttpHeaders headers = {};
};

/// A check's verdict: nothing, or what is wrong.
using FakeRefusal = std::optional<FakeProblem>;

}  // namespace twiliowa::testing::fake
