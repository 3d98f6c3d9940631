/// @file
/// A message from a customer arrives.
#pragma once

#include <string>

#include "testing/fake_twilio/world/problem.hpp"
#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

/// Keeps the message, opens the window, obeys STOP and START, and sends the webhook. Puts the
/// message's SID into `sid`; a refusal means that nobody answers at that sender.
FakeRefusal receive_message(FakeWorld& world, testing::FakeInbound inbound,
                            const FakeMoment& moment, std::string& sid);

}  // namespace twiliowa::testing::fake
