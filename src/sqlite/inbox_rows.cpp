#include "sqlite/inbox_rows.hpp"

#include <array>

#include "outbox/event_columns.hpp"
#include "sqlite/row_values.hpp"

namespace twiliowa::detail {

namespace {

/// Whether one of line `line` that is `earlier` waits or runs, in order. Each by its index.
std::string behind_sql(const std::string& line, const std::string& earlier) {
    const auto is_there = [&](const char* state) {
        return "exists (select 1 from inbox_event as other where other.line = " + line +
               " and other.line <> '' and other.state = " + state + " and other.out_of_order = 0" +
               earlier + ")";
    };
    return '(' + is_there("0") + " or " + is_there("1") + ')';
}

std::string update_event_sql(bool erase_payload, bool erase_customer) {
    return std::string{"update inbox_event set "} + (erase_payload ? "payload = '', " : "") +
           (erase_customer ? "customer = '', " : "") +
           "state = ?1, not_before = ?2, tries = ?3, fence = ?4, worker = ?5, lease_boot = ?6, "
           "lease_until = ?7, out_of_order = ?8, problem = ?9, updated_at = ?10, "
           "behind = case ?11 when 0 then 0 when 1 then behind else " +
           behind_sql("inbox_event.line", " and other.sequence < ?12") +
           " end, revision = revision + 1 where sequence = ?12 and revision = ?13";
}

}  // namespace

StoredEvent read_event(const SqliteStatement& row) {
    ColumnReader next{row};
    StoredEvent event;
    read_named(next, event);
    event.customer = next.text();
    event.caught_up = next.flag();
    event.arrived_at = next.time();
    read_course(next, event);
    event.payload = next.text();
    return event;
}

std::string insert_event_sql() {
    return "insert into inbox_event (key, account_sid, kind, message_sid, line, customer, "
           "caught_up, arrived_at, not_before, updated_at, payload, behind) "
           "values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, " +
           behind_sql("?5", "") + ")";
}

void bind_new_event(SqliteStatement& insert, const StoredEvent& event) {
    ValueWriter next{insert};
    next.text(event.key);
    next.text(event.account_sid);
    next.text(event.kind);
    next.text(event.message_sid);
    next.text(event.line);
    next.text(event.customer);
    next.flag(event.caught_up);
    next.time(event.arrived_at);
    next.time(event.not_before);
    next.time(event.updated_at);
    next.text(event.payload);
}

std::string rewrite_event_sql() {
    return "update inbox_event set key = ?1, line = ?2, customer = ?3, payload = ?4, behind = " +
           behind_sql("?2", " and other.sequence < ?5") + " where sequence = ?5";
}

void bind_rewritten_event(SqliteStatement& update, const StoredEvent& event) {
    ValueWriter next{update};
    next.text(event.key);
    next.text(event.line);
    next.text(event.customer);
    next.text(event.payload);
    next.number(event.sequence);
}

const std::string& update_event_sql(const StoredEvent& event) {
    static const std::array<std::string, 4> sql{
        update_event_sql(false, false), update_event_sql(false, true),
        update_event_sql(true, false), update_event_sql(true, true)};
    return sql[(event.payload.empty() ? 2U : 0U) + (event.customer.empty() ? 1U : 0U)];
}

void bind_changed_event(SqliteStatement& update, const StoredEvent& event, PlaceInLine place) {
    ValueWriter next{update};
    next.one_of(event.state);
    next.time(event.not_before);
    next.number(event.tries);
    next.number(event.fence);
    next.text(event.worker);
    next.text(event.lease_until.boot);
    next.number(event.lease_until.microseconds);
    next.flag(event.out_of_order);
    next.text(event.problem);
    next.time(event.updated_at);
    next.one_of(place);
    next.number(event.sequence);
    next.number(event.revision);
}

}  // namespace twiliowa::detail
