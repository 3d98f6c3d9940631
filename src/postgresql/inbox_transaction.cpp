#include "postgresql/inbox_transaction.hpp"

#include <algorithm>
#include <utility>

#include <twiliowa/state/store.hpp>

#include "outbox/job_values.hpp"
#include "postgresql/outbox_schema.hpp"

namespace twiliowa::detail {

namespace {

/// Of those that wait and are due so many are looked at for what is behind others.
constexpr std::int64_t looked_at_once = 1'000;
/// As long as so many of them are, further ones are looked at.
constexpr std::size_t many_behind = 100;
constexpr int most_looks_behind = 100;
/// Reading more rows of counts than these, they are folded.
constexpr std::int64_t many_event_tallies = 1'000;

/// Whether an earlier event of its line waits or runs, or any of it runs.
constexpr std::string_view is_free =
    "(event.line = '' or event.out_of_order or not (exists (select from twiliowa.inbox_event as "
    "earlier where earlier.line = event.line and earlier.line <> '' and earlier.state < 2 and not "
    "earlier.out_of_order and earlier.sequence < event.sequence) "
    "or exists (select from twiliowa.inbox_event as running where running.line = event.line and "
    "running.line <> '' and running.state = 1 and not running.out_of_order)))";

/// The rows of a place, `rest` of the statement.
std::string event_rows_of(EventPlace place, std::string_view rest) {
    return "select " + event_row_columns("event") + " from " + std::string{table_of(place)} +
           " as event " + std::string{rest};
}

/// Until the commit nobody else takes an event out of this line. Of two lines that share a number
/// one waits for the other.
PostgresStatement lock_line(std::string_view line) {
    PostgresStatement lock{
        "select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended("
        "pg_catalog.encode($1, 'hex'), 8392292344974505825))"};
    lock.values.bytes(line);
    return lock;
}

/// The first that waits in a line is behind nobody, or only behind one that runs.
PostgresStatement clear_next(std::string_view line) {
    PostgresStatement clear{
        "update twiliowa.inbox_event set behind = false where behind and sequence = ("
        "select sequence from twiliowa.inbox_event where line = $1 and line <> '' and state < 2 "
        "and not out_of_order and state = 0 order by line, sequence limit 1)"};
    clear.values.bytes(line);
    return clear;
}

/// An event in state waiting whose key and signature were nobody's.
PostgresStatement bind_to(std::string_view signature, std::int64_t event) {
    PostgresStatement bind{
        "insert into twiliowa.inbox_signature (signature, event) values ($1, $2) "
        "on conflict do nothing"};
    bind.values.bytes(signature).number(event);
    return bind;
}

}  // namespace

// ---- Works

void PostgresInboxTransaction::begin_work() {
    known_.clear();
    work_tally_.clear();
}

void PostgresInboxTransaction::keep_work() {
    for (const auto& [state, events] : work_tally_) batch_tally_[state] += events;
    work_tally_.clear();
}

void PostgresInboxTransaction::drop_work() {
    known_.clear();
    work_tally_.clear();
}

std::optional<PostgresStatement> PostgresInboxTransaction::tally() const {
    PostgresArray states{PostgresType::number};
    PostgresArray events{PostgresType::number};
    for (const auto& [state, more] : batch_tally_) {
        if (more == 0) continue;
        states.add_number(static_cast<std::int64_t>(state));
        events.add_number(more);
    }
    if (events.size() == 0) return std::nullopt;
    PostgresStatement insert{
        "insert into twiliowa.inbox_tally (state, events) "
        "select * from unnest($1::bigint[], $2::bigint[])"};
    insert.values.array(states).array(events);
    return insert;
}

// ---- What arrives

Result<EventOwners> PostgresInboxTransaction::owners_of(std::string_view key,
                                                        std::string_view signature) {
    PostgresStatement select{
        "select (select event from twiliowa.inbox_key where key = $1), "
        "(select event from twiliowa.inbox_signature where signature = $2)"};
    select.values.bytes(key).bytes(signature);
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    EventOwners owners;
    if (!rows->is_null(0, 0)) owners.key = rows->number(0, 0);
    if (!rows->is_null(0, 1)) owners.signature = rows->number(0, 1);
    return owners;
}

Result<TakenIn> PostgresInboxTransaction::look(std::string_view key, std::string_view signature) {
    const auto owners = owners_of(key, signature);
    if (!owners) return owners.error();
    return owners->verdict();
}

Result<TakenIn> PostgresInboxTransaction::take(const StoredEvent& event,
                                               std::string_view signature) {
    const auto owners = owners_of(event.key, signature);
    if (!owners) return owners.error();
    const auto verdict = owners->verdict();
    if (verdict == TakenIn::recut) return verdict;
    auto sequence = owners->key.value_or(0);
    if (verdict == TakenIn::taken) {
        const auto inserted = statements_.change(insert_event(event));
        if (!inserted) return inserted.error();
        // Another has taken it in meanwhile.
        if (inserted->empty()) return statements_.begin_anew(BeginAnew::conflict);
        sequence = inserted->number(0, 0);
        ++work_tally_[InboxState::waiting];
    }
    if (!signature.empty() && !owners->signature) {
        const auto bound = statements_.change(bind_to(signature, sequence));
        if (!bound) return bound.error();
        if (bound->changed() != 1) return statements_.begin_anew(BeginAnew::conflict);
    }
    return verdict;
}

// ---- Where events are

void PostgresInboxTransaction::know(const StoredEvent& event) {
    known_.insert_or_assign(
        event.sequence,
        KnownRow{.revision = event.revision,
                 .state = event.state,
                 .key = event.key,
                 .line = event.line,
                 .holds_line = holds_line(event.state, event.out_of_order, event.line),
                 .has_payload = !event.payload.empty()});
}

Result<std::vector<StoredEvent>> PostgresInboxTransaction::events_of(
    const PostgresStatement& statement) {
    const auto rows = statements_.ask(statement);
    if (!rows) return rows.error();
    std::vector<StoredEvent> events;
    events.reserve(rows->size());
    for (std::size_t row = 0; row < rows->size(); ++row) {
        events.push_back(read_event(*rows, row));
        know(events.back());
    }
    return events;
}

Result<std::vector<StoredEvent>> PostgresInboxTransaction::load(
    std::span<const std::int64_t> sequences) {
    const auto sql_of = [](EventPlace place) {
        return select_stored_events(event_rows_of(place, "where event.sequence = any($1)"),
                                    "found.sequence");
    };
    static const std::string open = sql_of(EventPlace::open);
    static const std::string done = sql_of(EventPlace::done);
    std::map<std::int64_t, StoredEvent> found;
    for (const auto* const sql : {&open, &done}) {
        PostgresArray wanted{PostgresType::number};
        for (const auto sequence : sequences) {
            if (!found.contains(sequence)) wanted.add_number(sequence);
        }
        if (wanted.size() == 0) break;
        PostgresStatement select{*sql};
        select.values.array(wanted);
        auto events = events_of(select);
        if (!events) return events.error();
        for (auto& event : *events) found.insert_or_assign(event.sequence, std::move(event));
    }
    std::vector<StoredEvent> events;
    for (const auto sequence : sequences) {
        if (const auto event = found.find(sequence); event != found.end()) {
            events.push_back(event->second);
        }
    }
    return events;
}

Result<PostgresInboxTransaction::KnownRow> PostgresInboxTransaction::unchanged_row(
    const StoredEvent& event) {
    if (!known_.contains(event.sequence)) {
        if (auto read = load({&event.sequence, 1}); !read) return read.error();
    }
    const auto known = known_.find(event.sequence);
    if (known == known_.end() || known->second.revision != event.revision) {
        return store_error(event_changed_meanwhile, read_event_again);
    }
    return known->second;
}

Result<void> PostgresInboxTransaction::save(StoredEvent& event) {
    const auto row = unchanged_row(event);
    if (!row) return row.error();
    const bool leaves = row->holds_line && !holds_line(event.state, event.out_of_order, row->line);
    std::vector<PostgresStatement> statements;
    if (leaves) statements.push_back(lock_line(row->line));
    const auto written = statements.size();
    statements.push_back(write_event(event, place_of(row->state)));
    if (row->has_payload && event.payload.empty()) {
        PostgresStatement erase{"delete from twiliowa.inbox_payload where event = $1"};
        erase.values.number(event.sequence);
        statements.push_back(std::move(erase));
    }
    if (leaves) statements.push_back(clear_next(row->line));
    statements_.note_write();
    const auto answers = statements_.ask_all(statements);
    if (!answers) return answers.error();
    // Somebody has changed it since it was read.
    if ((*answers)[written].changed() != 1) return statements_.begin_anew(BeginAnew::conflict);
    if (event.state != row->state) {
        --work_tally_[row->state];
        ++work_tally_[event.state];
    }
    ++event.revision;
    auto& known = known_.at(event.sequence);
    known.revision = event.revision;
    known.state = event.state;
    known.holds_line = holds_line(event.state, event.out_of_order, row->line);
    known.has_payload = row->has_payload && !event.payload.empty();
    return {};
}

Result<void> PostgresInboxTransaction::rewrite(StoredEvent& event) {
    const auto row = unchanged_row(event);
    if (!row) return row.error();
    const auto owner = owners_of(event.key, {});
    if (!owner) return owner.error();
    if (owner->key && owner->key != event.sequence) return key_is_anothers();
    std::vector<PostgresStatement> statements;
    const bool leaves = row->holds_line && row->line != event.line;
    if (leaves) statements.push_back(lock_line(row->line));
    PostgresStatement rename{"update twiliowa.inbox_key set key = $1 where key = $2"};
    rename.values.bytes(event.key).bytes(row->key);
    const auto renamed = statements.size();
    statements.push_back(std::move(rename));
    statements.push_back(rewrite_event(event, place_of(row->state)));
    PostgresStatement payload{"delete from twiliowa.inbox_payload where event = $1"};
    payload.values.number(event.sequence);
    if (!event.payload.empty()) {
        payload.sql =
            "insert into twiliowa.inbox_payload (event, payload) values ($1, $2) "
            "on conflict (event) do update set payload = excluded.payload";
        payload.values.bytes(event.payload);
    }
    statements.push_back(std::move(payload));
    if (leaves) statements.push_back(clear_next(row->line));
    statements_.note_write();
    const auto answers = statements_.ask_all(statements);
    if (!answers) return answers.error();
    if ((*answers)[renamed].changed() != 1 || (*answers)[renamed + 1].changed() != 1) {
        return statements_.begin_anew(BeginAnew::conflict);
    }
    auto& known = known_.at(event.sequence);
    known.key = event.key;
    known.line = event.line;
    known.holds_line = holds_line(row->state, event.out_of_order, event.line);
    known.has_payload = !event.payload.empty();
    return save(event);
}

// ---- Whose turn it is

Result<std::vector<std::string>> PostgresInboxTransaction::ready_accounts(
    const ReadyAccountsQuery& query) {
    // From one account to the next, however many events each has, and no further than is asked for.
    static const auto sql_from = [](std::string_view begin) {
        const std::string columns =
            "select account_sid, behind, not_before, kind = 'message' as is_message "
            "from twiliowa.inbox_event where state = 0";
        const std::string first = " order by account_sid, behind, not_before, sequence limit 1)";
        return "with recursive accounts as ((" + columns + std::string{begin} + first +
               " union all select following.* from accounts cross join lateral (" + columns +
               " and (account_sid, behind) > (accounts.account_sid, true)" + first +
               " as following) select account_sid from accounts where not behind and "
               "not_before <= $1 and not ($2 and is_message) limit $3";
    };
    static const auto from_first = sql_from({});
    static const auto from_next = sql_from(" and (account_sid, behind) > ($4, true)");
    PostgresStatement select{query.after ? from_next : from_first};
    select.values.number(stored_time(query.now))
        .flag(query.without_messages)
        .number(row_limit(query.limit));
    if (query.after) select.values.bytes(*query.after);
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    std::vector<std::string> accounts;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        accounts.emplace_back(rows->bytes(row, 0));
    }
    return accounts;
}

