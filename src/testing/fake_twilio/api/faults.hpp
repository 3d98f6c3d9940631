/// @file
/// Faults of requests: which one is next, and what it does to the answer.
#pragma once

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/testing/fake_types.hpp>

#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

/// The fault of the next request: the one ordered, or what chance gives.
testing::Fault choose_fault(FakeWorld& world);

/// Whether the fault keeps the request from being carried out.
bool is_fault_before(testing::Fault fault) noexcept;

/// The answer of a fault that keeps the request from being carried out; status 0: none at all.
HttpResponse fault_response(testing::Fault fault);

/// Changes the answer to a request that was carried out, where that is the fault.
void spoil_response(testing::Fault fault, HttpResponse& response);

}  // namespace twiliowa::testing::fake
