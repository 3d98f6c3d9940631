/// @file
/// What the webhooks about a message have alike.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "testing/fake_twilio/world/hooks.hpp"
#include "testing/fake_twilio/world/messages.hpp"

namespace twiliowa::testing::fake {

/// Adds the parameters that say which message it is, and between whom.
void append_message_fields(std::vector<FakeParameters::Entry>& fields, const Message& record);

/// The entry that a message through `sender` goes by: that of its messaging service, else that of
/// its sender, else that of its account; `end()` when there is none.
std::map<std::string, std::string, std::less<>>::const_iterator find_hook(
    const std::map<std::string, std::string, std::less<>>& hooks, const Message& record,
    const std::string& sender);

}  // namespace twiliowa::testing::fake
