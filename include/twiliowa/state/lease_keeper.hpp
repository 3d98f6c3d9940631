/// @file
/// Keeping leases alive while their handlers run: `LeaseKeeper`.
#pragma once

#include <memory>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa {

namespace detail {
struct HeldLease;
}

/// Options of LeaseKeeper.
struct LeaseKeeperOptions {
    /// Whether it has a thread, which begins and ends with it. Without one call `renew_due`.
    bool own_thread = true;
    std::shared_ptr<Clock> clock = {};  ///< Default: the machine's.
};

/// Renews the claims of a DedupStore (`DedupOptions::keeper`) while their handlers run, at a third
/// of the lease. So a lease can be short, and a dead process's events are soon free, without
/// cutting a slow handler off. A lease that was lost all the same (the process stood still, or the
/// store was away) cancels `Claim::lost`.
///
/// One serves any number of stores. Thread-safe. Do not destroy it in a callback of `Claim::lost`.
class TWILIOWA_EXPORT LeaseKeeper {
public:
    explicit LeaseKeeper(LeaseKeeperOptions options = {});
    LeaseKeeper(const LeaseKeeper&) = delete;
    LeaseKeeper& operator=(const LeaseKeeper&) = delete;
    /// Ends its thread. Leases that are still held are renewed no more.
    ~LeaseKeeper();

    /// Renews each lease whose time has come. For a timer of the program's own: call it once a
    /// second. It calls the stores, which may block; from one thread at a time.
    void renew_due();

private:
    friend class DedupStore;
    void hold(const std::shared_ptr<detail::HeldLease>& lease);

    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
