#include <twiliowa/postgresql/postgres_limiter.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>

#include <twiliowa/state/store.hpp>

#include "http/limit_of.hpp"
#include "postgresql/connection.hpp"
#include "postgresql/migration.hpp"
#include "postgresql/pool.hpp"
#include "state/masked_sender.hpp"
#include "types/duration_bound.hpp"
#include "types/random_name.hpp"

namespace twiliowa {

namespace detail {
namespace {

// Times are microseconds since 1970.

constexpr const char* limiter_steps[] = {R"(
create unlogged table twiliowa.limiter_sender (
    limiter text not null,
    sender text not null,
    full_at bigint not null,
    primary key (limiter, sender)
);
create unlogged table twiliowa.limiter_process (
    limiter text not null,
    process text not null,
    seen_at bigint not null,
    primary key (limiter, process)
);
create function twiliowa.take_permits(
    of_limiter text, of_sender text, apart double precision, early bigint, owed bigint,
    wanted bigint, furthest bigint, out granted bigint, out wait bigint)
language plpgsql volatile set search_path = pg_catalog, pg_temp as $body$
declare
    moment bigint := (extract(epoch from twiliowa.now()) * 1000000)::bigint;
    free_at bigint;
begin
    insert into twiliowa.limiter_sender (limiter, sender, full_at)
        values (of_limiter, of_sender, 0) on conflict do nothing;
    select s.full_at into free_at from twiliowa.limiter_sender s
        where s.limiter = of_limiter and s.sender = of_sender for update;
    -- So far ahead no process can have brought it: the clock was set back.
    if free_at > moment + early + 2 * furthest then free_at := moment; end if;
    free_at := greatest(free_at, moment) + ceil(owed * apart)::bigint;
    granted := greatest(
        least(floor((moment + early + furthest - free_at) / apart)::bigint, wanted), 0);
    wait := free_at - early - moment;
    update twiliowa.limiter_sender set full_at = free_at + ceil(granted * apart)::bigint
        where limiter = of_limiter and sender = of_sender;
end $body$;
)"};

const PostgresMigration limiter_migration{"limiter", limiter_steps};

/// $1 limiter, $2 sender, $3 microseconds from one permit to the next, $4 how early one may come,
/// $5 permits that are owed, $6 permits that are wanted, $7 how far ahead these may lie.
constexpr const char* take_permits =
    "select granted, wait from twiliowa.take_permits($1, $2, $3::text::double precision, $4, $5, "
    "$6, $7)";

/// $1 limiter, $2 process. One that was not heard of for five seconds is gone.
constexpr const char* count_limiter_processes = R"(
with moment as (select (extract(epoch from twiliowa.now()) * 1000000)::bigint as now),
said as (
    insert into twiliowa.limiter_process (limiter, process, seen_at)
    select $1, $2, now from moment
    on conflict (limiter, process) do update set seen_at = excluded.seen_at),
gone as (
    delete from twiliowa.limiter_process using moment
    where limiter = $1 and process <> $2 and seen_at not between now - 60000000 and now + 60000000)
select count(*) + 1 from twiliowa.limiter_process, moment
where limiter = $1 and process <> $2 and seen_at between now - 5000000 and now + 5000000)";

PostgresConnectionOptions limiter_connection(const PostgresLimiterOptions& options) {
    return {options.timeout, options.timeout, {}};
}

PostgresTarget limiter_target(const std::string& url, const PostgresLimiterOptions& options) {
    if (auto wrong = wrong_duration("timeout", options.timeout)) wrong->raise();
    return parse_postgres_url(url).value();
}

/// Permits of a PostgreSQL.
class PostgresPermits final : public PermitSource {
public:
    PostgresPermits(PostgresTarget target, const PostgresLimiterOptions& options)
        : pool_(std::move(target), limiter_connection(options), 1),
          name_(options.name),
          sealer_(options.sealer),
          key_id_(options.key_id),
          create_(options.create) {}

    Result<Permits> take(const PermitRequest& request) override {
        const auto sender = masked_sender(request.sender, sealer_, key_id_);
        if (!sender) return sender.error();
        char interval[40];
        std::snprintf(interval, sizeof interval, "%.9f", request.interval);
        PostgresStatement statement{take_permits};
        statement.values.text(name_).text(*sender).text(interval).number(request.tolerance);
        statement.values.number(request.owed).number(request.wanted).number(request.furthest);
        const auto rows = ask(statement);
        if (!rows) return rows.error();
        return Permits{rows->number(0, 0), std::chrono::microseconds{rows->number(0, 1)}};
    }

    Result<int> count_processes() override {
        PostgresStatement statement{count_limiter_processes};
        statement.values.text(name_).text(process_);
        const auto rows = ask(statement);
        if (!rows) return rows.error();
        return static_cast<int>(std::clamp<std::int64_t>(rows->number(0, 0), 1, 1'000'000));
    }

private:
    Result<PostgresRows> ask(const PostgresStatement& statement) {
        auto lease = pool_.lend();
        if (!lease) return lease.error();
        auto& connection = **lease;
        if (auto ready = prepare(connection); !ready) return ready.error();
        auto rows = connection.execute(statement);
        if (!rows && connection.fault() == PostgresFault::no_tables) is_prepared_ = false;
        if (rows && rows->empty()) return store_error("answers nothing", "see the server's log");
        return rows;
    }

    /// The tables are looked for when the server answers for the first time.
    Result<void> prepare(PostgresConnection& connection) {
        if (is_prepared_) return {};
        const auto version = schema_version(connection, limiter_migration);
        if (!version) return version.error();
        auto ready = *version == 0 && create_ ? detail::migrate(connection, limiter_migration)
                                              : check_schema(connection, limiter_migration);
        is_prepared_ = ready.has_value();
        return ready;
    }

    PostgresPool pool_;
    const std::string name_;
    const std::optional<Sealer> sealer_;
    const std::string key_id_;
    const std::string process_ = random_name();
    const bool create_;
    bool is_prepared_ = false;
};

}  // namespace
}  // namespace detail

PostgresLimiter::PostgresLimiter(const std::string& url, const PostgresLimiterOptions& options)
    : LeasedLimiter(
          std::make_shared<detail::PostgresPermits>(detail::limiter_target(url, options), options),
          detail::limit_of(options)) {}

Result<void> PostgresLimiter::migrate(const std::string& url,
                                      const PostgresLimiterOptions& options) {
    detail::PostgresConnection connection{detail::limiter_target(url, options),
                                          detail::limiter_connection(options)};
    return detail::migrate(connection, detail::limiter_migration);
}

std::string PostgresLimiter::migration_sql() {
    return detail::migration_sql(detail::limiter_migration);
}

}  // namespace twiliowa
