#include "postgresql/quota_tables.hpp"

#include <utility>
#include <vector>

namespace twiliowa::detail {

namespace {

/// A send has a row for each slot that it is counted in. State 0 is open, 1 settled, 2 lapsed;
/// times are microseconds since 1970.
constexpr const char* quota_steps[] = {R"(
create table twiliowa.quota_count (
    quota bytea not null,
    period bigint not null,
    began_at bigint not null,
    used bigint not null,
    open bigint not null,
    peak bigint not null,
    keep_until bigint not null,
    primary key (quota, period, began_at)
);
create index quota_count_keep_until on twiliowa.quota_count (keep_until);
create table twiliowa.quota_send (
    quota bytea not null,
    send bytea not null,
    period bigint not null,
    began_at bigint not null,
    state smallint not null,
    cost bigint not null,
    lapses_at bigint not null,
    forget_at bigint not null,
    primary key (quota, send, period)
);
create index quota_send_lapses_at on twiliowa.quota_send (quota, lapses_at) where state = 0;
create index quota_send_forget_at on twiliowa.quota_send (forget_at) where state <> 0;
create function twiliowa.quota_clock() returns bigint language sql stable as
    'select (extract(epoch from twiliowa.now()) * 1000000)::bigint';
)"};

/// Whoever works on the quota meanwhile waits: what follows sees what they have done.
constexpr const char* lock_quota =
    "select pg_catalog.pg_advisory_xact_lock(1953976693, "
    "pg_catalog.hashtext(pg_catalog.encode($1, 'hex')))";

constexpr const char* lapse_quota = R"(
with gone as (
    update twiliowa.quota_send set state = 2
    where quota = $1 and state = 0 and lapses_at <= twiliowa.quota_clock()
    returning period, began_at, cost),
sums as (
    select period, began_at, sum(cost)::bigint as cost from gone group by period, began_at)
update twiliowa.quota_count as c
set used = greatest(0, c.used - sums.cost), open = greatest(0, c.open - sums.cost)
from sums where c.quota = $1 and c.period = sums.period and c.began_at = sums.began_at)";

constexpr const char* select_quota_send =
    "select state, cost, lapses_at, forget_at, period, began_at from twiliowa.quota_send "
    "where quota = $1 and send = $2";

constexpr const char* select_quota_counts = R"(
select c.period, c.began_at, c.used, c.open, c.peak, c.keep_until
from (select * from unnest($3::bigint[], $4::bigint[]) as asked (period, began_at)
      union select period, began_at from twiliowa.quota_send where quota = $1 and send = $2) as p
join twiliowa.quota_count as c
  on c.quota = $1 and c.period = p.period and c.began_at = p.began_at)";

constexpr const char* upsert_quota_counts = R"(
insert into twiliowa.quota_count (quota, period, began_at, used, open, peak, keep_until)
select $1, * from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                         $7::bigint[])
on conflict (quota, period, began_at) do update
set used = excluded.used, open = excluded.open, peak = excluded.peak,
    keep_until = excluded.keep_until)";

constexpr const char* delete_quota_send =
    "delete from twiliowa.quota_send where quota = $1 and send = $2";

constexpr const char* insert_quota_send = R"(
insert into twiliowa.quota_send
    (quota, send, period, began_at, state, cost, lapses_at, forget_at)
select $1, $2, period, began_at, $5::smallint, $6, $7, $8
from unnest($3::bigint[], $4::bigint[]) as p (period, began_at))";

/// More than come with one write, and few enough that no write takes long. What another writes, or
/// sweeps, is left to it.
constexpr const char* sweep_quota_sends = R"(
delete from twiliowa.quota_send where (quota, send, period) in (
    select quota, send, period from twiliowa.quota_send
    where state <> 0 and forget_at <= twiliowa.quota_clock()
    limit 32 for update skip locked))";
constexpr const char* sweep_quota_counts = R"(
delete from twiliowa.quota_count where (quota, period, began_at) in (
    select quota, period, began_at from twiliowa.quota_count
    where keep_until <= twiliowa.quota_clock()
    limit 32 for update skip locked))";

constexpr const char* select_quota_history = R"(
select period, began_at, used, open, peak, keep_until from twiliowa.quota_count
where quota = $1 and period = $2 and began_at >= $3 and began_at < $4
order by began_at limit $5)";

PostgresStatement about_quota(const char* sql, std::string_view quota) {
    PostgresStatement statement{sql};
    statement.values.bytes(quota);
    return statement;
}

PostgresStatement about_quota_send(const char* sql, std::string_view quota, std::string_view send) {
    auto statement = about_quota(sql, quota);
    statement.values.bytes(send);
    return statement;
}

