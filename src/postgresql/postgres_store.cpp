#include <twiliowa/postgresql/postgres_store.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <unordered_map>
#include <utility>

#include "postgresql/connection.hpp"
#include "postgresql/migration.hpp"
#include "postgresql/pool.hpp"
#include "state/store_writes.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr const char* store_steps[] = {R"(
create table twiliowa.store_entry (
    key bytea primary key,
    value bytea not null,
    version bigint not null,
    expires_at timestamptz not null,
    pinned boolean not null
);
create index store_entry_expires_at on twiliowa.store_entry (expires_at)
    where expires_at < 'infinity';
create function twiliowa.store_clock() returns bigint language sql volatile as
    'select (extract(epoch from pg_catalog.clock_timestamp()) * 1000000)::bigint * 1000';
)"};

const PostgresMigration store_migration{"store", store_steps};

/// What an index of PostgreSQL takes, with a little room.
constexpr std::size_t longest_store_key = 2'600;
constexpr std::size_t keys_in_one_trip = 1'024;
/// PostgreSQL's calendar ends in the year 294276.
constexpr std::chrono::milliseconds as_good_as_forever = std::chrono::hours{24} * 365 * 1'000;
constexpr int attempts_beside_others = 5;

constexpr const char* select_entry =
    "select value, version from twiliowa.store_entry "
    "where key = $1 and expires_at > twiliowa.now()";

constexpr const char* select_entries =
    "select key, value, version from twiliowa.store_entry "
    "where key = any($1) and expires_at > twiliowa.now()";

/// $1 key, $2 value, $3 milliseconds to live (NULL: forever), $4 pinned. An entry that is there,
/// but has expired, is as none; its version counts on.
constexpr const char* insert_entry = R"(
insert into twiliowa.store_entry as e (key, value, version, expires_at, pinned)
values ($1, $2, twiliowa.store_clock() + floor(random() * 1000)::bigint,
        case when $3 is null then 'infinity' when $3 <= 0 then '-infinity'
             else twiliowa.now() + $3 * interval '1 millisecond' end,
        $4)
on conflict (key) do update
set value = excluded.value, version = greatest(e.version + 1, excluded.version),
    expires_at = excluded.expires_at, pinned = excluded.pinned
where e.expires_at <= twiliowa.now()
returning version)";

/// The same, and $5 the version that the entry has.
constexpr const char* update_entry = R"(
update twiliowa.store_entry
set value = $2,
    version = greatest(version + 1,
                       twiliowa.store_clock() + floor(random() * 1000)::bigint),
    expires_at = case when $3 is null then 'infinity' when $3 <= 0 then '-infinity'
                      else twiliowa.now() + $3 * interval '1 millisecond' end,
    pinned = $4
where key = $1 and version = $5 and expires_at > twiliowa.now()
returning version)";

/// A version that the clock, set back, has not come to yet stays for the key's next one to be
/// larger.
constexpr const char* delete_entry = R"(
with kept as (
    update twiliowa.store_entry set value = '', expires_at = '-infinity'
    where key = $1 and version = $2 and expires_at > twiliowa.now()
      and version >= twiliowa.store_clock() returning 1),
gone as (
    delete from twiliowa.store_entry
    where key = $1 and version = $2 and expires_at > twiliowa.now()
      and version < twiliowa.store_clock() returning 1)
select exists (select from kept) or exists (select from gone))";

/// More than come with one write, and few enough that no write takes long. What another writes, or
/// sweeps, is left to it.
constexpr const char* delete_expired = R"(
delete from twiliowa.store_entry where key in (
    select key from twiliowa.store_entry
    where expires_at <= twiliowa.now() and expires_at < 'infinity'
      and version < twiliowa.store_clock()
    limit 8 for update skip locked))";

/// The server ends by itself what it was not given up for yet.
PostgresStatement limited_to(std::chrono::milliseconds time) {
    PostgresStatement limit{
        "select pg_catalog.set_config('statement_timeout', $1, true), "
        "pg_catalog.set_config('lock_timeout', $1, true)"};
    limit.values.text(std::to_string(std::max<std::int64_t>(time.count() * 3 / 4, 1)));
    return limit;
}

std::optional<std::int64_t> milliseconds_to_live(std::chrono::milliseconds time_to_live) {
    if (time_to_live >= as_good_as_forever) return std::nullopt;
    return std::max<std::int64_t>(time_to_live.count(), 0);
}

StoredValue stored_value(const PostgresRows& rows, std::size_t row, int column) {
    return {std::string{rows.bytes(row, column)},
            static_cast<std::uint64_t>(rows.number(row, column + 1))};
}

Result<PostgresTarget> checked_target(const std::string& url, const PostgresStoreOptions& options) {
    if (options.max_entry_bytes == 0) return Error::invalid_request("max_entry_bytes", "is 0");
    return pool_target(url, options);
}

}  // namespace
}  // namespace detail

struct PostgresStore::State {
    State(detail::PostgresTarget target, PostgresStoreOptions chosen)
        : options(chosen),
          pool(std::move(target),
               detail::durable_connection(chosen.connect_timeout, chosen.statement_timeout),
               chosen.connections) {}

    Result<void> prepare() {
        auto lease = pool.lend();
        if (!lease) return lease.error();
        auto& connection = **lease;
        const auto version = detail::schema_version(connection, detail::store_migration);
        if (!version) return version.error();
        if (*version == 0 && options.create) {
            return detail::migrate(connection, detail::store_migration);
        }
        return detail::check_schema(connection, detail::store_migration);
    }

