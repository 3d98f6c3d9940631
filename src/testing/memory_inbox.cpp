#include "testing/memory_inbox.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include <twiliowa/state/store.hpp>

#include "outbox/event_values.hpp"

namespace twiliowa::testing::memory_outbox {

namespace {

bool is_closed(const StoredEvent& event) {
    return event.state == InboxState::done || event.state == InboxState::dropped;
}

bool holds_its_line(const StoredEvent& event) {
    return detail::holds_line(event.state, event.out_of_order, event.line);
}

bool passes(const InboxFilter& filter, const StoredEvent& event) {
    return (!filter.state || event.state == *filter.state) &&
           (filter.kind.empty() || event.kind == filter.kind) &&
           (filter.message_sid.empty() || event.message_sid == filter.message_sid) &&
           (filter.customers.empty() || std::find(filter.customers.begin(), filter.customers.end(),
                                                  event.customer) != filter.customers.end());
}

/// Writes where an event is, and erases what was erased.
void write_change(const StoredEvent& event, StoredEvent& row) {
    auto changed = event;
    changed.key = row.key;
    changed.account_sid = row.account_sid;
    changed.kind = row.kind;
    changed.message_sid = row.message_sid;
    changed.line = row.line;
    changed.caught_up = row.caught_up;
    changed.arrived_at = row.arrived_at;
    if (!event.payload.empty()) changed.payload = row.payload;
    if (!event.customer.empty()) changed.customer = row.customer;
    row = std::move(changed);
}

}  // namespace

Result<TakenIn> MemoryInbox::look(std::string_view key, std::string_view signature) {
    const auto known = tables_.keys.find(std::string{key});
    const auto bound = tables_.signatures.find(std::string{signature});
    if (!signature.empty() && bound != tables_.signatures.end() &&
        (known == tables_.keys.end() || bound->second != known->second.sequence)) {
        return TakenIn::recut;
    }
    return known == tables_.keys.end() ? TakenIn::taken : TakenIn::duplicate;
}

Result<TakenIn> MemoryInbox::take(const StoredEvent& event, std::string_view signature) {
    auto verdict = look(event.key, signature);
    if (!verdict || *verdict == TakenIn::recut) return verdict;
    const auto known = tables_.keys.find(event.key);
    const auto sequence =
        known == tables_.keys.end() ? tables_.last_sequence + 1 : known->second.sequence;
    const std::string its_signature{signature};
    if (!signature.empty() && tables_.signatures.try_emplace(its_signature, sequence).second) {
        undo_.emplace_back(
            [&tables = tables_, its_signature] { tables.signatures.erase(its_signature); });
    }
    if (*verdict == TakenIn::duplicate) return verdict;
    StoredEvent row;
    row.sequence = ++tables_.last_sequence;
    row.key = event.key;
    row.account_sid = event.account_sid;
    row.kind = event.kind;
    row.message_sid = event.message_sid;
    row.line = event.line;
    row.customer = event.customer;
    row.payload = event.payload;
    row.caught_up = event.caught_up;
    row.arrived_at = event.arrived_at;
    row.not_before = event.not_before;
    row.updated_at = event.updated_at;
    row.revision = 1;
    undo_.emplace_back([&tables = tables_, sequence, key = event.key] {
        tables.keys.erase(key);
        tables.events.erase(sequence);
    });
    tables_.keys[event.key] = {sequence, std::nullopt};
    tables_.events[sequence] = std::move(row);
    return TakenIn::taken;
}

Result<std::vector<StoredEvent>> MemoryInbox::load(std::span<const std::int64_t> sequences) {
    std::vector<StoredEvent> found;
    for (const auto sequence : sequences) {
        const auto row = tables_.events.find(sequence);
        if (row != tables_.events.end()) found.push_back(row->second);
    }
    return found;
}

Result<void> MemoryInbox::save(StoredEvent& event) {
    auto* const row = unchanged_row(event);
    if (row == nullptr)
        return store_error(detail::event_changed_meanwhile, detail::read_event_again);
    keep_row(*row);
    ++event.revision;
    write_change(event, *row);
    return {};
}

Result<std::vector<std::string>> MemoryInbox::ready_accounts(const ReadyAccountsQuery& query) {
    std::map<std::string, bool> is_message;  // Of the first of each account.
    for (const auto* const event : free_events()) {
        if (event->not_before > query.now) break;
        is_message.try_emplace(event->account_sid, event->kind == "message");
    }
    std::vector<std::string> found;
    for (const auto& [account, message] : is_message) {
        if (found.size() == query.limit) break;
        const bool passed = query.after && account <= *query.after;
        if (!passed && !(query.without_messages && message)) found.push_back(account);
    }
    return found;
}

Result<std::vector<StoredEvent>> MemoryInbox::ready(const ReadyEventsQuery& query) {
    std::vector<StoredEvent> found;
    for (const auto* const event : free_events()) {
        if (found.size() == query.limit || event->not_before > query.now) break;
        if (event->account_sid == query.account_sid) found.push_back(*event);
    }
    return found;
}

Result<std::int64_t> MemoryInbox::waiting(std::string_view account_sid, std::int64_t at_most) {
    const auto waiting =
        std::count_if(tables_.events.begin(), tables_.events.end(), [&](const auto& each) {
            return each.second.state == InboxState::waiting &&
                   each.second.account_sid == account_sid;
        });
    return std::min<std::int64_t>(waiting, at_most);
}

Result<std::vector<StoredEvent>> MemoryInbox::abandoned(const LeaseTime& now, std::size_t limit) {
    std::vector<StoredEvent> found;
    for (const auto& [sequence, event] : tables_.events) {
        if (found.size() == limit) break;
        if (event.state == InboxState::running && event.lease_until.ended(now)) {
            found.push_back(event);
        }
    }
    return found;
}

Result<std::optional<TimePoint>> MemoryInbox::next_due() {
    const auto events = free_events();
    if (events.empty()) return std::optional<TimePoint>{};
    return std::optional{events.front()->not_before};
}

Result<std::vector<StoredEvent>> MemoryInbox::list(const InboxFilter& filter) {
    std::vector<StoredEvent> found;
    for (auto each = tables_.events.upper_bound(filter.after);
         each != tables_.events.end() && found.size() < filter.limit; ++each) {
        if (passes(filter, each->second)) found.push_back(each->second);
    }
    return found;
}

Result<std::map<InboxState, std::int64_t>> MemoryInbox::counts() {
    std::map<InboxState, std::int64_t> counted;
    for (const auto& each : tables_.events) ++counted[each.second.state];
    return counted;
}

Result<std::optional<TimePoint>> MemoryInbox::newest_arrival() {
    if (tables_.events.empty()) return std::optional<TimePoint>{};
    return std::optional{tables_.events.rbegin()->second.arrived_at};
}

Result<std::optional<TimePoint>> MemoryInbox::oldest_waiting() {
    for (const auto& [sequence, event] : tables_.events) {
        if (event.state == InboxState::waiting || event.state == InboxState::running) {
            return std::optional{event.arrived_at};
        }
    }
    return std::optional<TimePoint>{};
}

Result<std::int64_t> MemoryInbox::redact(TimePoint before, std::size_t limit) {
    std::int64_t erased = 0;
    for (auto& [sequence, event] : tables_.events) {
        if (static_cast<std::size_t>(erased) == limit) break;
        const bool legible = !event.payload.empty() || !event.customer.empty();
        if (!is_closed(event) || event.updated_at >= before || !legible) continue;
        keep_row(event);
        event.payload.clear();
        event.customer.clear();
        ++event.revision;
        ++erased;
    }
    return erased;
}

Result<void> MemoryInbox::rewrite(StoredEvent& event) {
    auto* const row = unchanged_row(event);
    if (row == nullptr)
        return store_error(detail::event_changed_meanwhile, detail::read_event_again);
    if (row->key != event.key) {
        if (tables_.keys.contains(event.key)) {
            return detail::key_is_anothers();
        }
        undo_.emplace_back([&tables = tables_, old = tables_.keys] { tables.keys = old; });
        auto kept = tables_.keys.extract(row->key);
        kept.key() = event.key;
        tables_.keys.insert(std::move(kept));
    }
    keep_row(*row);
    row->key = event.key;
    row->line = event.line;
    row->customer = event.customer;
    row->payload = event.payload;
    return save(event);
}

Result<std::int64_t> MemoryInbox::purge(TimePoint before, std::optional<TimePoint> keys_before,
                                        std::size_t limit) {
    undo_.emplace_back([&tables = tables_, old = tables_] { tables = old; });
    const auto at = clock_.now();
    std::int64_t removed = 0;
    for (auto each = tables_.events.begin(); each != tables_.events.end();) {
        const auto& event = each->second;
        if (static_cast<std::size_t>(removed) == limit) break;
        if (!is_closed(event) || event.updated_at >= before) {
            ++each;
            continue;
        }
        tables_.keys.at(event.key).removed_at = at;
        each = tables_.events.erase(each);
        ++removed;
    }
    if (!keys_before) return removed;
    std::set<std::int64_t> forgotten;
    std::erase_if(tables_.keys, [&](const auto& each) {
        const auto& kept = each.second;
        const bool is_over = kept.removed_at && *kept.removed_at <= *keys_before;
        if (is_over) forgotten.insert(kept.sequence);
        return is_over;
    });
    std::erase_if(tables_.signatures,
                  [&](const auto& each) { return forgotten.contains(each.second); });
    return removed;
}

std::vector<const StoredEvent*> MemoryInbox::free_events() const {
    std::set<std::string_view> held;
    for (const auto& each : tables_.events) {
        const auto& event = each.second;
        if (event.state == InboxState::running && holds_its_line(event)) held.insert(event.line);
    }
    std::vector<const StoredEvent*> found;
    for (const auto& each : tables_.events) {
        const auto& event = each.second;
        const bool waits = event.state == InboxState::waiting;
        if (!holds_its_line(event)) {
            if (waits) found.push_back(&event);
        } else if (held.insert(event.line).second) {
            found.push_back(&event);
        }
    }
    std::stable_sort(found.begin(), found.end(), [](const auto* a, const auto* b) {
        return std::tie(a->not_before, a->sequence) < std::tie(b->not_before, b->sequence);
    });
    return found;
}

StoredEvent* MemoryInbox::unchanged_row(const StoredEvent& event) {
    const auto row = tables_.events.find(event.sequence);
    if (row == tables_.events.end() || row->second.revision != event.revision) return nullptr;
    return &row->second;
}

void MemoryInbox::keep_row(const StoredEvent& row) {
    undo_.emplace_back([&tables = tables_, old = row] { tables.events[old.sequence] = old; });
}

}  // namespace twiliowa::testing::memory_outbox
