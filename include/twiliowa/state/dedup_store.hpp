/// @file
/// Handling each event once: claims with two phases.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <twiliowa/export.hpp>
#include <twiliowa/state/lease_keeper.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// What tells one event from another. Fill it from signed parameters only. `sent` and `delivered`
/// of one message are different events. `event_key` (event_key.hpp) makes one of a webhook.
struct EventKey {
    std::string account_sid = {};
    std::string message_sid = {};
    std::string kind = {};    ///< What sort of event: "message", "status".
    std::string status = {};  ///< The message's status, where the event reports one.
    /// Stands for the signature that the event came with: it is bound to the event. Empty: none is.
    /// Two signatures of the same event (another key, another URL) are the same event.
    std::string signature = {};
    /// Whether both are the same event; `signature` does not count.
    friend bool operator==(const EventKey& a, const EventKey& b) noexcept {
        return a.account_sid == b.account_sid && a.message_sid == b.message_sid &&
               a.kind == b.kind && a.status == b.status;
    }
};

enum class ClaimOutcome {
    claimed,  ///< Yours: handle the event, then `finish` or `release`.
    running,  ///< Another holds it and has not finished.
    done,     ///< It has been handled.
    recut,    ///< Its signature was first read as another event: refuse it.
};

namespace detail {
struct HeldLease;
}

/// The answer to a claim: what came of it, and the lease.
struct Claim {
    ClaimOutcome outcome = ClaimOutcome::running;
    std::string key = {};       ///< Of the store. May be long; opaque.
    std::uint64_t version = 0;  ///< The lease as it was granted; 0 unless claimed.
    /// Cancelled when a LeaseKeeper finds the lease lost: another has taken the event.
    CancelToken lost = {};
    /// What a LeaseKeeper renews, as long as this or a copy of it lives and is neither finished nor
    /// released.
    std::shared_ptr<detail::HeldLease> held = {};
};

/// Options of DedupStore.
struct DedupOptions {
    /// How long a claim holds without being finished or renewed. When it has passed, the next to
    /// claim gets the event. `Store::forever` holds it until then. Default: forever over a
    /// MemoryStore, which ends with the process; 5 s over another store with a `keeper`; 30 s
    /// without one, which must be longer than the slowest handler takes.
    std::optional<std::chrono::milliseconds> lease = {};
    /// How long a finished event, and what a signature was read as, is remembered. Twilio's own
    /// retries end within minutes.
    std::chrono::milliseconds kept{std::chrono::hours{24}};
    /// Renews the leases while their handlers run. Share one among all that need it.
    std::shared_ptr<LeaseKeeper> keeper = {};
};

/// Hands each event to one handler. A claim is a lease while the handler runs, then the event is
/// done. Thread-safe; every process that uses the same store takes part.
///
/// A signature covers names and values without the places where one ends and the next begins, so
/// whoever has seen a webhook can cut it anew, into another event of the same signature. Therefore
/// the first claim with a signature binds it to its event, by one write, which goes to the store
/// together with the claim.
///
/// A lease is pinned in the store; what is done and what is bound is evictable: a store that runs
/// full forgets the oldest first, and a duplicate of a forgotten event would be handled again. An
/// event takes two entries.
class TWILIOWA_EXPORT DedupStore {
public:
    /// @throws InvalidRequestError if `store` is null or a duration is not positive.
    explicit DedupStore(std::shared_ptr<Store> store, DedupOptions options = {});

    /// Binds the event's signature, if it has one, and tries to take the event. Errors: those of
    /// the store; the event is then not yours.
    Result<Claim> claim(const EventKey& event) const;

    /// Binds the event's signature, if it has one, and takes nothing. False if it was first read as
    /// another event.
    Result<bool> bind(const EventKey& event) const;

    /// What `claim` would answer now; nothing is written, and the event is not yours.
    Result<ClaimOutcome> look(const EventKey& event) const;

    /// The event has been handled: later claims find it done. True if it is recorded so on behalf
    /// of this claim; false if the lease had run out and another has taken the event, whose claim
    /// is left alone, or if `claim` never was one.
    Result<bool> finish(const Claim& claim) const;

    /// Who has handled the event, or has it safe, without a claim says so: later claims find it
    /// done. An event that is claimed, and one whose signature was first read as another, stays as
    /// it is.
    Result<void> note_done(const EventKey& event) const;

    /// Lets go of the event: the next to claim gets it. True if the lease was still this claim's;
    /// otherwise nothing is touched.
    Result<bool> release(const Claim& claim) const;

private:
    std::shared_ptr<Store> store_;
    DedupOptions options_;
    std::chrono::milliseconds lease_;
};

}  // namespace twiliowa