Result<std::size_t> PostgresInboxTransaction::mark_behind(const ReadyEventsQuery& query) {
    // What somebody else has in hand is left for another time: nobody waits here.
    static const std::string sql =
        "with looked as materialized (select event.sequence, event.line, (select earlier.sequence "
        "from twiliowa.inbox_event as earlier where earlier.line = event.line and "
        "earlier.line <> '' and earlier.state < 2 and not earlier.out_of_order and "
        "earlier.sequence < event.sequence order by earlier.line, earlier.sequence limit 1) "
        "as before from (select sequence, line, out_of_order from twiliowa.inbox_event where "
        "state = 0 and not behind and account_sid = $3 and not_before <= $1 "
        "order by not_before, sequence limit $2) "
        "as event where event.line <> '' and not event.out_of_order), "
        "kept as materialized (select earlier.sequence, earlier.line from twiliowa.inbox_event as "
        "earlier where earlier.sequence in (select before from looked) and earlier.state < 2 and "
        "not earlier.out_of_order for share skip locked), "
        "waiting as materialized (select event.sequence from twiliowa.inbox_event as event join "
        "looked using (sequence) join kept on kept.sequence = looked.before and "
        "kept.line = looked.line where event.state = 0 and not event.behind and "
        "not event.out_of_order and event.line = looked.line for update of event skip locked) "
        "update twiliowa.inbox_event as event set behind = true from waiting "
        "where event.sequence = waiting.sequence";
    PostgresStatement mark{sql};
    mark.values.number(stored_time(query.now)).number(looked_at_once).bytes(query.account_sid);
    const auto marked = statements_.ask(mark);
    if (!marked) return marked.error();
    if (marked->changed() > 0) statements_.note_write();
    return marked->changed();
}

