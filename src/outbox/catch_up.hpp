/// @file
/// Reading from Twilio's list what no webhook brought.
#pragma once

#include <vector>

#include <twiliowa/outbox/durable_inbox.hpp>

namespace twiliowa::detail {

/// Hands inbound messages that Twilio lists since then to the handler, the oldest first. Errors:
/// those of the lists, one of them that it was cancelled; what handing over fails with.
Result<CatchUpReport> catch_up(const std::vector<MessagesClient>& clients, TimePoint since,
                               InboxHandler& handler, const CancelToken& cancel = {});

}  // namespace twiliowa::detail
