/// @file
/// The typing indicator.
#pragma once

#include "testing/fake_twilio/api/call.hpp"

namespace twiliowa::detail {

HttpResponse serve_fake_typing(const FakeCall& call);

}  // namespace twiliowa::detail
