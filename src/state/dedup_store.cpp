#include <twiliowa/state/dedup_store.hpp>

#include <string_view>
#include <utility>

#include "state/entries.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::string_view claim_running = "running";
constexpr std::string_view claim_done = "done";

}  // namespace
}  // namespace detail

DedupStore::DedupStore(std::shared_ptr<Store> store, DedupOptions options)
    : store_(detail::guarded_store(std::move(store))), options_(options) {
    detail::require_duration("lease", options_.lease);
    detail::require_duration("kept", options_.kept);
}

Result<Claim> DedupStore::claim(const EventKey& event) const {
    Claim claim;
    claim.key = detail::state_key("event",
                                  {event.account_sid, event.message_sid, event.kind, event.status});
    // An entry that is gone between the two steps was let go just now: try again, within reason.
    for (int round = 0; round < 3; ++round) {
        const auto taken = store_->compare_and_set(claim.key, 0, detail::claim_running,
                                                   options_.lease, Keep::pinned);
        if (!taken) return taken.error();
        if (*taken != 0) {
            claim.outcome = ClaimOutcome::claimed;
            claim.version = *taken;
            return claim;
        }
        const auto entry = store_->get(claim.key);
        if (!entry) return entry.error();
        if (!*entry) continue;
        const bool done = (*entry)->value == detail::claim_done;
        claim.outcome = done ? ClaimOutcome::done : ClaimOutcome::running;
        return claim;
    }
    return claim;
}

Result<bool> DedupStore::finish(const Claim& claim) const {
    if (claim.outcome != ClaimOutcome::claimed || claim.version == 0) return false;
    const auto write = [&](std::uint64_t expected) {
        return store_->compare_and_set(claim.key, expected, detail::claim_done, options_.kept,
                                       Keep::evictable);
    };
    auto written = write(claim.version);
    // The lease ran out. If nobody took the event since, it is done all the same.
    if (written && *written == 0) written = write(0);
    if (!written) return written.error();
    return *written != 0;
}

Result<bool> DedupStore::release(const Claim& claim) const {
    if (claim.outcome != ClaimOutcome::claimed || claim.version == 0) return false;
    return store_->erase(claim.key, claim.version);
}

}  // namespace twiliowa
