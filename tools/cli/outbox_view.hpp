/// @file
/// How an outbox stands, as it is shown.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/outbox/storage.hpp>

namespace cli {

/// Every state by its name, those of no job, too.
nlohmann::ordered_json json_of_counts(const twiliowa::OutboxCounts& counts);
/// "3 ready, 12 accepted", or "no job".
std::string text_of_counts(const twiliowa::OutboxCounts& counts);

nlohmann::ordered_json json_of_pause(const twiliowa::Pause& pause);
/// "paused: sender 'whatsapp:+14155238886', since 2026-11-21T06:10:00Z: a reason"
std::string text_of_pause(const twiliowa::Pause& pause);

}  // namespace cli