Result<std::vector<StoredEvent>> PostgresInboxTransaction::ready(const ReadyEventsQuery& query) {
    // What another transaction is taking up is passed over, and nobody waits. The rows are locked
    // in a fence, so that no plan locks more of them than the limit.
    static const auto sql = select_stored_events(
        event_rows_of(EventPlace::open,
                      "where event.state = 0 and not event.behind and "
                      "event.account_sid = $3 and event.not_before <= $1 and " +
                          std::string{is_free} +
                          " order by event.not_before, event.sequence limit $2 "
                          "for update of event skip locked"),
        "found.not_before, found.sequence");
    if (query.limit == 0) return std::vector<StoredEvent>{};
    for (int looks = 0; looks < most_looks_behind; ++looks) {
        const auto marked = mark_behind(query);
        if (!marked) return marked.error();
        if (*marked < many_behind) break;
    }
    PostgresStatement select{sql};
    select.values.number(stored_time(query.now))
        .number(row_limit(query.limit))
        .bytes(query.account_sid);
    return events_of(select);
}

Result<std::int64_t> PostgresInboxTransaction::waiting(std::string_view account_sid,
                                                       std::int64_t at_most) {
    PostgresStatement count{
        "select count(*) from (select from twiliowa.inbox_event where state = 0 and "
        "account_sid = $1 order by behind, not_before, sequence limit $2) as waiting"};
    count.values.bytes(account_sid).number(at_most);
    const auto rows = statements_.ask(count);
    if (!rows) return rows.error();
    return rows->number(0, 0);
}

