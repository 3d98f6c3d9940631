/// @file
/// A message at Twilio, as it is shown.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include <twiliowa/types/message.hpp>

#include "masked.hpp"

namespace cli {

/// All that Twilio says of it. Its text comes with whole numbers only: null otherwise.
nlohmann::ordered_json json_of_message(const twiliowa::Message& message, Numbers numbers);
/// The same for people, a line each.
std::string text_of_message(const twiliowa::Message& message, Numbers numbers);

}  // namespace cli
