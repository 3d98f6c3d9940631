/// @file
/// A StoredEvent's members as columns, in the order in which every engine keeps them.
#pragma once

#include <twiliowa/outbox/inbox_storage.hpp>

namespace twiliowa::detail {

/// What it is, from the sequence to the line. `Columns` gives one after the other.
template <class Columns>
void read_named(Columns& next, StoredEvent& event) {
    event.sequence = next.number();
    event.key = next.text();
    event.account_sid = next.text();
    event.kind = next.text();
    event.message_sid = next.text();
    event.line = next.text();
}

/// Where it is, from the state to the revision.
template <class Columns>
void read_course(Columns& next, StoredEvent& event) {
    event.state = next.template one_of<InboxState>();
    event.not_before = next.time();
    event.tries = next.small();
    event.fence = next.number();
    event.worker = next.text();
    event.lease_until.boot = next.text();
    event.lease_until.microseconds = next.number();
    event.out_of_order = next.flag();
    event.problem = next.text();
    event.updated_at = next.time();
    event.revision = next.number();
}

}  // namespace twiliowa::detail
