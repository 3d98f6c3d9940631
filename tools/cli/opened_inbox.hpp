/// @file
/// The inbox that a command is about.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <twiliowa/outbox/durable_inbox.hpp>

#include "service_store.hpp"

namespace CLI {
class App;
}

namespace cli {

/// Opened with the keys of the environment; handles nothing. It must be there.
/// @throws as open_outbox_storage, and InvalidRequestError if that engine keeps no events.
std::unique_ptr<twiliowa::DurableInbox> open_inbox(const StorePlace& place,
                                                   twiliowa::InboxOptions options = {});
/// The same of a storage that is open; null if its engine keeps no events.
std::unique_ptr<twiliowa::DurableInbox> inbox_in(std::shared_ptr<twiliowa::OutboxStorage> storage,
                                                 twiliowa::InboxOptions options = {});

/// All events of a message, or the one of that number; empty: there is none.
/// @param name  a MessageSid, or a number as `inbox list` shows it
std::vector<twiliowa::InboxEvent> find_events(twiliowa::DurableInbox& inbox,
                                              const std::string& name);

/// "waiting|running|...", for help and completion.
std::string inbox_state_names();

}  // namespace cli
