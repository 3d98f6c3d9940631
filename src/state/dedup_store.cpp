#include <twiliowa/state/dedup_store.hpp>

#include <span>
#include <string>
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
constexpr int claim_rounds = 4;

std::string claim_key(const EventKey& event) {
    return state_key("event", {event.account_sid, event.message_sid, event.kind, event.status});
}

/// Empty if it has none.
std::string signature_key(const EventKey& event) {
    return event.signature.empty() ? std::string{} : state_key("signature", {event.signature});
}

Error never_takes_an_entry() {
    return store_error("never takes an entry", "check its compare_and_set");
}

/// False if the signature was first read as another event than the claim's.
Result<bool> bind_signature(Store& store, const std::string& signature, const std::string& claim,
                            std::chrono::milliseconds kept) {
    for (int round = 0; round < claim_rounds; ++round) {
        const auto bound = store.compare_and_set(signature, 0, claim, kept, Keep::evictable);
        if (!bound) return bound.error();
        if (*bound != 0) return true;
        const auto entry = store.get(signature);
        if (!entry) return entry.error();
        if (*entry) return (*entry)->value == claim;
    }
    return never_takes_an_entry();
}

ClaimOutcome outcome_of(const StoredValue& taken) {
    return taken.value == claim_done ? ClaimOutcome::done : ClaimOutcome::running;
}

struct SeenClaim {
    ClaimOutcome of = ClaimOutcome::claimed;  ///< What a claim would be answered.
    bool is_bound = false;                    ///< The signature, to this claim or another.
};

/// By one question.
Result<SeenClaim> look_at(Store& store, const std::string& claim, const std::string& signature) {
    std::vector<std::string> keys{claim};
    if (!signature.empty()) keys.push_back(signature);
    const auto entries = store.get_each(keys);
    if (!entries) return entries.error();
    SeenClaim seen;
    seen.is_bound = keys.size() > 1 && entries->back().has_value();
    if (seen.is_bound && entries->back()->value != claim) {
        seen.of = ClaimOutcome::recut;
    } else if (const auto& taken = entries->front()) {
        seen.of = outcome_of(*taken);
    }
    return seen;
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
    if (event.signature.empty()) return true;
    return detail::bind_signature(*store_, detail::signature_key(event), detail::claim_key(event),
                                  options_.kept);
}

Result<Claim> DedupStore::claim(const EventKey& event) const {
    Claim claim;
    claim.key = detail::claim_key(event);
    const auto signature = detail::signature_key(event);
    bool is_bound = signature.empty();
    const StoreWrite binding{signature, 0, claim.key, options_.kept, Keep::evictable};
    const StoreWrite taking{claim.key, 0, detail::claim_running, lease_, Keep::pinned};
    const StoreWrite both[] = {binding, taking};
    for (int round = 0; round < detail::claim_rounds; ++round) {
        const auto versions =
            store_->compare_and_set_each(is_bound ? std::span{both}.last(1) : std::span{both});
        if (!versions) return versions.error();
        if (versions->back() != 0) {
            claim.outcome = ClaimOutcome::claimed;
            claim.version = versions->back();
            if (!options_.keeper || lease_ == Store::forever) return claim;
            claim.held =
                std::make_shared<detail::HeldLease>(store_, claim.key, claim.version, lease_);
            claim.lost = claim.held->lost.token();
            options_.keeper->hold(claim.held);
            return claim;
        }
        if (!is_bound && versions->size() == 1) {
            const auto outcome = detail::look_at(*store_, claim.key, signature);
            if (!outcome) return outcome.error();
            if (!outcome->is_bound) continue;
            is_bound = true;
            if (outcome->of == ClaimOutcome::claimed) continue;
            claim.outcome = outcome->of;
            return claim;
        }
        is_bound = true;
        const auto entry = store_->get(claim.key);
        if (!entry) return entry.error();
        if (!*entry) continue;
        claim.outcome = detail::outcome_of(**entry);
        return claim;
    }
    if (!is_bound) return detail::never_takes_an_entry();
    return claim;
}

Result<void> DedupStore::note_done(const EventKey& event) const {
    const auto claim = detail::claim_key(event);
    const auto signature = detail::signature_key(event);
    const StoreWrite both[] = {
        {signature, 0, claim, options_.kept, Keep::evictable},
        {claim, 0, detail::claim_done, options_.kept, Keep::evictable},
    };
    if (!signature.empty()) {
        const auto versions = store_->compare_and_set_each(both);
        if (!versions) return versions.error();
        if (versions->size() == 2) return {};
        const auto bound = bind(event);
        if (!bound) return bound.error();
        if (!*bound) return {};
    }
    const auto written = store_->compare_and_set_each(std::span{both}.last(1));
    if (!written) return written.error();
    return {};
}

Result<ClaimOutcome> DedupStore::look(const EventKey& event) const {
    const auto seen =
        detail::look_at(*store_, detail::claim_key(event), detail::signature_key(event));
    if (!seen) return seen.error();
    return seen->of;
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
