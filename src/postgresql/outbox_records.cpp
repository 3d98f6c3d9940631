#include "postgresql/outbox_transaction.hpp"

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

// ---- Outcomes

Result<void> PostgresOutboxTransaction::add_outcome(const StoredOutcome& outcome) {
    const auto known = known_job(outcome.job);
    if (!known) return known.error();
    // Of a job that is gone there is nothing to tell.
    if (*known == nullptr) return {};
    work_.outcomes.push_back(outcome);
    return {};
}

Result<std::vector<StoredOutcome>> PostgresOutboxTransaction::read_outcomes(std::int64_t after,
                                                                            std::size_t limit) {
    PostgresStatement select{
        "select cursor, job, outcome, at from twiliowa.outcome "
        "where cursor > $1 order by cursor limit $2"};
    select.values.number(after).number(row_limit(limit));
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    std::vector<StoredOutcome> found;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        found.push_back({rows->number(row, 0), read_job_id(rows->bytes(row, 1)),
                         static_cast<Outcome>(rows->number(row, 2)),
                         time_of_stored(rows->number(row, 3))});
    }
    return found;
}

Result<std::vector<StoredOutcome>> PostgresOutboxTransaction::outcomes(std::int64_t after,
                                                                       std::size_t limit) {
    if (auto sent = flush(); !sent) return sent.error();
    auto found = read_outcomes(after, limit);
    if (!found || found->size() >= limit) return found;
    const auto unread =
        statements_.ask({"select 1 from twiliowa.outcome where cursor is null limit 1"});
    if (!unread) return unread.error();
    if (unread->empty()) return found;
    // One at a time, until the commit: what has a cursor can be seen before what has a later one.
    const auto locked = statements_.change({"select told from twiliowa.outbox for update"});
    if (!locked) return locked.error();
    PostgresStatement give{
        "update twiliowa.outcome as outcome set cursor = given.cursor from (select id, "
        "nextval('twiliowa.outcome_cursor') as cursor from (select id from twiliowa.outcome where "
        "cursor is null order by id limit $1) as unread) as given where outcome.id = given.id"};
    give.values.number(row_limit(limit));
    if (const auto given = statements_.change(give); !given) return given.error();
    return read_outcomes(after, limit);
}

Result<std::int64_t> PostgresOutboxTransaction::told() {
    const auto rows = statements_.ask({"select told from twiliowa.outbox"});
    if (!rows) return rows.error();
    return rows->number(0, 0);
}

Result<void> PostgresOutboxTransaction::set_told(std::int64_t cursor) {
    PostgresStatement update{"update twiliowa.outbox set told = greatest(told, $1)"};
    update.values.number(cursor);
    const auto done = statements_.change(update);
    return done ? Result<void>{} : done.error();
}

// ---- Pauses and facts

Result<std::vector<Pause>> PostgresOutboxTransaction::pauses() {
    const auto rows =
        statements_.ask({"select place, name, reason, since from twiliowa.pause order by id"});
    if (!rows) return rows.error();
    std::vector<Pause> found;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        found.push_back({static_cast<Pause::Of>(rows->number(row, 0)),
                         std::string{rows->bytes(row, 1)}, std::string{rows->bytes(row, 2)},
                         time_of_stored(rows->number(row, 3))});
    }
    return found;
}

Result<void> PostgresOutboxTransaction::pause(const Pause& pause) {
    PostgresStatement insert{
        "insert into twiliowa.pause (place, name, reason, since) values ($1, $2, $3, $4) "
        "on conflict (place, name) do update set reason = excluded.reason, since = excluded.since"};
    insert.values.number(static_cast<std::int64_t>(pause.of))
        .bytes(pause.name)
        .bytes(pause.reason)
        .number(stored_time(pause.since));
    const auto done = statements_.change(insert);
    return done ? Result<void>{} : done.error();
}

Result<void> PostgresOutboxTransaction::resume(Pause::Of of, std::string_view name) {
    PostgresStatement erase{"delete from twiliowa.pause where place = $1 and name = $2"};
    erase.values.number(static_cast<std::int64_t>(of)).bytes(name);
    const auto done = statements_.change(erase);
    return done ? Result<void>{} : done.error();
}

Result<std::string> PostgresOutboxTransaction::fact(std::string_view name) {
    if (const auto known = facts_.find(name); known != facts_.end()) return known->second;
    PostgresStatement select{"select value from twiliowa.fact where name = $1"};
    select.values.bytes(name);
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    std::string value{rows->empty() ? std::string_view{} : rows->bytes(0, 0)};
    facts_.emplace(name, value);
    return value;
}

Result<void> PostgresOutboxTransaction::set_fact(std::string_view name, std::string_view value) {
    const auto before = fact(name);
    if (!before) return before.error();
    sets_facts_ = true;
    if (*before == value) return {};
    PostgresStatement set;
    set.values.bytes(name);
    if (value.empty()) {
        set.sql = "delete from twiliowa.fact where name = $1 and value = $2";
        set.values.bytes(*before);
    } else if (before->empty()) {
        set.sql = "insert into twiliowa.fact (name, value) values ($1, $2) on conflict do nothing";
        set.values.bytes(value);
    } else {
        set.sql = "update twiliowa.fact set value = $3 where name = $1 and value = $2";
        set.values.bytes(*before).bytes(value);
    }
    const auto done = statements_.change(set);
    if (!done) return done.error();
    if (done->changed() != 1) return statements_.begin_anew(BeginAnew::conflict);
    facts_.insert_or_assign(std::string{name}, std::string{value});
    return {};
}

}  // namespace twiliowa::detail
