/// @file
/// A message from a customer arrives.
#pragma once

#include <string>
#include <string_view>

#include "testing/fake_twilio/world/problem.hpp"
#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

/// Keeps the message, opens the window, obeys STOP and START, and sends the webhook. Puts the
/// message's SID into `sid`; a verdict means that nobody answers at that sender.
FakeRefusal receive_message(FakeWorld& world, const testing::FakeInbound& inbound,
                            const FakeMoment& moment, std::string& sid);

/// The newest message in the chat with a quick reply of that title or id; null when there is none.
struct FakeTapped {
    const FakeMessage* message = nullptr;
    std::string id = {};
    std::string title = {};
    std::string description = {};
};
FakeTapped find_button(const FakeWorld& world, std::string_view sender, std::string_view customer,
                       std::string_view button);
/// The same for an item of a list.
FakeTapped find_item(const FakeWorld& world, std::string_view sender, std::string_view customer,
                     std::string_view item);

}  // namespace twiliowa::testing::fake
