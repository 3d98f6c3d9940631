#include "sqlite/outbox_schema.hpp"

#include <array>

#include "sqlite/inbox_schema.hpp"

namespace twiliowa::detail {

namespace {

// Numbers are those of the enumerations in outbox/job.hpp; times are microseconds since 1970, UTC;
// leases count microseconds since the machine's start. Texts may hold any bytes, and are compared
// by them. Names begin with `outbox`, `inbox` or `twiliowa`, so that a program may keep tables of
// its own in the file.
//
// Each index is there for one question, and partial: what is final costs those who work nothing.
constexpr const char* outbox_tables = R"(
create table outbox (
    id integer primary key check (id = 1),
    outbox_id integer not null,
    told integer not null default 0
) strict;
insert into outbox (id, outbox_id) values (1, random() & 4294967295);

-- A row whose content_hash is null came through outbox_message, and is no job before an Outbox has
-- completed it. There are no triggers here: each would cost every change a journal of its own.
create table outbox_job (
    sequence integer primary key autoincrement,
    id blob not null unique default (randomblob(10)) check (length(id) = 10),
    tenant text not null default '' check (length(cast(tenant as blob)) <= 1000),
    key text not null default (lower(hex(randomblob(10))))
        check (length(cast(key as blob)) between 1 and 1000),
    content_hash text default null check (content_hash <> ''),
    tag text not null default '' check (length(cast(tag as blob)) <= 1000),
    account text not null default '' check (length(cast(account as blob)) <= 1000),
    sender text not null default '' check (length(cast(sender as blob)) <= 1000),
    customer text not null default '' check (length(cast(customer as blob)) <= 1000),
    order_key text not null default '' check (length(cast(order_key as blob)) <= 1000),
    lane integer not null default 2 check (lane between 0 and 3),
    on_unknown text not null default 'hold' check (on_unknown in ('hold', 'drop')
        or on_unknown glob 'drop:[0-9]*' or on_unknown glob 'resend_*'),
    expires_at integer default null,
    created_at integer not null default (cast(strftime('%s', 'now') as integer) * 1000000),
    state integer not null default 0 check (state between 0 and 9),
    reason integer not null default 0 check (reason between 0 and 5),
    not_before integer not null default (cast(strftime('%s', 'now') as integer) * 1000000),
    fence integer not null default 0 check (fence >= 0),
    worker text not null default '',
    lease_boot text not null default '',
    lease_until integer default null check (lease_until is not null or state not in (1, 2)),
    tries integer not null default 0 check (tries >= 0),
    sid text not null default '',
    evidence integer not null default 0 check (evidence between 0 and 4),
    status text not null default '',
    price text not null default '',
    price_unit text not null default '',
    error_code integer not null default 0,
    problem text not null default '',
    doubles text not null default '',
    candidates text not null default '',
    unknown_since integer default null,
    looks integer not null default 0 check (looks >= 0),
    looks_answered integer not null default 0 check (looks_answered >= 0),
    last_answer integer default null,
    next_look integer default null,
    suspect_since integer default null,
    decided_by text not null default '',
    decided_why text not null default '',
    decided_at integer default null,
    cancel_requested integer not null default 0 check (cancel_requested in (0, 1)),
    updated_at integer not null default (cast(strftime('%s', 'now') as integer) * 1000000),
    revision integer not null default 1 check (revision >= 1),
    attempts integer not null default 0 check (attempts >= 0),
    -- Whether an earlier job of its order_key is certainly in the way. The first of an order_key that
    -- is neither held nor done never is.
    behind integer not null default 0 check (behind in (0, 1)),
    -- The last, so that nobody who reads the others walks over its pages.
    payload text not null default '' check (payload <> '' or content_hash is not null)
) strict;
create index outbox_job_ready
    on outbox_job (sender, lane, tenant, account, behind, not_before, sequence)
    where state = 0 and suspect_since is null and content_hash is not null;
create index outbox_job_waiting on outbox_job (sequence) where state = 0;
create index outbox_job_doubtful on outbox_job (state, sequence) where state in (3, 4);
create index outbox_job_order on outbox_job (tenant, order_key, sequence)
    where state < 5 and order_key <> '';
create index outbox_job_lease on outbox_job (lease_boot, lease_until, updated_at, sequence)
    where lease_until is not null;
create index outbox_job_look on outbox_job (next_look, sequence) where next_look is not null;
create index outbox_job_expiry on outbox_job (expires_at, sequence)
    where state = 0 and expires_at is not null;
create index outbox_job_suspect on outbox_job (sequence) where suspect_since is not null;
create index outbox_job_stranger on outbox_job (sequence) where content_hash is null;
create index outbox_job_changed on outbox_job (state, updated_at, sequence) where state >= 5;
create index outbox_job_legible on outbox_job (updated_at, sequence)
    where state >= 6 and payload <> '';
create index outbox_job_sid on outbox_job (sid) where sid <> '';
create index outbox_job_customer on outbox_job (customer, sequence) where customer <> '';
create index outbox_job_tag on outbox_job (tag, sequence) where tag <> '';

-- These two outlive the jobs: who comes again with a key, and whose marker it was.
create table outbox_key (
    tenant text not null,
    key text not null,
    job_id blob not null,
    content_hash text not null default '',
    removed_at integer default null,
    primary key (tenant, key)
) strict, without rowid;
create index outbox_key_removed on outbox_key (removed_at) where removed_at is not null;
create table outbox_marker (
    job_id blob not null check (length(job_id) = 10),
    nonce blob not null check (length(nonce) = 6),
    number integer not null,
    removed_at integer not null,
    primary key (job_id, nonce)
) strict, without rowid;
create index outbox_marker_removed on outbox_marker (removed_at);

-- These go with their job, by its sequence: rows of one time lie together, and a commit of many
-- jobs writes few pages, however large the file is.
create table outbox_attempt (
    job integer not null,
    nonce blob not null check (length(nonce) = 6),
    number integer not null check (number >= 1),
    state integer not null default 0 check (state between 0 and 2),
    started_at integer not null,
    account_sid text not null default '',
    sid text not null default '',
    evidence integer not null default 0 check (evidence between 0 and 4),
    http_status integer not null default 0,
    error_code integer not null default 0,
    problem text not null default '',
    may_duplicate integer not null default 0 check (may_duplicate in (0, 1)),
    marked integer not null default 0 check (marked in (0, 1)),
    primary key (job, nonce)
) strict, without rowid;
create table outbox_outcome (
    cursor integer primary key autoincrement,
    job integer not null,
    outcome integer not null check (outcome between 0 and 7),
    at integer not null
) strict;
create index outbox_outcome_job on outbox_outcome (job);
create table outbox_pause (
    place integer not null check (place between 0 and 3),
    name text not null,
    reason text not null default '',
    since integer not null,
    primary key (place, name)
) strict;
create table outbox_fact (name text primary key, value text not null) strict, without rowid;

-- How many jobs of each tenant are in each state: kept by whoever changes a job.
create table outbox_tally (
    tenant text not null,
    state integer not null,
    jobs integer not null,
    primary key (tenant, state)
) strict, without rowid;

-- The door for other programs, in their own transactions:
--     insert into outbox_message (key, payload) values (?, ?)
-- A key that is known aborts it, and so does what is no job, whatever it says of conflicts: its
-- policy would reach into the trigger.
create view outbox_message as
    select tenant, key, tag, account, lane, on_unknown, not_before, expires_at, order_key, payload
    from outbox_job where content_hash is null and state = 0;
create trigger outbox_message_handed_over instead of insert on outbox_message begin
    select raise(abort, 'outbox_message.key: there is a job of that key') where exists (
        select 1 from outbox_key where tenant = coalesce(new.tenant, '') and key = new.key);
    insert into outbox_job (tenant, key, tag, account, lane, on_unknown, not_before, expires_at,
        order_key, payload, behind)
    values (coalesce(new.tenant, ''), coalesce(new.key, lower(hex(randomblob(10)))),
        coalesce(new.tag, ''), coalesce(new.account, ''), coalesce(new.lane, 2),
        coalesce(new.on_unknown, 'hold'),
        coalesce(new.not_before, cast(strftime('%s', 'now') as integer) * 1000000), new.expires_at,
        coalesce(new.order_key, ''), coalesce(new.payload, ''), exists (
            select 1 from outbox_job where tenant = coalesce(new.tenant, '')
                and order_key = new.order_key and order_key <> '' and state < 5 and state <> 4));
    select raise(abort, 'outbox_message: is no job') where changes() = 0;
    insert into outbox_key (tenant, key, job_id)
        select tenant, key, id from outbox_job where sequence = last_insert_rowid();
    insert into outbox_tally select coalesce(new.tenant, ''), 0, 0 where not exists (
        select 1 from outbox_tally where tenant = coalesce(new.tenant, '') and state = 0);
    update outbox_tally set jobs = jobs + 1 where tenant = coalesce(new.tenant, '') and state = 0;
end;
)";

// What jobs have used of quotas. In outbox_job `counted` says where each attempt was counted: the
// sum of what counts there is what outbox_quota_count says.
constexpr const char* outbox_quota_tables = R"(
alter table outbox_job add column quota text not null default ''
    check (length(cast(quota as blob)) <= 1000);
alter table outbox_job add column cost integer not null default 0 check (cost >= 0);
alter table outbox_job add column counted text not null default '';
create table outbox_quota_count (
    quota text not null,
    period integer not null check (period >= 0),
    began_at integer not null,
    used integer not null check (used >= 0),
    peak integer not null,
    keep_until integer not null,
    primary key (quota, period, began_at)
) strict, without rowid;
create index outbox_quota_count_keep_until on outbox_quota_count (keep_until);

-- The door, with a quota: `cost` in thousandths.
drop trigger outbox_message_handed_over;
drop view outbox_message;
create view outbox_message as
    select tenant, key, tag, account, lane, on_unknown, not_before, expires_at, order_key, quota,
        cost, payload
    from outbox_job where content_hash is null and state = 0;
create trigger outbox_message_handed_over instead of insert on outbox_message begin
    select raise(abort, 'outbox_message.key: there is a job of that key') where exists (
        select 1 from outbox_key where tenant = coalesce(new.tenant, '') and key = new.key);
    insert into outbox_job (tenant, key, tag, account, lane, on_unknown, not_before, expires_at,
        order_key, quota, cost, payload, behind)
    values (coalesce(new.tenant, ''), coalesce(new.key, lower(hex(randomblob(10)))),
        coalesce(new.tag, ''), coalesce(new.account, ''), coalesce(new.lane, 2),
        coalesce(new.on_unknown, 'hold'),
        coalesce(new.not_before, cast(strftime('%s', 'now') as integer) * 1000000), new.expires_at,
        coalesce(new.order_key, ''), coalesce(new.quota, ''),
        iif(coalesce(new.quota, '') = '', 0, coalesce(new.cost, 1000)), coalesce(new.payload, ''),
        exists (
            select 1 from outbox_job where tenant = coalesce(new.tenant, '')
                and order_key = new.order_key and order_key <> '' and state < 5 and state <> 4));
    select raise(abort, 'outbox_message: is no job') where changes() = 0;
    insert into outbox_key (tenant, key, job_id)
        select tenant, key, id from outbox_job where sequence = last_insert_rowid();
    insert into outbox_tally select coalesce(new.tenant, ''), 0, 0 where not exists (
        select 1 from outbox_tally where tenant = coalesce(new.tenant, '') and state = 0);
    update outbox_tally set jobs = jobs + 1 where tenant = coalesce(new.tenant, '') and state = 0;
end;
)";

