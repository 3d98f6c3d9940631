/// @file
/// What the webhooks about a message have alike.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "testing/fake_twilio/world/hooks.hpp"
#include "testing/fake_twilio/world/messages.hpp"
#include "testing/fake_twilio/world/world.hpp"

namespace twiliowa::testing::fake {

/// Adds the parameters that say which message it is, and who wrote it.
void append_message_fields(std::vector<FakeParameters::Entry>& fields, const Message& record);

/// How webhooks to `sender` name the customer: by number, if the customer does not hide it or the
/// sender has it in its contact book, else by the id of linked portfolios, else by user id.
std::string known_as(const FakeWorld& world, std::string_view sender, const std::string& customer);

/// Adds the WhatsApp user id of the customer, and that of linked portfolios, as far as webhooks
/// name them beside the number (FakeTwilioOptions::user_ids). Who is known by an id has them.
void append_user_ids(std::vector<FakeParameters::Entry>& fields, const FakeWorld& world,
                     const std::string& customer, const std::string& known_as);

/// The entry that a message through `sender` goes by: that of its messaging service, else that of
/// its sender, else that of its account; `end()` when there is none.
std::map<std::string, std::string, std::less<>>::const_iterator find_hook(
    const std::map<std::string, std::string, std::less<>>& hooks, const Message& record,
    const std::string& sender);

}  // namespace twiliowa::testing::fake
