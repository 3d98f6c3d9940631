/// @file
/// What the parts of state/ have in common: keys, times, and changing an entry.
#pragma once

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/export.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/sender.hpp>

namespace twiliowa::detail {

/// `what` and the parts, each after its length: no two lists of parts give the same key.
TWILIOWA_EXPORT std::string state_key(std::string_view what,
                                      std::initializer_list<std::string_view> parts);

/// The key of what is known between `sender` and `customer`; refuses one that was never set.
Result<std::string> conversation_key(std::string_view what, std::string_view scope,
                                     const Sender& sender, const Address& customer);

/// Who is written down as `Sender::wire`; empty: nobody that can be.
TWILIOWA_EXPORT Sender sender_from_wire(std::string_view wire);

/// Reads the two sides of a conversation, and answers what `then` makes of them.
template <class Then>
auto with_parties(std::string_view sender, std::string_view customer, Then then)
    -> decltype(then(Sender{}, Address{})) {
    const auto ours = Sender::parse(sender);
    if (!ours) return ours.error();
    const auto theirs = Address::parse(customer, "To");
    if (!theirs) return theirs.error();
    return then(*ours, *theirs);
}

/// `at`, or now; not later than now.
TimePoint no_later_than_now(const Clock& clock, const std::optional<TimePoint>& at);
/// Nanoseconds since the epoch, for a stored value.
std::string nanoseconds_text(TimePoint time);
std::optional<TimePoint> parse_nanoseconds(std::string_view text) noexcept;

/// Links of another scope would join what does not belong together.
/// @throws InvalidRequestError if `customers` is of another scope than `scope`.
TWILIOWA_EXPORT void require_same_scope(const Customers& customers, std::string_view scope);

/// The entry under `key` is not what belongs there.
TWILIOWA_EXPORT Error foreign_entry();

/// What to write in place of an entry.
struct EntryChange {
    std::string value = {};
    std::chrono::milliseconds time_to_live{0};
    Keep keep = Keep::evictable;
};

/// Reads, asks `change(const std::string* value)` (null: no entry) what to write, and writes it;
/// again if somebody came between. `change` answers Result<std::optional<EntryChange>>; nullopt
/// leaves the entry as it is. Says whether something was written.
template <class Change>
Result<bool> change_entry(Store& store, const std::string& key, Change change) {
    // Whoever loses a round lost it to a change that was made, so a sound store never gets here.
    constexpr int max_rounds = 10'000;
    for (int round = 0; round < max_rounds; ++round) {
        const auto entry = store.get(key);
        if (!entry) return entry.error();
        const auto& stored = *entry;
        Result<std::optional<EntryChange>> wanted = change(stored ? &stored->value : nullptr);
        if (!wanted) return wanted.error();
        if (!*wanted) return false;
        const EntryChange& write = **wanted;
        const auto written = store.compare_and_set(key, stored ? stored->version : 0, write.value,
                                                   write.time_to_live, write.keep);
        if (!written) return written.error();
        if (*written != 0) return true;
    }
    return store_error("never takes a change", "check its compare_and_set");
}

/// Erases the entry if `may_go(const std::string& value)` (a Result<bool>) says so; looks again if
/// somebody came between. Says whether one was erased.
template <class MayGo>
Result<bool> erase_entry(Store& store, const std::string& key, MayGo may_go) {
    constexpr int max_rounds = 10'000;  // as in change_entry
    for (int round = 0; round < max_rounds; ++round) {
        const auto entry = store.get(key);
        if (!entry) return entry.error();
        if (!*entry) return false;
        Result<bool> goes = may_go((*entry)->value);
        if (!goes || !*goes) return goes;
        const auto erased = store.erase(key, (*entry)->version);
        if (!erased) return erased.error();
        if (*erased) return true;
    }
    return store_error("never erases an entry", "check its erase");
}

}  // namespace twiliowa::detail