Result<std::vector<StoredEvent>> PostgresInboxTransaction::abandoned(const LeaseTime& now,
                                                                     std::size_t limit) {
    static const auto sql = select_stored_events(
        event_rows_of(EventPlace::open,
                      "where event.state = 1 and (event.lease_boot <> $1 or event.lease_until <= "
                      "$2) order by event.sequence limit $3 for update of event skip locked"),
        "found.sequence");
    PostgresStatement select{sql};
    select.values.bytes(now.boot).number(now.microseconds).number(row_limit(limit));
    return events_of(select);
}

Result<std::optional<TimePoint>> PostgresInboxTransaction::time_of(const std::string& sql) {
    const auto rows = statements_.ask({sql});
    if (!rows) return rows.error();
    if (rows->empty()) return std::optional<TimePoint>{};
    return std::optional{time_of_stored(rows->number(0, 0))};
}

Result<std::optional<TimePoint>> PostgresInboxTransaction::next_due() {
    static const auto sql =
        "select event.not_before from twiliowa.inbox_event as event where event.state = 0 and not "
        "event.behind and event.sequence > 0 and " +
        std::string{is_free} + " order by event.not_before, event.sequence limit 1";
    return time_of(sql);
}

// ---- Lists, counts and times

Result<std::vector<StoredEvent>> PostgresInboxTransaction::list(const InboxFilter& filter) {
    PostgresStatement select;
    select.values.number(filter.after).number(row_limit(filter.limit));
    std::string where = "where event.sequence > $1";
    const auto position = [&] { return "$" + std::to_string(select.values.size()); };
    const auto equal = [&](std::string_view column, std::string_view value) {
        select.values.bytes(value);
        where.append(" and event.").append(column).append(" = ").append(position());
    };
    // Numbers of states stand in the text: a partial index is found by what a statement says.
    if (filter.state) {
        where += " and event.state = " + std::to_string(static_cast<int>(*filter.state));
    }
    if (!filter.kind.empty()) equal("kind", filter.kind);
    if (!filter.message_sid.empty()) {
        equal("message_sid", filter.message_sid);
        where += " and event.message_sid <> ''";
    }
    if (!filter.customers.empty()) {
        PostgresArray customers{PostgresType::bytes};
        for (const auto& customer : filter.customers) customers.add(customer);
        select.values.array(customers);
        where += " and event.customer <> '' and event.customer = any(" + position() + ")";
    }
    where += " order by event.sequence limit $2";
    std::string rows;
    for (const auto place : {EventPlace::open, EventPlace::done}) {
        if (filter.state && place_of(*filter.state) != place) continue;
        if (!rows.empty()) rows += " union all ";
        rows += "(" + event_rows_of(place, where) + ")";
    }
    select.sql = select_stored_events(
        "select * from (" + rows + ") as event order by sequence limit $2", "found.sequence");
    return events_of(select);
}

