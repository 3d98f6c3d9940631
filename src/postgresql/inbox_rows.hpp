/// @file
/// A StoredEvent as rows of the tables of inbox_schema.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <twiliowa/outbox/inbox_storage.hpp>

#include "postgresql/connection.hpp"

namespace twiliowa::detail {

/// Where the row of an event is.
enum class EventPlace {
    open,  ///< twiliowa.inbox_event
    done,  ///< twiliowa.inbox_event_done
};
constexpr EventPlace place_of(InboxState state) noexcept {
    return state == InboxState::done || state == InboxState::dropped ? EventPlace::done
                                                                     : EventPlace::open;
}
std::string_view table_of(EventPlace place) noexcept;

/// All columns of an event's row, of `alias`.
std::string event_row_columns(std::string_view alias);
/// Events whose rows `rows` selects, with their payloads: what `read_event` reads.
std::string select_stored_events(const std::string& rows, std::string_view order);
StoredEvent read_event(const PostgresRows& rows, std::size_t row);

/// Inserts an event in state waiting, with its key and its payload, under the next sequence, which
/// it gives. No row: the key is known by now, and what was inserted has to be rolled back.
PostgresStatement insert_event(const StoredEvent& event);
/// Writes where an event is, from a row of one place to one of the same or the other, and erases
/// its customer if it is empty; its revision is then the next. One row is changed if it was of that
/// revision.
PostgresStatement write_event(const StoredEvent& event, EventPlace from);
/// Writes key, line and customer of the row of that revision, and whether there is a payload.
PostgresStatement rewrite_event(const StoredEvent& event, EventPlace place);

}  // namespace twiliowa::detail
