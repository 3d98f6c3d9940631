#include "testing/fake_twilio/api/call.hpp"

#include <utility>

#include "testing/fake_twilio/api/json.hpp"

namespace twiliowa::detail {

HttpResponse fake_json_response(int status, std::string body) {
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

HttpResponse fake_refusal(const FakeProblem& problem) {
    auto response = fake_json_response(problem.status, fake_problem_json(problem));
    response.headers.insert(response.headers.end(), problem.headers.begin(), problem.headers.end());
    return response;
}

HttpResponse fake_not_found(std::string_view what) {
    return fake_refusal({404, 20404, "There is no such " + std::string{what}, {}});
}

HttpResponse fake_invalid_parameter(std::string_view why) {
    return fake_refusal({400, 20422, std::string{why}, {}});
}

}  // namespace twiliowa::detail
