#include <twiliowa/state/dedup_store.hpp>

#include <string_view>
#include <utility>
#include <vector>

#include "state/entries.hpp"
#include "state/guarded_store.hpp"
#include "state/held_lease.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::string_view claim_done = "done";
constexpr std::chrono::seconds lease_renewed{5};
constexpr std::chrono::seconds lease_alone{30};

/// An entry that is gone between a write and a read was let go just then: it is tried again, within
/// reason.
constexpr int claim_rounds = 3;

std::string claim_key(const EventKey& event) {
    return state_key("event", {event.account_sid, event.message_sid, event.kind, event.status});
}

/// False if the signature was first read as another event than the claim's.
Result<bool> bind_signature(Store& store, const std::string& signature, const std::string& claim,
                            std::chrono::milliseconds kept) {
    const auto key = state_key("signature", {signature});
    for (int round = 0; round < claim_rounds; ++round) {
        const auto bound = store.compare_and_set(key, 0, claim, kept, Keep::evictable);
        if (!bound) return bound.error();
        if (*bound != 0) return true;
        const auto entry = store.get(key);
        if (!entry) return entry.error();
        if (*entry) return (*entry)->value == claim;
    }
    return store_error("never takes an entry", "check its compare_and_set");
}

std::chrono::milliseconds lease_over(const Store* store, const DedupOptions& options) {
    if (options.lease) return *options.lease;
    if (dynamic_cast<const MemoryStore*>(store) != nullptr) return Store::forever;
    return options.keeper ? lease_renewed : lease_alone;
}

}  // namespace
}  // namespace detail

DedupStore::DedupStore(std::shared_ptr<Store> store, DedupOptions options)
    : options_(std::move(options)), lease_(detail::lease_over(store.get(), options_)) {
    store_ = detail::guarded_store(std::move(store));
    if (lease_ != Store::forever) detail::require_duration("lease", lease_);
    detail::require_duration("kept", options_.kept);
}

Result<bool> DedupStore::bind(const EventKey& event) const {
    return detail::bind_signature(*store_, event.signature, detail::claim_key(event),
                                  options_.kept);
}

Result<Claim> DedupStore::claim(const EventKey& event) const {
    Claim claim;
    claim.key = detail::claim_key(event);
    if (!event.signature.empty()) {
        const auto bound =
            detail::bind_signature(*store_, event.signature, claim.key, options_.kept);
        if (!bound) return bound.error();
        if (!*bound) {
            claim.outcome = ClaimOutcome::recut;
            return claim;
        }
    }
    for (int round = 0; round < detail::claim_rounds; ++round) {
        const auto taken =
            store_->compare_and_set(claim.key, 0, detail::claim_running, lease_, Keep::pinned);
        if (!taken) return taken.error();
        if (*taken != 0) {
            claim.outcome = ClaimOutcome::claimed;
            claim.version = *taken;
            if (!options_.keeper || lease_ == Store::forever) return claim;
            claim.held =
                std::make_shared<detail::HeldLease>(store_, claim.key, claim.version, lease_);
            claim.lost = claim.held->lost.token();
            options_.keeper->hold(claim.held);
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

Result<ClaimOutcome> DedupStore::look(const EventKey& event) const {
    std::vector<std::string> keys{detail::claim_key(event)};
    if (!event.signature.empty()) keys.push_back(detail::state_key("signature", {event.signature}));
    const auto entries = store_->get_each(keys);
    if (!entries) return entries.error();
    const bool is_bound = keys.size() > 1 && entries->back().has_value();
    if (is_bound && entries->back()->value != keys.front()) return ClaimOutcome::recut;
    const auto& taken = entries->front();
    if (!taken) return ClaimOutcome::claimed;
    return taken->value == detail::claim_done ? ClaimOutcome::done : ClaimOutcome::running;
}

Result<bool> DedupStore::finish(const Claim& claim) const {
    if (claim.outcome != ClaimOutcome::claimed || claim.version == 0) return false;
    const auto lease = claim.held ? claim.held->end() : claim.version;
    if (!lease) return false;
    const auto write = [&](std::uint64_t expected) {
        return store_->compare_and_set(claim.key, expected, detail::claim_done, options_.kept,
                                       Keep::evictable);
    };
    auto written = write(*lease);
    // The lease ran out. If nobody took the event since, it is done all the same.
    if (written && *written == 0) written = write(0);
    if (!written) return written.error();
    return *written != 0;
}

Result<bool> DedupStore::release(const Claim& claim) const {
    if (claim.outcome != ClaimOutcome::claimed || claim.version == 0) return false;
    const auto lease = claim.held ? claim.held->end() : claim.version;
    if (!lease) return false;
    return store_->erase(claim.key, *lease);
}

}  // namespace twiliowa
