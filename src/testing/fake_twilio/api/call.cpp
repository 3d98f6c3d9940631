#include "testing/fake_twilio/api/call.hpp"

#include <utility>

#include "testing/fake_twilio/api/json.hpp"

namespace twiliowa::testing::fake {

HttpResponse json_response(int status, std::string body) {
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

HttpResponse refusal(const FakeProblem& problem) {
    auto response = json_response(problem.status, problem_json(problem));
    response.headers.insert(response.headers.end(), problem.headers.begin(), problem.headers.end());
    return response;
}

HttpResponse not_found(std::string_view what) {
    return refusal({404, 20404, "There is no such " + std::string{what}, {}});
}

HttpResponse invalid_parameter(std::string_view why) {
    return refusal({400, 20422, std::string{why}, {}});
}

}  // namespace twiliowa::testing::fake
