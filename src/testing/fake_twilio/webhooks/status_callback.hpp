/// @file
/// The webhook that tells what became of a message.
#pragma once

#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

/// Sends a callback of the status that the message has now, if anybody asked for it.
void send_status_callback(FakeWorld& world, const FakeMessage& message, const FakeMoment& moment);

}  // namespace twiliowa::testing::fake
