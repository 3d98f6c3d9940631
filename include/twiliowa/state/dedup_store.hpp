/// @file
/// Handling each event once: claims with two phases.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <twiliowa/export.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// What tells one event from another. Fill it from signed parameters only. `sent` and `delivered`
/// of one message are different events.
struct EventKey {
    std::string account_sid = {};
    std::string message_sid = {};
    std::string kind = {};    ///< What sort of event: "message", "status".
    std::string status = {};  ///< The message's status, where the event reports one.
    friend bool operator==(const EventKey&, const EventKey&) = default;
};

enum class ClaimOutcome {
    claimed,  ///< Yours: handle the event, then `finish` or `release`.
    running,  ///< Another holds it and has not finished.
    done,     ///< It has been handled.
};

/// The answer to a claim: what came of it, and the lease.
struct Claim {
    ClaimOutcome outcome = ClaimOutcome::running;
    std::string key = {};       ///< Of the store. May be long; opaque.
    std::uint64_t version = 0;  ///< The lease; 0 unless claimed.
};

/// Options of DedupStore.
struct DedupOptions {
    /// How long a claim holds without being finished: longer than the slowest handler takes. When
    /// it has passed, the next to claim gets the event.
    std::chrono::milliseconds lease{30'000};
    /// How long a finished event is remembered. Twilio's own retries end within minutes.
    std::chrono::milliseconds kept{std::chrono::hours{24}};
};

/// Hands each event to one handler. A claim is a lease while the handler runs, then the event is
/// done. Thread-safe; every process that uses the same store takes part.
///
/// A lease is pinned in the store; what is done is evictable: a store that runs full forgets the
/// oldest finished events first, and a duplicate of one of those would be handled again.
class TWILIOWA_EXPORT DedupStore {
public:
    /// @throws InvalidRequestError if `store` is null or a duration is not positive.
    explicit DedupStore(std::shared_ptr<Store> store, DedupOptions options = {});

    /// Tries to take the event. Errors: those of the store; the event is then not yours.
    Result<Claim> claim(const EventKey& event) const;

    /// The event has been handled: later claims find it done. True if it is recorded so on behalf
    /// of this claim; false if the lease had run out and another has taken the event, whose claim
    /// is left alone, or if `claim` never was one.
    Result<bool> finish(const Claim& claim) const;

    /// Lets go of the event: the next to claim gets it. True if the lease was still this claim's;
    /// otherwise nothing is touched.
    Result<bool> release(const Claim& claim) const;

private:
    std::shared_ptr<Store> store_;
    DedupOptions options_;
};

}  // namespace twiliowa