    /// What changes nothing is asked for once more, on another connection, if the first ended.
    Result<detail::PostgresRows> read(const detail::PostgresStatement& statement) {
        auto lease = pool.lend();
        if (!lease) return lease.error();
        auto& connection = **lease;
        const auto begin = std::chrono::steady_clock::now();
        auto rows = connection.execute(statement);
        const auto took = std::chrono::steady_clock::now() - begin;
        if (!rows && connection.fault() == detail::PostgresFault::lost &&
            took < options.statement_timeout / 2) {
            return connection.execute(statement);
        }
        return rows;
    }

    /// In a transaction with a sweep behind it, one round trip in all.
    Result<detail::PostgresRows> write(detail::PostgresStatement statement) {
        auto lease = pool.lend();
        if (!lease) return lease.error();
        auto& connection = **lease;
        const std::array<detail::PostgresStatement, 3> statements{
            detail::limited_to(options.statement_timeout), std::move(statement),
            detail::PostgresStatement{detail::delete_expired}};
        for (int attempts = 1; true; ++attempts) {
            auto done = connection.execute_all(statements);
            if (done) return std::move((*done)[1]);
            if (connection.fault() != detail::PostgresFault::conflict ||
                attempts == detail::attempts_beside_others) {
                return done.error();
            }
        }
    }

    const PostgresStoreOptions options;
    detail::PostgresPool pool;
};

PostgresStore::PostgresStore(const std::string& url, PostgresStoreOptions options)
    : state_(std::make_unique<State>(detail::checked_target(url, options).value(), options)) {
    state_->prepare().value();
}

PostgresStore::~PostgresStore() = default;

Result<void> PostgresStore::try_migrate(const std::string& url,
                                        const PostgresStoreOptions& options) {
    auto target = detail::checked_target(url, options);
    if (!target) return target.error();
    detail::PostgresConnection connection{
        std::move(target).value(),
        detail::durable_connection(options.connect_timeout, options.statement_timeout)};
    return detail::migrate(connection, detail::store_migration);
}

void PostgresStore::migrate(const std::string& url, const PostgresStoreOptions& options) {
    try_migrate(url, options).value();
}

std::string PostgresStore::migration_sql() {
    return detail::migration_sql(detail::store_migration);
}

Result<std::optional<StoredValue>> PostgresStore::get(std::string_view key) {
    detail::PostgresStatement select{detail::select_entry};
    select.values.bytes(key);
    const auto rows = state_->read(select);
    if (!rows) return rows.error();
    if (rows->empty()) return std::optional<StoredValue>{};
    return std::optional<StoredValue>{detail::stored_value(*rows, 0, 0)};
}

Result<std::uint64_t> PostgresStore::compare_and_set(std::string_view key, std::uint64_t expected,
                                                     std::string_view value,
                                                     std::chrono::milliseconds time_to_live,
                                                     Keep keep) {
    const auto most = state_->options.max_entry_bytes;
    if (const auto fits = detail::check_entry_size(key, value, most); !fits) return fits.error();
    if (key.size() > detail::longest_store_key) {
        return store_error("refuses a key of that size", "it has 2,600 bytes at most");
    }
    detail::PostgresStatement statement{expected == 0 ? detail::insert_entry
                                                      : detail::update_entry};
    statement.values.bytes(key)
        .bytes(value)
        .number(detail::milliseconds_to_live(time_to_live))
        .flag(keep == Keep::pinned);
    if (expected != 0) statement.values.number(static_cast<std::int64_t>(expected));
    const auto rows = state_->write(std::move(statement));
    if (!rows) return rows.error();
    return rows->empty() ? std::uint64_t{0} : static_cast<std::uint64_t>(rows->number(0, 0));
}

Result<bool> PostgresStore::erase(std::string_view key, std::uint64_t expected) {
    detail::PostgresStatement statement{detail::delete_entry};
    statement.values.bytes(key).number(static_cast<std::int64_t>(expected));
    const auto rows = state_->write(std::move(statement));
    if (!rows) return rows.error();
    return rows->flag(0, 0);
}

Result<std::vector<std::optional<StoredValue>>> PostgresStore::get_each(
    std::span<const std::string> keys) {
    std::unordered_map<std::string, StoredValue> found;
    for (auto left = keys; !left.empty();) {
        const auto some = left.first(std::min(left.size(), detail::keys_in_one_trip));
        left = left.subspan(some.size());
        detail::PostgresArray sought{detail::PostgresType::bytes};
        for (const auto& key : some) sought.add(key);
        detail::PostgresStatement select{detail::select_entries};
        select.values.array(sought);
        const auto rows = state_->read(select);
        if (!rows) return rows.error();
        for (std::size_t row = 0; row < rows->size(); ++row) {
            found[std::string{rows->bytes(row, 0)}] = detail::stored_value(*rows, row, 1);
        }
    }
    std::vector<std::optional<StoredValue>> entries;
    entries.reserve(keys.size());
    for (const auto& key : keys) {
        const auto entry = found.find(key);
        if (entry == found.end()) {
            entries.emplace_back();
        } else {
            entries.emplace_back(entry->second);
        }
    }
    return entries;
}

}  // namespace twiliowa
