/// @file
/// A claim that is renewed while its handler runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/state/store.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa::detail {

/// What an entry says while its event's handler runs.
inline constexpr std::string_view claim_running = "running";

/// Its holder ends it, a keeper renews it; whichever comes first has the mutex.
struct HeldLease {
    HeldLease(std::shared_ptr<Store> of, std::string entry, std::uint64_t granted,
              std::chrono::milliseconds lasting)
        : store(std::move(of)), key(std::move(entry)), length(lasting), version(granted) {}

    /// Renews it if that is due.
    void renew(MonotonicTime now);
    /// The version to finish or release with; nullopt if the lease is lost. Nothing is renewed
    /// afterwards.
    std::optional<std::uint64_t> end();
    bool has_ended();

    const std::shared_ptr<Store> store;
    const std::string key;
    const std::chrono::milliseconds length;
    CancelSource lost;
    MonotonicTime due = {};  ///< The keeper's.

private:
    std::mutex mutex;
    std::uint64_t version;  ///< 0: lost.
    bool ended = false;
};

}  // namespace twiliowa::detail
