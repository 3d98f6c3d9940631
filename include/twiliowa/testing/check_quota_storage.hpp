/// @file
/// By which a QuotaStorage of one's own proves itself.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/quota_storage.hpp>

namespace twiliowa::testing {

/// Options of check_quota_storage.
struct CheckQuotaStorageOptions {
    /// Lets that much of the storage's time pass: moves its clock. Default: waits, 4 seconds in
    /// all.
    std::function<void(std::chrono::milliseconds)> pass_time = {};
    /// How many threads reserve at once, each through a storage of its own.
    int threads = 4;
    /// How many times each of them.
    int reservations_per_thread = 25;
};

/// Whether a storage keeps the contract of `QuotaStorage`: what is wrong, each fault in words that
/// name what was done, what was expected and what came. Empty: nothing was found.
///
/// `open` opens the storage once more, as another process would. A storage of one process alone
/// gives the same each time.
///
///     const auto faults =
///         testing::check_quota_storage([] { return std::make_shared<MyQuotas>(url); });
///
/// It uses about 30 quotas whose keys begin with `twiliowa-check-quota`, other ones each time; what
/// is counted in them may be forgotten after an hour.
TWILIOWA_EXPORT std::vector<std::string> check_quota_storage(
    const std::function<std::shared_ptr<QuotaStorage>()>& open,
    const CheckQuotaStorageOptions& options = {});

}  // namespace twiliowa::testing