Result<std::map<InboxState, std::int64_t>> PostgresInboxTransaction::counts() {
    const auto rows = statements_.ask(
        {"select state, sum(events)::bigint, count(*) from twiliowa.inbox_tally group by state"});
    if (!rows) return rows.error();
    Tally counted;
    std::int64_t read = 0;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        counted[static_cast<InboxState>(rows->number(row, 0))] = rows->number(row, 1);
        read += rows->number(row, 2);
    }
    for (const auto* const pending : {&batch_tally_, &work_tally_}) {
        for (const auto& [state, events] : *pending) counted[state] += events;
    }
    std::erase_if(counted, [](const auto& each) { return each.second <= 0; });
    if (read > many_event_tallies) {
        if (auto folded = fold_tally(); !folded) return folded.error();
    }
    return counted;
}

/// Those that nobody else is folding.
Result<void> PostgresInboxTransaction::fold_tally() {
    const auto done = statements_.change(
        {"with old as (select ctid from twiliowa.inbox_tally limit 100000 for update skip locked), "
         "gone as (delete from twiliowa.inbox_tally where ctid = any(array(select ctid from old)) "
         "returning state, events) insert into twiliowa.inbox_tally (state, events) "
         "select state, sum(events) from gone group by state having sum(events) <> 0"});
    return done ? Result<void>{} : done.error();
}

