/// @file
/// Where a customer's finger lands: buttons of messages, and items of lists.
#pragma once

#include <string>
#include <string_view>

#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

/// What was tapped, and on which message; null when there is no such thing in the chat.
struct FakeTapped {
    const FakeMessage* message = nullptr;
    std::string id = {};
    std::string title = {};
    std::string description = {};
};

/// The quick reply of that title or id, on the newest message in the chat that has it.
FakeTapped find_button(const FakeWorld& world, std::string_view sender, std::string_view customer,
                       std::string_view wanted);

/// The item of that title or id, in the newest list in the chat that has it.
FakeTapped find_item(const FakeWorld& world, std::string_view sender, std::string_view customer,
                     std::string_view wanted);

}  // namespace twiliowa::testing::fake
