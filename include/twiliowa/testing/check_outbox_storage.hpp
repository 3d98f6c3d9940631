/// @file
/// By which an OutboxStorage of one's own proves itself.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/outbox/storage.hpp>

namespace twiliowa::testing {

/// Options of check_outbox_storage.
struct CheckOutboxStorageOptions {
    /// How many threads work at once, each through a storage of its own.
    int threads = 8;
    /// How many works each of them does.
    int works_per_thread = 25;
    /// Puts a row in as a program of another language does, by its INSERT of a key and a payload.
    /// Null: the storage has no such door.
    std::function<void(std::string_view key, std::string_view payload)> insert_as_stranger = {};
};

/// Whether a storage keeps the contract of OutboxStorage: what is wrong, each fault in words that
/// name what was done, what was expected and what came. Empty: nothing was found.
///
/// `open` opens the storage once more, as another process would: what is committed through one must
/// be seen through the others. A storage of one process alone gives the same each time. It must be
/// empty, and used by nobody else: jobs, keys, facts and pauses are left in it.
///
///     const auto faults = testing::check_outbox_storage([] { return open_my_storage(url); });
///     for (const auto& fault : faults) std::cerr << fault << '\n';
///
/// A storage that says that it keeps no campaigns, or no quotas by name, is not asked for them.
///
/// What a loss of power, a full disk or a second machine does is not looked for.
/// @throws InvalidRequestError if `open` is null or gives no storage, or a number is less than 1.
TWILIOWA_EXPORT std::vector<std::string> check_outbox_storage(
    const std::function<std::shared_ptr<OutboxStorage>()>& open,
    const CheckOutboxStorageOptions& options = {});

}  // namespace twiliowa::testing
