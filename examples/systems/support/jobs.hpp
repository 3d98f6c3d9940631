// What becomes of messages, as a system's API and its people see it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <twiliowa/outbox/outbox.hpp>

#include "log.hpp"

namespace support {

nlohmann::ordered_json view_of(const twiliowa::Job& job);

/// Throws InvalidRequestError, of the field `job`, if there is none, or `is_theirs` denies it.
twiliowa::Job find_job(twiliowa::Outbox& outbox, const std::string& id,
                       const std::function<bool(const twiliowa::Job&)>& is_theirs = {});

/// What nobody can know, and what only a person can mend, by state.
/// @param filter    all of it but its state
/// @param shown_as  null: it is left out
nlohmann::ordered_json attention(
    twiliowa::Outbox& outbox, twiliowa::JobFilter filter,
    const std::function<nlohmann::ordered_json(const twiliowa::Job&)>& shown_as = view_of);

/// What a person says of one of those: `{"decision", "by"}`, `sid` where it was sent, and maybe
/// `why`. Throws InvalidRequestError.
twiliowa::Resolution resolution_of(const nlohmann::json& body);

/// Whether it did not reach whom it was for, or nobody knows.
bool has_failed(const twiliowa::JobOutcome& outcome);

/// `undelivered 63024: what went wrong; what to do about it`, as far as it is known.
std::string reason_of(const twiliowa::JobOutcome& outcome);
/// What failed before it was handed over, and what to do about it.
std::string reason_of(const twiliowa::Error& error);

/// Logs who it went to, as a hash, beside its SID: the library's lines do not say it.
void log_sent(const Log& log, const twiliowa::JobOutcome& outcome);

/// For people, in a sentence: that it did not reach whom it was for, or nobody knows, or it went
/// twice, and what is left to do. Empty: there is nothing to tell.
std::string_view fate_of(const twiliowa::JobOutcome& outcome);

}  // namespace support
