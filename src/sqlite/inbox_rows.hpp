/// @file
/// A StoredEvent as a row of the table of inbox_schema.cpp.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/outbox/inbox_storage.hpp>

#include "sqlite/connection.hpp"

namespace twiliowa::detail {

/// What read_event reads, in its order.
inline constexpr std::string_view event_columns =
    "sequence, key, account_sid, kind, message_sid, line, customer, caught_up, arrived_at, state, "
    "not_before, tries, fence, worker, lease_boot, lease_until, out_of_order, problem, updated_at, "
    "revision, payload";
StoredEvent read_event(const SqliteStatement& row);

/// Inserts an event in state waiting; the values are those of bind_new_event.
std::string insert_event_sql();
void bind_new_event(SqliteStatement& insert, const StoredEvent& event);

/// Writes key, line, customer and payload, and its place in its line; the values are those of
/// bind_rewritten_event.
std::string rewrite_event_sql();
void bind_rewritten_event(SqliteStatement& update, const StoredEvent& event);

/// What becomes of an event's place in its line.
enum class PlaceInLine {
    none = 0,  ///< It has none: it is over, out of order, or in no line.
    kept = 1,
    found = 2,  ///< Behind an earlier one, if there is any.
};

/// Writes where an event is, if its revision is what was read, and erases what is empty of it; the
/// values are those of bind_changed_event.
const std::string& update_event_sql(const StoredEvent& event);
void bind_changed_event(SqliteStatement& update, const StoredEvent& event, PlaceInLine place);

}  // namespace twiliowa::detail