void add_quota_places(PostgresValues& values, const std::vector<QuotaPlace>& places) {
    PostgresArray periods{PostgresType::number};
    PostgresArray begins{PostgresType::number};
    for (const auto& place : places) {
        periods.add_number(place.period);
        begins.add_number(place.begin);
    }
    values.array(periods).array(begins);
}

QuotaTally quota_tally(const PostgresRows& rows, std::size_t row) {
    return {{rows.number(row, 0), rows.number(row, 1)},
            rows.number(row, 2),
            rows.number(row, 3),
            rows.number(row, 4),
            rows.number(row, 5)};
}

std::optional<QuotaSend> quota_send(const PostgresRows& rows) {
    if (rows.empty()) return std::nullopt;
    QuotaSend send{static_cast<QuotaSendState>(rows.number(0, 0)), rows.number(0, 1),
                   rows.number(0, 2), rows.number(0, 3)};
    for (std::size_t row = 0; row < rows.size(); ++row) {
        send.places.push_back({rows.number(row, 4), rows.number(row, 5)});
    }
    return send;
}

PostgresStatement store_quota_tallies(std::string_view quota,
                                      const std::vector<QuotaTally>& tallies) {
    auto upsert = about_quota(upsert_quota_counts, quota);
    std::vector<PostgresArray> columns(6, PostgresArray{PostgresType::number});
    for (const auto& tally : tallies) {
        columns[0].add_number(tally.place.period);
        columns[1].add_number(tally.place.begin);
        columns[2].add_number(tally.used);
        columns[3].add_number(tally.open);
        columns[4].add_number(tally.peak);
        columns[5].add_number(tally.keep_until);
    }
    for (const auto& column : columns) upsert.values.array(column);
    return upsert;
}

PostgresStatement store_quota_send(std::string_view quota, std::string_view key,
                                   const QuotaSend& send) {
    auto insert = about_quota_send(insert_quota_send, quota, key);
    add_quota_places(insert.values, send.places);
    insert.values.number(static_cast<std::int64_t>(send.state));
    insert.values.number(send.cost).number(send.lapses_at).number(send.forget_at);
    return insert;
}

}  // namespace

const PostgresMigration& quota_migration() {
    static const PostgresMigration migration{"quotas", quota_steps};
    return migration;
}

Result<QuotaPage> PostgresQuotaDesk::load(std::string_view quota, std::string_view send,
                                          const std::vector<QuotaPlace>& places) {
    auto counts = about_quota_send(select_quota_counts, quota, send);
    add_quota_places(counts.values, places);
    const std::vector<PostgresStatement> statements{
        about_quota(lock_quota, quota),
        about_quota(lapse_quota, quota),
        {"select twiliowa.quota_clock()"},
        about_quota_send(select_quota_send, quota, send),
        std::move(counts),
    };
    const auto loaded = transaction_.begin(statements);
    if (!loaded) return loaded.error();
    const auto& rows = *loaded;
    QuotaPage page{rows[2].number(0, 0), quota_send(rows[3])};
    for (std::size_t row = 0; row < rows[4].size(); ++row) {
        page.tallies.push_back(quota_tally(rows[4], row));
    }
    return page;
}

Result<void> PostgresQuotaDesk::store(std::string_view quota, std::string_view send,
                                      const QuotaChange& change) {
    std::vector<PostgresStatement> statements;
    if (!change.tallies.empty()) statements.push_back(store_quota_tallies(quota, change.tallies));
    if (change.send || change.erase_send) {
        statements.push_back(about_quota_send(delete_quota_send, quota, send));
    }
    if (change.send) statements.push_back(store_quota_send(quota, send, *change.send));
    statements.push_back({sweep_quota_sends});
    statements.push_back({sweep_quota_counts});
    const auto stored = connection_.execute_all(statements);
    return stored ? Result<void>{} : stored.error();
}

Result<std::vector<QuotaCount>> PostgresQuotaDesk::history(std::string_view quota,
                                                           std::int64_t period, QuotaMicros from,
                                                           QuotaMicros to) {
    auto select = about_quota(select_quota_history, quota);
    select.values.number(period).number(from).number(to).number(most_quota_history);
    const std::vector<PostgresStatement> statements{
        about_quota(lock_quota, quota), about_quota(lapse_quota, quota), std::move(select)};
    const auto loaded = transaction_.begin(statements);
    if (!loaded) return loaded.error();
    const auto& rows = (*loaded)[2];
    std::vector<QuotaCount> counts;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto tally = quota_tally(rows, row);
        counts.push_back({tally.place.period, quota_time(tally.place.begin), tally.used, tally.open,
                          tally.peak, tally.peak});
    }
    return counts;
}

}  // namespace twiliowa::detail
