#include "testing/fake_twilio/api/faults.hpp"

#include <string>

#include "testing/fake_twilio/api/call.hpp"

namespace twiliowa::testing::fake {

using testing::Fault;

Fault choose_fault(FakeWorld& world) {
    auto& faults = world.faults;
    if (!faults.next.empty()) {
        const Fault next = faults.next.front();
        faults.next.pop_front();
        return next;
    }
    for (const auto& [fault, rate] : faults.rates) {
        if (world.dice.rolls(rate)) return fault;
    }
    return Fault::none;
}

bool is_fault_before(Fault fault) noexcept {
    switch (fault) {
        case Fault::close_before:
        case Fault::reset:
        case Fault::black_hole:
        case Fault::too_many_requests:
        case Fault::too_many_requests_retry_after:
        case Fault::internal_error:
        case Fault::unavailable:
            return true;
        case Fault::none:
        case Fault::close_after:
        case Fault::slow:
        case Fault::truncated:
        case Fault::garbage:
        case Fault::internal_error_after:
            break;
    }
    return false;
}

HttpResponse fault_response(Fault fault) {
    if (fault == Fault::too_many_requests || fault == Fault::too_many_requests_retry_after) {
        FakeProblem problem{429, 20429, "Too many requests", {}};
        if (fault == Fault::too_many_requests_retry_after) {
            problem.headers.emplace_back("Retry-After", "1");
        }
        return refusal(problem);
    }
    if (fault == Fault::internal_error || fault == Fault::internal_error_after) {
        return refusal({500, 20500, "An internal server error has occurred", {}});
    }
    if (fault == Fault::unavailable) {
        return refusal({503, 20503, "The service is unavailable", {}});
    }
    return {};
}

void spoil_response(Fault fault, HttpResponse& response) {
    if (fault == Fault::garbage) response.body = "\x1f\x8b\x08{{<html>\xff\xfe sid: SM";
    if (fault == Fault::internal_error_after) response = fault_response(fault);
}

}  // namespace twiliowa::testing::fake