// Jobs that are recipients of campaigns, chains of them, and what jobs cost. SQLite cannot change
// the check of `reason` without writing the table anew: what came later than that is in
// `later_reason`, and `reason` is 0 then.
constexpr const char* outbox_campaign_tables = R"(
alter table outbox_job add column campaign text not null default ''
    check (length(cast(campaign as blob)) <= 100);
alter table outbox_job add column variant integer not null default 0;
alter table outbox_job add column step integer not null default 0;
alter table outbox_job add column spend integer not null default 0;
alter table outbox_job add column chain_due integer default null;
alter table outbox_job add column price_due integer default null;
alter table outbox_job add column later_reason integer default null
    check (later_reason is null or (later_reason > 5 and reason = 0));
drop index outbox_job_ready;
create index outbox_job_ready
    on outbox_job (sender, lane, tenant, account, campaign, behind, not_before, sequence)
    where state = 0 and suspect_since is null and content_hash is not null;
create index outbox_job_campaign on outbox_job (campaign, sequence) where campaign <> '';
create index outbox_job_chain on outbox_job (chain_due, sequence) where chain_due is not null;
create index outbox_job_price on outbox_job (price_due, sequence) where price_due is not null;

create table outbox_campaign (
    id text not null unique check (length(cast(id as blob)) between 1 and 100),
    tenant text not null default '' check (length(cast(tenant as blob)) <= 1000),
    state integer not null default 0 check (state >= 0),
    definition text not null default '' check (length(cast(definition as blob)) <= 262144),
    problem text not null default '',
    course text not null default '',
    created_at integer not null,
    updated_at integer not null,
    revision integer not null default 1 check (revision >= 1)
) strict;
-- How many jobs of a campaign are alike, and were: kept by whoever changes a job, and not lowered
-- when one is removed.
create table outbox_campaign_count (
    campaign text not null,
    variant integer not null,
    step integer not null,
    state integer not null,
    reason integer not null,
    jobs integer not null,
    spend integer not null,
    primary key (campaign, variant, step, state, reason)
) strict, without rowid;
)";

}  // namespace

std::span<const char* const> outbox_migrations() noexcept {
    static const std::array steps{outbox_tables, inbox_tables(), outbox_quota_tables,
                                  outbox_campaign_tables, inbox_turns()};
    return steps;
}

FileKind outbox_file_kind() noexcept {
    return {outbox_application_id, static_cast<int>(outbox_migrations().size())};
}

std::string noted_outbox_version_sql(std::string_view schema) {
    return "select version from " + std::string{schema} +
           "twiliowa_schema where component = 'outbox'";
}

std::string note_outbox_version_sql() {
    return "insert or replace into twiliowa_schema (component, version) values ('outbox', " +
           std::to_string(outbox_file_kind().schema_version) + ");\n";
}

std::string outbox_migration_sql() {
    std::string sql = "begin immediate;\n";
    for (const auto* const step : outbox_migrations()) sql += step;
    return sql + note_outbox_version_sql() +
           "-- These two for a file that is the outbox's alone.\n" +
           header_sql(outbox_file_kind()) + "commit;\n";
}

}  // namespace twiliowa::detail
