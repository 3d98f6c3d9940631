/// @file
/// A job, as it is shown.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <twiliowa/outbox/job.hpp>

#include "masked.hpp"

namespace cli {

/// What a list says of it: one line each.
nlohmann::ordered_json summary_of_job(const twiliowa::Job& job, Numbers numbers);
/// All that is known of it but its message's texts: `history` are its attempts.
nlohmann::ordered_json json_of_job(const twiliowa::Job& job, Numbers numbers);
/// The same for people.
std::string text_of_job(const twiliowa::Job& job, Numbers numbers);
/// Its message with all texts, by the names that `outbox enqueue` reads; null once it was erased.
nlohmann::ordered_json message_of_job(const twiliowa::Job& job, Numbers numbers);

/// "dead: refused"
std::string state_of_job(const twiliowa::Job& job);

}  // namespace cli
