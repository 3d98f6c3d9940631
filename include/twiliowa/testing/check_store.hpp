/// @file
/// By which a Store of one's own proves itself.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/store.hpp>

namespace twiliowa::testing {

/// Options of check_store.
struct CheckStoreOptions {
    /// Lets that much of the store's time pass: moves its clock. Default: waits, 5 seconds in all.
    std::function<void(std::chrono::milliseconds)> pass_time = {};
    /// How many threads write at once, each through a store of its own.
    int threads = 4;
    /// How many times each of them.
    int writes_per_thread = 25;
};

/// Whether a store keeps the contract of `Store`: what is wrong, each fault in words that name what
/// was done, what was expected and what came. Empty: nothing was found.
///
/// `open` opens the store once more, as another process would: what is written through one must be
/// seen through the others. A store of one process alone gives the same each time.
///
///     const auto faults = testing::check_store([] { return std::make_shared<MyStore>(url); });
///     for (const auto& fault : faults) std::cerr << fault << '\n';
///
/// It uses about 40 keys that begin with `twiliowa-check-store`, other ones each time, and leaves
/// none behind that lives longer than 10 minutes: a database in use may be checked. What a single
/// machine cannot show is not looked for: a version that a replica gives twice after it took over.
TWILIOWA_EXPORT std::vector<std::string> check_store(
    const std::function<std::shared_ptr<Store>()>& open, const CheckStoreOptions& options = {});

}  // namespace twiliowa::testing
