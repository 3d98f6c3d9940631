/// @file
/// By which an OutboxStorage of one's own proves that it keeps the events of an inbox.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/outbox/storage.hpp>

namespace twiliowa::testing {

/// Options of check_inbox_storage.
struct CheckInboxStorageOptions {
    /// How many threads work at once, each through a storage of its own.
    int threads = 8;
    /// How many works each of them does.
    int works_per_thread = 25;
};

/// Whether a storage keeps the contract of InboxTransaction, as check_outbox_storage looks for that
/// of OutboxTransaction: what is wrong, each fault in words; empty: nothing was found.
///
/// `open` opens the storage once more, as another process would; a storage of one process alone
/// gives the same each time. It must have no events, and be used by nobody else: events, keys and
/// jobs are left in it.
/// @throws InvalidRequestError if `open` is null or gives no storage, or a number is less than 1.
TWILIOWA_EXPORT std::vector<std::string> check_inbox_storage(
    const std::function<std::shared_ptr<OutboxStorage>()>& open,
    const CheckInboxStorageOptions& options = {});

}  // namespace twiliowa::testing
