#include "sqlite/inbox_transaction.hpp"

#include <utility>

#include <twiliowa/state/store.hpp>

#include "sqlite/inbox_rows.hpp"
#include "sqlite/row_values.hpp"

namespace twiliowa::detail {

namespace {

/// Waits, and neither runs one of its line nor waits an earlier one. What is marked as behind is
/// not looked at; of the rest, the last word has who is there.
constexpr std::string_view waits_for_its_time =
    " where state = 0 and behind = 0"
    " and (line = '' or out_of_order = 1 or not exists ("
    "select 1 from inbox_event as running where running.line = event.line and running.line <> ''"
    " and running.state = 1 and running.out_of_order = 0)"
    " and not exists ("
    "select 1 from inbox_event as earlier where earlier.line = event.line and earlier.line <> ''"
    " and earlier.state = 0 and earlier.out_of_order = 0"
    " and earlier.sequence < event.sequence))";

std::string select_events(std::string_view rest) {
    return "select " + std::string{event_columns} + " from inbox_event " + std::string{rest};
}

/// `customer in (...)`, from position 6 on.
std::string event_customers_sql(std::size_t count) {
    std::string sql = "customer <> '' and customer in (";
    for (std::size_t i = 0; i < count; ++i) {
        sql += (i == 0 ? "?" : ",?") + std::to_string(i + 6);
    }
    return sql + ") and ";
}

/// Which index leads the list: the one that leaves the fewest.
std::string list_events_sql(const InboxFilter& filter) {
    std::string index;
    std::string conditions;
    if (!filter.customers.empty()) {
        conditions = event_customers_sql(filter.customers.size());
    } else if (!filter.message_sid.empty()) {
        conditions = "message_sid <> '' and ";
    } else if (filter.state == InboxState::waiting) {
        index = "indexed by inbox_event_open ";
        conditions = "state < 2 and ";
    } else if (filter.state == InboxState::running) {
        index = "indexed by inbox_event_lease ";
    } else if (filter.state == InboxState::dead || filter.state == InboxState::dropped) {
        index = "indexed by inbox_event_stopped ";
        conditions = "state in (3, 4) and ";
    }
    // Numbers of states stand in the text: a partial index is found by what a statement says.
    if (filter.state) {
        conditions += "state = " + std::to_string(static_cast<int>(*filter.state)) + " and ";
    }
    if (!filter.kind.empty()) conditions += "kind = ?3 and ";
    if (!filter.message_sid.empty()) conditions += "message_sid = ?4 and ";
    return select_events(index + "where " + conditions +
                         "sequence > ?1 order by sequence limit ?2");
}

}  // namespace

std::string ready_events_sql() {
    return "select " + std::string{event_columns} +
           " from inbox_event as event indexed by inbox_event_account" +
           std::string{waits_for_its_time} +
           " and account_sid = ?1 and not_before <= ?2 order by not_before, sequence limit ?3";
}

std::string next_account_sql() {
    // With `behind` past its last value, as the outbox's ready_groups.
    return "select account_sid, behind, not_before, kind = 'message' from inbox_event "
           "indexed by inbox_event_account where state = 0 and (account_sid, behind) > (?1, 2) "
           "order by account_sid, behind, not_before, sequence limit 1";
}

// ---- Statements

template <class Bind>
Result<std::vector<StoredEvent>> SqliteInboxTransaction::events_of(const std::string& sql,
                                                                   const Bind& bind) {
    std::vector<StoredEvent> events;
    const auto done = statements_.query(
        sql, bind, [&](const SqliteStatement& row) { events.push_back(read_event(row)); });
    if (!done) return done.error();
    return events;
}

/// The last row's first column; nullopt without a row.
Result<std::optional<std::int64_t>> SqliteInboxTransaction::number_of(
    const std::string& sql, const std::function<void(SqliteStatement&)>& bind) {
    std::optional<std::int64_t> number;
    const auto done =
        statements_.query(sql, bind, [&](const SqliteStatement& row) { number = row.number(0); });
    if (!done) return done.error();
    return number;
}

Result<std::optional<TimePoint>> SqliteInboxTransaction::time_of(const std::string& sql) {
    const auto time = number_of(sql, no_values);
    if (!time) return time.error();
    if (!*time) return std::optional<TimePoint>{};
    return std::optional{time_of_stored(**time)};
}

Result<void> SqliteInboxTransaction::count(InboxState state, std::int64_t events) {
    static const std::string sql = "update inbox_tally set events = events + ? where state = ?";
    return statements_.change(sql, [&](SqliteStatement& update) {
        update.bind(1, events);
        update.bind(2, static_cast<std::int64_t>(state));
    });
}

// ---- What arrives

Result<EventOwners> SqliteInboxTransaction::owners_of(std::string_view key,
                                                      std::string_view signature) {
    const auto known = event_of_key(key);
    if (!known) return known.error();
    EventOwners owners{.key = *known};
    if (signature.empty()) return owners;
    const auto bound = event_of_signature(signature);
    if (!bound) return bound.error();
    owners.signature = *bound;
    return owners;
}

Result<TakenIn> SqliteInboxTransaction::look(std::string_view key, std::string_view signature) {
    const auto owners = owners_of(key, signature);
    if (!owners) return owners.error();
    return owners->verdict();
}

Result<TakenIn> SqliteInboxTransaction::take(const StoredEvent& event, std::string_view signature) {
    const auto owners = owners_of(event.key, signature);
    if (!owners) return owners.error();
    const auto verdict = owners->verdict();
    if (verdict == TakenIn::recut) return verdict;
    const auto sequence = owners->key ? Result<std::int64_t>{*owners->key} : insert(event);
    if (!sequence) return sequence.error();
    if (!signature.empty() && !owners->signature) {
        if (auto done = bind_signature(signature, *sequence); !done) return done.error();
    }
    return verdict;
}

Result<std::optional<std::int64_t>> SqliteInboxTransaction::event_of_key(std::string_view key) {
    static const std::string sql = "select event from inbox_key where key = ?";
    return number_of(sql, [&](SqliteStatement& select) { select.bind_text(1, key); });
}

Result<std::optional<std::int64_t>> SqliteInboxTransaction::event_of_signature(
    std::string_view signature) {
    static const std::string sql = "select event from inbox_signature where signature = ?";
    return number_of(sql, [&](SqliteStatement& select) { select.bind(1, signature); });
}

Result<std::int64_t> SqliteInboxTransaction::insert(const StoredEvent& event) {
    static const auto insert_event = insert_event_sql();
    static const std::string insert_key = "insert into inbox_key (key, event) values (?, ?)";
    auto done = statements_.change(
        insert_event, [&](SqliteStatement& statement) { bind_new_event(statement, event); });
    if (!done) return done.error();
    const auto sequence = statements_.file().last_insert_rowid();
    done = statements_.change(insert_key, [&](SqliteStatement& statement) {
        statement.bind_text(1, event.key);
        statement.bind(2, sequence);
    });
    if (done) done = count(InboxState::waiting, 1);
    if (!done) return done.error();
    return sequence;
}

Result<void> SqliteInboxTransaction::bind_signature(std::string_view signature,
                                                    std::int64_t event) {
    static const std::string sql = "insert into inbox_signature (signature, event) values (?, ?)";
    return statements_.change(sql, [&](SqliteStatement& insert) {
        insert.bind(1, signature);
        insert.bind(2, event);
    });
}

// ---- Where events are

Result<std::vector<StoredEvent>> SqliteInboxTransaction::load(
    std::span<const std::int64_t> sequences) {
    static const auto sql = select_events("where sequence = ?");
    std::vector<StoredEvent> events;
    for (const auto sequence : sequences) {
        const auto done = statements_.query(
            sql, [&](SqliteStatement& select) { select.bind(1, sequence); },
            [&](const SqliteStatement& row) { events.push_back(read_event(row)); });
        if (!done) return done.error();
    }
    return events;
}

Result<SqliteInboxTransaction::EventRow> SqliteInboxTransaction::unchanged_row(
    const StoredEvent& event) {
    static const std::string sql =
        "select state, out_of_order, key, line from inbox_event where sequence = ? and revision = "
        "?";
    std::optional<EventRow> found;
    const auto done = statements_.query(
        sql,
        [&](SqliteStatement& select) {
            select.bind(1, event.sequence);
            select.bind(2, event.revision);
        },
        [&](const SqliteStatement& row) {
            found = EventRow{.state = static_cast<InboxState>(row.number(0)),
                             .key = std::string{row.bytes(2)},
                             .line = std::string{row.bytes(3)}};
            found->holds_line = holds_line(found->state, row.number(1) != 0, found->line);
        });
    if (!done) return done.error();
    if (!found) return store_error(event_changed_meanwhile, read_event_again);
    return std::move(*found);
}

Result<void> SqliteInboxTransaction::save(StoredEvent& event) {
    const auto row = unchanged_row(event);
    if (!row) return row.error();
    const bool holds = holds_line(event.state, event.out_of_order, row->line);
    auto place = PlaceInLine::none;
    if (holds) place = row->holds_line ? PlaceInLine::kept : PlaceInLine::found;
    auto done = statements_.change(update_event_sql(event), [&](SqliteStatement& update) {
        bind_changed_event(update, event, place);
    });
    if (done && event.state != row->state) {
        done = count(row->state, -1);
        if (done) done = count(event.state, 1);
    }
    if (done && row->holds_line && !holds) done = free_next(row->line);
    if (!done) return done;
    ++event.revision;
    return {};
}

/// One of that line is out of the way of those behind it.
Result<void> SqliteInboxTransaction::free_next(std::string_view line) {
    static const std::string sql =
        "update inbox_event set behind = 0 where behind = 1 and sequence = ("
        "select min(sequence) from inbox_event where line = ? and line <> '' and state = 0 "
        "and out_of_order = 0)";
    return statements_.change(sql, [&](SqliteStatement& update) { update.bind_text(1, line); });
}

Result<void> SqliteInboxTransaction::rewrite(StoredEvent& event) {
    static const std::string rename_key = "update inbox_key set key = ? where key = ?";
    static const auto texts = rewrite_event_sql();
    const auto row = unchanged_row(event);
    if (!row) return row.error();
    const auto owner = event_of_key(event.key);
    if (!owner) return owner.error();
    if (*owner && **owner != event.sequence) return key_is_anothers();
    auto done = statements_.change(rename_key, [&](SqliteStatement& update) {
        update.bind_text(1, event.key);
        update.bind_text(2, row->key);
    });
    if (!done) return done;
    done = statements_.change(
        texts, [&](SqliteStatement& update) { bind_rewritten_event(update, event); });
    if (done && row->holds_line && row->line != event.line) done = free_next(row->line);
    if (!done) return done;
    if (erases_what_was(event.payload)) statements_.erasing().add({.some = true, .ended = true});
    return save(event);
}

// ---- Whose turn it is

Result<std::vector<std::string>> SqliteInboxTransaction::ready_accounts(
    const ReadyAccountsQuery& query) {
    // From one account to the next, however many events each has.
    static const auto next = next_account_sql();
    // That of those that name none is before all others, and nothing is before it.
    static const auto first = [] {
        auto sql = next_account_sql();
        const std::string_view behind = " and (account_sid, behind) > (?1, 2)";
        return sql.erase(sql.find(behind), behind.size());
    }();
    std::vector<std::string> accounts;
    auto last = query.after;
    while (accounts.size() < query.limit) {
        bool found = false;
        const auto done = statements_.query(
            last ? next : first,
            [&](SqliteStatement& select) {
                if (last) select.bind_text(1, *last);
            },
            [&](const SqliteStatement& row) {
                found = true;
                last = std::string{row.bytes(0)};
                const bool due = row.number(1) == 0 && row.number(2) <= stored_time(query.now);
                const bool is_message = row.number(3) != 0;
                if (due && !(query.without_messages && is_message)) accounts.push_back(*last);
            });
        if (!done) return done.error();
        if (!found) break;
    }
    return accounts;
}

Result<std::vector<StoredEvent>> SqliteInboxTransaction::ready(const ReadyEventsQuery& query) {
    static const auto sql = ready_events_sql();
    return events_of(sql, [&](SqliteStatement& select) {
        select.bind_text(1, query.account_sid);
        select.bind(2, stored_time(query.now));
        select.bind(3, row_limit(query.limit));
    });
}

Result<std::int64_t> SqliteInboxTransaction::waiting(std::string_view account_sid,
                                                     std::int64_t at_most) {
    static const std::string sql =
        "select count(*) from (select 1 from inbox_event indexed by inbox_event_account "
        "where state = 0 and account_sid = ? limit ?)";
    const auto waiting = number_of(sql, [&](SqliteStatement& select) {
        select.bind_text(1, account_sid);
        select.bind(2, at_most);
    });
    if (!waiting) return waiting.error();
    return waiting->value_or(0);
}

Result<std::vector<StoredEvent>> SqliteInboxTransaction::abandoned(const LeaseTime& now,
                                                                   std::size_t limit) {
    static const auto sql = select_events(
        "indexed by inbox_event_lease where state = 1 and (lease_boot <> ? or lease_until <= ?) "
        "order by sequence limit ?");
    return events_of(sql, [&](SqliteStatement& select) {
        select.bind_text(1, now.boot);
        select.bind(2, now.microseconds);
        select.bind(3, row_limit(limit));
    });
}

Result<std::optional<TimePoint>> SqliteInboxTransaction::next_due() {
    static const auto sql =
        "select not_before from inbox_event as event indexed by "
        "inbox_event_ready" +
        std::string{waits_for_its_time} + " order by not_before, sequence limit 1";
    return time_of(sql);
}

// ---- Lists, counts and times

Result<std::vector<StoredEvent>> SqliteInboxTransaction::list(const InboxFilter& filter) {
    return events_of(list_events_sql(filter), [&](SqliteStatement& select) {
        select.bind(1, filter.after);
        select.bind(2, row_limit(filter.limit));
        // A position that the statement does not have is no value of it.
        if (!filter.kind.empty()) select.bind_text(3, filter.kind);
        if (!filter.message_sid.empty()) select.bind_text(4, filter.message_sid);
        for (std::size_t i = 0; i < filter.customers.size(); ++i) {
            select.bind_text(static_cast<int>(i) + 6, filter.customers[i]);
        }
    });
}

Result<std::map<InboxState, std::int64_t>> SqliteInboxTransaction::counts() {
    static const std::string sql = "select state, events from inbox_tally where events > 0";
    std::map<InboxState, std::int64_t> counted;
    const auto done = statements_.query(sql, no_values, [&](const SqliteStatement& row) {
        counted[static_cast<InboxState>(row.number(0))] = row.number(1);
    });
    if (!done) return done.error();
    return counted;
}

Result<std::optional<TimePoint>> SqliteInboxTransaction::newest_arrival() {
    static const std::string sql =
        "select arrived_at from inbox_event order by sequence desc limit 1";
    return time_of(sql);
}

Result<std::optional<TimePoint>> SqliteInboxTransaction::oldest_waiting() {
    static const std::string sql =
        "select arrived_at from inbox_event indexed by inbox_event_open where state < 2 "
        "order by sequence limit 1";
    return time_of(sql);
}

// ---- Erasing

Result<std::int64_t> SqliteInboxTransaction::redact(TimePoint before, std::size_t limit) {
    static const std::string sql =
        "update inbox_event set payload = '', customer = '', revision = revision + 1 "
        "where sequence in (select sequence from inbox_event where state in (2, 4) "
        "and (payload <> '' or customer <> '') and updated_at < ? order by updated_at limit ?)";
    const auto done = statements_.change(sql, [&](SqliteStatement& update) {
        update.bind(1, stored_time(before));
        update.bind(2, row_limit(limit));
    });
    if (!done) return done.error();
    const std::int64_t erased = statements_.file().changes();
    statements_.erasing().add_sweep(erased, limit);
    return erased;
}

Result<std::int64_t> SqliteInboxTransaction::purge(TimePoint before,
                                                   std::optional<TimePoint> keys_before,
                                                   std::size_t limit) {
    static const std::string choose =
        "select sequence, key, state from inbox_event where state in (2, 4) and updated_at < ? "
        "order by updated_at limit ?";
    static const std::string forget_signatures =
        "delete from inbox_signature where event in "
        "(select event from inbox_key where removed_at <= ?)";
    static const std::string forget_keys = "delete from inbox_key where removed_at <= ?";
    std::vector<StoredEvent> gone;
    auto done = statements_.query(
        choose,
        [&](SqliteStatement& select) {
            select.bind(1, stored_time(before));
            select.bind(2, row_limit(limit));
        },
        [&](const SqliteStatement& row) {
            gone.push_back({.sequence = row.number(0),
                            .key = std::string{row.bytes(1)},
                            .state = static_cast<InboxState>(row.number(2))});
        });
    const auto at = time_of_stored(stored_time(clock_.now()));
    for (const auto& event : gone) {
        if (done) done = remove(event.sequence, event.key, at);
        if (done) done = count(event.state, -1);
    }
    if (!done) return done.error();
    const auto removed = static_cast<std::int64_t>(gone.size());
    statements_.erasing().add_sweep(removed, limit);
    if (!keys_before) return removed;
    for (const auto* const sql : {&forget_signatures, &forget_keys}) {
        done = statements_.change(
            *sql, [&](SqliteStatement& erase) { erase.bind(1, stored_time(*keys_before)); });
        if (!done) return done.error();
    }
    return removed;
}

Result<void> SqliteInboxTransaction::remove(std::int64_t sequence, std::string_view key,
                                            TimePoint at) {
    static const std::string keep_key = "update inbox_key set removed_at = ? where key = ?";
    static const std::string erase = "delete from inbox_event where sequence = ?";
    auto done = statements_.change(keep_key, [&](SqliteStatement& update) {
        update.bind(1, stored_time(at));
        update.bind_text(2, key);
    });
    if (!done) return done;
    return statements_.change(erase,
                              [&](SqliteStatement& statement) { statement.bind(1, sequence); });
}

}  // namespace twiliowa::detail
