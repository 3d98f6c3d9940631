/// @file
/// A request to the fake that was let in, and the usual answers.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/http/http_transport.hpp>

#include "testing/fake_twilio/api/route.hpp"
#include "testing/fake_twilio/world/problem.hpp"
#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

struct FakeCall {
    HttpMethod method;
    FakeWorld& world;
    FakeAccount& account;
    const FakeRoute& route;
    std::string_view path;
    const FakeParameters& query;
    const FakeParameters& form;
    const std::string& body;  ///< As it came.
    FakeMoment moment;
};

HttpResponse json_response(int status, std::string body);
HttpResponse refusal(const FakeProblem& problem);
HttpResponse not_found(std::string_view what);
HttpResponse invalid_parameter(std::string_view why);

}  // namespace twiliowa::testing::fake
