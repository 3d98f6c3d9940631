/// @file
/// By which a ConsentStorage of one's own proves itself.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/consent_storage.hpp>

namespace twiliowa::testing {

/// Options of check_consent_storage.
struct CheckConsentStorageOptions {
    /// How many threads add at once, each through a storage of its own.
    int threads = 4;
    /// How many random operations are compared with what MemoryConsents answers.
    int operations = 300;
};

/// Whether a storage keeps the contract of `ConsentStorage`: what is wrong, each fault in words
/// that name what was done, what was expected and what came. Empty: nothing was found.
///
/// `open` opens the storage once more, as another process would. A storage of one process alone
/// gives the same each time.
///
///     const auto faults =
///         testing::check_consent_storage([] { return std::make_shared<MyConsents>(url); });
///
/// It uses persons whose names begin with `twiliowa-check-consent`, other ones each time, and
/// leaves some of what it has added.
TWILIOWA_EXPORT std::vector<std::string> check_consent_storage(
    const std::function<std::shared_ptr<ConsentStorage>()>& open,
    const CheckConsentStorageOptions& options = {});

}  // namespace twiliowa::testing
