/// @file
/// What Twilio's list says of the storage: messages that nobody else can have sent, and that the
/// storage does not know, tell that it went back in time.
#pragma once

#include <chrono>
#include <vector>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/result.hpp>

#include "outbox/job_codec.hpp"

namespace twiliowa::detail {

/// Whether one of the newest messages of a sender, which nobody but this outbox sends as, was sent
/// by a later state of the storage: after anything that it knows, and for no job that may have been
/// sent.
/// @param margin  by which our clock and Twilio's may differ, and a send may take
Result<bool> tells_of_later_state(OutboxTransaction& transaction, const JobCodec& codec,
                                  const std::vector<Message>& newest,
                                  std::chrono::milliseconds margin);

}  // namespace twiliowa::detail
