/// @file
/// Reading from Twilio's list what no webhook brought.
#pragma once

#include "outbox/inbox_core.hpp"

namespace twiliowa::detail {

/// Hands inbound messages that the clients of an inbox list since then to the handler, the oldest
/// first. Errors: that it was cancelled; those of the lists, and what handing over fails with: the
/// first, when those of the other accounts were read.
Result<CatchUpReport> catch_up(const InboxCore& core, TimePoint since, InboxHandler& handler,
                               const CancelToken& cancel);

}  // namespace twiliowa::detail
