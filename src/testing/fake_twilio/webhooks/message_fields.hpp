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

/// Adds the parameters that say which message it is, and between whom.
void append_message_fields(std::vector<FakeParameters::Entry>& fields, const Message& record);

/// Adds the WhatsApp user id of the customer at `address`, and that of linked portfolios, as far as
/// webhooks name them beside the number (FakeTwilioOptions::user_ids). Who has no number has them.
void append_user_ids(std::vector<FakeParameters::Entry>& fields, const FakeWorld& world,
                     const std::string& address);

/// The id that is made of a number: of the form seen on webhooks, the same for the same number.
std::string made_up_user_id(std::string_view address);

/// The entry that a message through `sender` goes by: that of its messaging service, else that of
/// its sender, else that of its account; `end()` when there is none.
std::map<std::string, std::string, std::less<>>::const_iterator find_hook(
    const std::map<std::string, std::string, std::less<>>& hooks, const Message& record,
    const std::string& sender);

}  // namespace twiliowa::testing::fake
