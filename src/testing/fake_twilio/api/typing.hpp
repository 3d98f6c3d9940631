/// @file
/// The typing indicator.
#pragma once

#include "testing/fake_twilio/api/call.hpp"

namespace twiliowa::testing::fake {

HttpResponse serve_typing(const FakeCall& call);

}  // namespace twiliowa::testing::fake
