/// @file
/// A message's way from the queue to the customer.
#pragma once

#include <string_view>

#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

/// Puts a message in another status, with what goes with it (dates, price, sender), and tells the
/// status callback.
void move_message(FakeWorld& world, FakeMessage& message, std::string_view status, int code,
                  const FakeMoment& moment);

/// A message was created: plans its first step, if steps are automatic.
void start_lifecycle(FakeWorld& world, const FakeMessage& message, const FakeMoment& moment);

/// The step that was planned, if the message is still where it was then.
void step_message(FakeWorld& world, std::string_view sid, std::string_view expected,
                  const FakeMoment& moment);

/// A price that was to come later is there.
void fill_in_price(FakeWorld& world, std::string_view sid);

/// The customer opens the chat. Returns how many messages became read.
int read_messages(FakeWorld& world, std::string_view sender, std::string_view customer,
                  const FakeMoment& moment);

/// Whether `sender` has as much in its queue as Twilio takes (four hours' worth).
bool is_queue_full(const FakeWorld& world, std::string_view sender, const FakeMoment& moment);

}  // namespace twiliowa::testing::fake