Result<std::optional<TimePoint>> PostgresInboxTransaction::newest_arrival() {
    static const std::string sql =
        "select arrived_at from ((select sequence, arrived_at from twiliowa.inbox_event "
        "order by sequence desc limit 1) union all (select sequence, arrived_at from "
        "twiliowa.inbox_event_done order by sequence desc limit 1)) as newest "
        "order by sequence desc limit 1";
    return time_of(sql);
}

Result<std::optional<TimePoint>> PostgresInboxTransaction::oldest_waiting() {
    static const std::string sql =
        "select arrived_at from twiliowa.inbox_event where state < 2 order by sequence limit 1";
    return time_of(sql);
}

// ---- Erasing

Result<std::int64_t> PostgresInboxTransaction::redact(TimePoint before, std::size_t limit) {
    static const std::string sql =
        "with old as materialized (select updated_at, sequence from twiliowa.inbox_event_done "
        "where (has_payload or customer <> '') and updated_at < $1 order by updated_at limit $2), "
        "redacted as (update twiliowa.inbox_event_done as event set has_payload = false, "
        "customer = '', revision = revision + 1 from old where event.updated_at = old.updated_at "
        "and event.sequence = old.sequence and (event.has_payload or event.customer <> '') "
        "returning event.sequence), "
        "gone as (delete from twiliowa.inbox_payload where event in "
        "(select sequence from redacted)) select count(*) from redacted";
    PostgresStatement erase{sql};
    erase.values.number(stored_time(before)).number(row_limit(limit));
    const auto rows = statements_.change(erase);
    if (!rows) return rows.error();
    known_.clear();
    return rows->number(0, 0);
}

Result<std::int64_t> PostgresInboxTransaction::purge(TimePoint before,
                                                     std::optional<TimePoint> keys_before,
                                                     std::size_t limit) {
    static const std::string sql =
        "with old as materialized (select updated_at, sequence from twiliowa.inbox_event_done "
        "where updated_at < $1 order by updated_at limit $2), "
        "gone as (delete from twiliowa.inbox_event_done as event using old "
        "where event.updated_at = old.updated_at and event.sequence = old.sequence "
        "returning event.sequence, event.key, event.state), "
        "payloads as (delete from twiliowa.inbox_payload where event in "
        "(select sequence from gone)), "
        "keys as (update twiliowa.inbox_key as key set removed_at = $3 from gone "
        "where key.key = gone.key and key.event = gone.sequence), "
        "tally as (insert into twiliowa.inbox_tally (state, events) "
        "select state, -count(*) from gone group by state) select count(*) from gone";
    PostgresStatement tend{tend_days_sql("'inbox_event_done', $1, $2")};
    tend.values.number(stored_time(now_)).number(stored_time(before));
    if (const auto done = statements_.ask(tend); !done) return done.error();
    PostgresStatement erase{sql};
    erase.values.number(stored_time(before)).number(row_limit(limit)).number(stored_time(now_));
    const auto rows = statements_.change(erase);
    if (!rows) return rows.error();
    known_.clear();
    if (keys_before) {
        for (const auto* const forget :
             {"delete from twiliowa.inbox_signature where event in "
              "(select event from twiliowa.inbox_key where removed_at <= $1)",
              "delete from twiliowa.inbox_key where removed_at <= $1"}) {
            PostgresStatement erase_old{forget};
            erase_old.values.number(stored_time(*keys_before));
            if (const auto done = statements_.change(erase_old); !done) return done.error();
        }
    }
    if (auto folded = fold_tally(); !folded) return folded.error();
    return rows->number(0, 0);
}

}  // namespace twiliowa::detail
