#include "postgresql/inbox_rows.hpp"

#include <map>
#include <utility>

#include "outbox/event_columns.hpp"
#include "outbox/job_values.hpp"
#include "postgresql/row_columns.hpp"

namespace twiliowa::detail {

namespace {

/// What never changes, but by `rewrite`.
constexpr ColumnName arrived_columns[] = {
    {"sequence", number_array}, {"key", bytes_array},         {"account_sid", bytes_array},
    {"kind", bytes_array},      {"message_sid", bytes_array}, {"line", bytes_array},
    {"caught_up", flag_array},  {"arrived_at", number_array}};

/// What may be erased: `customer`, and whether there is a payload.
constexpr ColumnName erasable_columns[] = {{"customer", bytes_array}, {"has_payload", flag_array}};

/// In the order of `add_course`.
constexpr ColumnName course_columns[] = {
    {"state", number_array},       {"not_before", number_array}, {"tries", number_array},
    {"fence", number_array},       {"worker", bytes_array},      {"lease_boot", bytes_array},
    {"lease_until", number_array}, {"out_of_order", flag_array}, {"problem", bytes_array},
    {"updated_at", number_array},  {"revision", number_array}};

/// Which row, and what of it stays.
constexpr ColumnName row_columns_read[] = {{"read_sequence", number_array},
                                           {"read_revision", number_array},
                                           {"keeps_customer", flag_array},
                                           {"keeps_payload", flag_array}};

void add_course(ColumnArrays& row, const StoredEvent& event) {
    row.one_of(event.state);
    row.time(event.not_before);
    row.number(event.tries);
    row.number(event.fence);
    row.bytes(event.worker);
    row.bytes(event.lease_until.boot);
    row.number(event.lease_until.microseconds);
    row.flag(event.out_of_order);
    row.bytes(event.problem);
    row.time(event.updated_at);
    row.number(event.revision + 1);
}

/// The row that was sent, as `changed`.
const std::string& changed_event() {
    static const auto sql = unnest({row_columns_read, course_columns}) + " as changed(" +
                            list_of(row_columns_read, {}) + ", " + list_of(course_columns, {}) +
                            ")";
    return sql;
}

constexpr std::string_view of_that_revision =
    " where event.sequence = read_sequence and event.revision = read_revision";
/// The erasable columns, of what the row had and what is kept of it.
constexpr std::string_view what_is_kept =
    "case when keeps_customer then event.customer else '' end, "
    "event.has_payload and keeps_payload";

}  // namespace

std::string_view table_of(EventPlace place) noexcept {
    return place == EventPlace::open ? "twiliowa.inbox_event" : "twiliowa.inbox_event_done";
}

std::string event_row_columns(std::string_view alias) {
    return list_of(arrived_columns, alias) + ", " + list_of(erasable_columns, alias) + ", " +
           list_of(course_columns, alias);
}

std::string select_stored_events(const std::string& rows, std::string_view order) {
    return "with found as materialized (" + rows + ") select " + event_row_columns("found") +
           ", payload.payload from found" +
           beside_found("twiliowa.inbox_payload as payload", "event") + " order by " +
           std::string{order};
}

StoredEvent read_event(const PostgresRows& rows, std::size_t row) {
    PostgresColumns next{rows, row};
    StoredEvent event;
    read_named(next, event);
    event.caught_up = next.flag();
    event.arrived_at = next.time();
    event.customer = next.text();
    static_cast<void>(next.flag());  // has_payload: the payload tells.
    read_course(next, event);
    event.payload = next.text();
    return event;
}

PostgresStatement insert_event(const StoredEvent& event) {
    PostgresStatement insert{
        "with new as (insert into twiliowa.inbox_event (key, account_sid, kind, message_sid, line, "
        "customer, caught_up, arrived_at, not_before, updated_at, has_payload) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 <> '') returning sequence), "
        "texts as (insert into twiliowa.inbox_payload (event, payload) "
        "select sequence, $11 from new where $11 <> '') "
        "insert into twiliowa.inbox_key (key, event) select $1, sequence from new "
        "on conflict do nothing returning event"};
    insert.values.bytes(event.key)
        .bytes(event.account_sid)
        .bytes(event.kind)
        .bytes(event.message_sid)
        .bytes(event.line)
        .bytes(event.customer)
        .flag(event.caught_up)
        .number(stored_time(event.arrived_at))
        .number(stored_time(event.not_before))
        .number(stored_time(event.updated_at))
        .bytes(event.payload);
    return insert;
}

PostgresStatement write_event(const StoredEvent& event, EventPlace from) {
    // Whoever has come to a place anew is looked at anew.
    static const auto stays =
        "update twiliowa.inbox_event as event set (" + list_of(erasable_columns, {}) + ") = row(" +
        std::string{what_is_kept} + "), " + settings_of(course_columns, "changed") +
        ", behind = false from " + changed_event() + std::string{of_that_revision};
    static const auto moves = [] {
        std::map<std::pair<EventPlace, EventPlace>, std::string> all;
        for (const auto source : {EventPlace::open, EventPlace::done}) {
            for (const auto target : {EventPlace::open, EventPlace::done}) {
                all[{source, target}] =
                    "with moved as (delete from " + std::string{table_of(source)} +
                    " as event using " + changed_event() + std::string{of_that_revision} +
                    " returning " + list_of(arrived_columns, "event") + ", " +
                    std::string{what_is_kept} + ", " + list_of(course_columns, "changed") +
                    ") insert into " + std::string{table_of(target)} + " (" +
                    event_row_columns({}) + ") select * from moved";
            }
        }
        return all;
    }();
    ColumnArrays row;
    row.number(event.sequence);
    row.number(event.revision);
    row.flag(!event.customer.empty());
    row.flag(!event.payload.empty());
    add_course(row, event);
    const auto to = place_of(event.state);
    const bool is_open = from == EventPlace::open && to == EventPlace::open;
    return {is_open ? stays : moves.at({from, to}), row.values()};
}

PostgresStatement rewrite_event(const StoredEvent& event, EventPlace place) {
    PostgresStatement update{"update " + std::string{table_of(place)} +
                             " set key = $1, line = $2, customer = $3, has_payload = $4 "
                             "where sequence = $5 and revision = $6"};
    update.values.bytes(event.key)
        .bytes(event.line)
        .bytes(event.customer)
        .flag(!event.payload.empty())
        .number(event.sequence)
        .number(event.revision);
    return update;
}

}  // namespace twiliowa::detail
