/// @file
/// An event of an inbox, as it is shown.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include <twiliowa/outbox/durable_inbox.hpp>

#include "masked.hpp"

namespace cli {

/// What a list says of it: one line each, and not a word of what somebody wrote.
nlohmann::ordered_json summary_of_event(const twiliowa::InboxEvent& event, Numbers numbers);
/// All that is known of it: in `webhook` what came in, null once it was erased or if its key is not
/// here.
nlohmann::ordered_json json_of_event(const twiliowa::InboxEvent& event, Numbers numbers);
/// The same for people.
std::string text_of_event(const twiliowa::InboxEvent& event, Numbers numbers);

}  // namespace cli
