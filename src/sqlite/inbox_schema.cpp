#include "sqlite/inbox_schema.hpp"

namespace twiliowa::detail {

namespace {

// As outbox_schema.cpp; numbers are those of the enumerations in outbox/inbox_storage.hpp.
constexpr const char* inbox_tables_sql = R"(
-- Of what version this library's tables are: the file's header belongs to whose file it is.
create table twiliowa_schema (
    component text primary key check (component <> ''),
    version integer not null default 1 check (version >= 1)
) strict, without rowid;

create table inbox_event (
    sequence integer primary key autoincrement,
    key text not null check (length(cast(key as blob)) between 1 and 1000),
    account_sid text not null default '' check (length(cast(account_sid as blob)) <= 1000),
    kind text not null default '' check (length(cast(kind as blob)) <= 1000),
    message_sid text not null default '' check (length(cast(message_sid as blob)) <= 1000),
    line text not null default '' check (length(cast(line as blob)) <= 1000),
    customer text not null default '' check (length(cast(customer as blob)) <= 1000),
    caught_up integer not null default 0 check (caught_up in (0, 1)),
    arrived_at integer not null default (cast(strftime('%s', 'now') as integer) * 1000000),
    state integer not null default 0 check (state between 0 and 4),
    not_before integer not null default (cast(strftime('%s', 'now') as integer) * 1000000),
    tries integer not null default 0 check (tries >= 0),
    fence integer not null default 0 check (fence >= 0),
    worker text not null default '',
    lease_boot text not null default '',
    lease_until integer not null default 0,
    out_of_order integer not null default 0 check (out_of_order in (0, 1)),
    problem text not null default '',
    updated_at integer not null default (cast(strftime('%s', 'now') as integer) * 1000000),
    revision integer not null default 1 check (revision >= 1),
    -- Whether an earlier event of its line is certainly in the way. The first of a line that is
    -- neither over nor out of order never is.
    behind integer not null default 0 check (behind in (0, 1)),
    -- The last, so that nobody who reads the others walks over its pages.
    payload text not null default ''
) strict;
create index inbox_event_ready on inbox_event (behind, not_before, sequence) where state = 0;
create index inbox_event_line on inbox_event (line, sequence)
    where state = 0 and out_of_order = 0 and line <> '';
create index inbox_event_running on inbox_event (line, sequence)
    where state = 1 and out_of_order = 0 and line <> '';
create index inbox_event_lease on inbox_event (lease_boot, lease_until, sequence) where state = 1;
create index inbox_event_open on inbox_event (sequence) where state < 2;
create index inbox_event_stopped on inbox_event (state, sequence) where state in (3, 4);
create index inbox_event_changed on inbox_event (updated_at, sequence) where state in (2, 4);
create index inbox_event_legible on inbox_event (updated_at, sequence)
    where state in (2, 4) and (payload <> '' or customer <> '');
create index inbox_event_customer on inbox_event (customer, sequence) where customer <> '';
create index inbox_event_message on inbox_event (message_sid, sequence) where message_sid <> '';

-- These two outlive the events: who comes again with a key, and with which event a signature came
-- first.
create table inbox_key (
    key text primary key check (length(cast(key as blob)) between 1 and 1000),
    event integer not null,
    removed_at integer default null
) strict, without rowid;
create index inbox_key_removed on inbox_key (removed_at) where removed_at is not null;
create table inbox_signature (
    signature blob primary key check (length(signature) between 1 and 1000),
    event integer not null
) strict, without rowid;
create index inbox_signature_event on inbox_signature (event);

-- How many events are in each state: kept by whoever changes one, whom a wrong count does not stop.
create table inbox_tally (
    state integer primary key check (state between 0 and 4),
    events integer not null default 0
) strict;
insert into inbox_tally (state) values (0), (1), (2), (3), (4);
)";

// What waits of an account, and how the next account is found. Rows are not written anew.
constexpr const char* inbox_turns_sql = R"(
create index inbox_event_account on inbox_event (account_sid, behind, not_before, sequence)
    where state = 0;
)";

}  // namespace

const char* inbox_tables() noexcept {
    return inbox_tables_sql;
}

const char* inbox_turns() noexcept {
    return inbox_turns_sql;
}

}  // namespace twiliowa::detail
