#include "postgresql/migration.hpp"

#include <algorithm>
#include <chrono>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {
namespace {

/// Held by a transaction that migrates: "twiliowa" in ASCII.
constexpr const char* lock_schema = "select pg_catalog.pg_advisory_xact_lock(8392292344974505825)";

/// An index of many rows takes longer than a statement may; a lock is waited for as long as before.
constexpr std::chrono::hours longest_migration{1};
constexpr const char* take_time = "set local statement_timeout = 0";

/// What all components share. Tests replace the function by one that can be moved.
constexpr const char* shared_schema = R"(create schema if not exists twiliowa;
create table twiliowa.schema_version (
    component text primary key,
    version integer not null,
    changed_at timestamptz not null default pg_catalog.now()
);
create function twiliowa.now() returns timestamptz
    language sql stable as 'select pg_catalog.statement_timestamp()';
)";

/// Whether there is a schema, a table of versions in it, and any table at all.
constexpr const char* look_at_schema = R"(
select pg_catalog.to_regnamespace('twiliowa') is not null,
       pg_catalog.to_regclass('twiliowa.schema_version') is not null,
       exists (select from pg_catalog.pg_class
               where relnamespace = pg_catalog.to_regnamespace('twiliowa')))";

Error foreign_schema() {
    return store_error("finds a schema twiliowa of another program",
                       "name another database; this one was left as it was");
}

struct SchemaState {
    bool is_there = false;  ///< What all components share.
    bool has_schema = false;
    int version = 0;
};

Result<SchemaState> schema_state(PostgresConnection& connection,
                                 const PostgresMigration& migration) {
    const auto seen = connection.execute({look_at_schema});
    if (!seen) return seen.error();
    SchemaState state{seen->flag(0, 1), seen->flag(0, 0), 0};
    if (!state.is_there) {
        if (seen->flag(0, 2)) return foreign_schema();
        return state;
    }
    PostgresStatement select{"select version from twiliowa.schema_version where component = $1"};
    select.values.text(migration.component);
    const auto rows = connection.execute(select);
    if (!rows) {
        return connection.fault() == PostgresFault::no_tables ? foreign_schema() : rows.error();
    }
    if (!rows->empty()) state.version = static_cast<int>(rows->number(0, 0));
    return state;
}

std::string name_of(const PostgresMigration& migration) {
    return "its tables of the " + std::string{migration.component};
}

Error later_schema() {
    return store_error("has tables of a later version of this library",
                       "update this program; they were left as they were");
}

std::string quoted(std::string_view component) {
    return "'" + std::string{component} + "'";
}

std::string set_version_sql(const PostgresMigration& migration, int version) {
    const auto component = quoted(migration.component);
    if (version == 1) {
        return "insert into twiliowa.schema_version (component, version) values (" + component +
               ", 1);\n";
    }
    return "update twiliowa.schema_version set version = " + std::to_string(version) +
           ", changed_at = pg_catalog.now() where component = " + component + ";\n";
}

std::string steps_sql(const PostgresMigration& migration, int from) {
    std::string sql;
    for (int version = from; version < migration.newest(); ++version) {
        std::string_view step{migration.steps[static_cast<std::size_t>(version)]};
        while (!step.empty() && step.front() == '\n') step.remove_prefix(1);
        sql += step;
        sql += set_version_sql(migration, version + 1);
    }
    return sql;
}

}  // namespace

Result<int> schema_version(PostgresConnection& connection, const PostgresMigration& migration) {
    auto state = schema_state(connection, migration);
    if (!state) return state.error();
    return state->version;
}

Result<void> check_schema(PostgresConnection& connection, const PostgresMigration& migration) {
    const auto version = schema_version(connection, migration);
    if (!version) return version.error();
    if (*version > migration.newest()) return later_schema();
    if (*version >= migration.oldest_usable && *version != 0) return {};
    return store_error((*version == 0 ? "lacks " : "has an old version of ") + name_of(migration),
                       "migrate them, or have the owner of the database run what migration_sql "
                       "gives");
}

Result<void> migrate(PostgresConnection& connection, const PostgresMigration& migration) {
    auto done = in_transaction(connection, [&](PostgresConnection&) -> Result<void> {
        if (auto locked = connection.run_script(lock_schema); !locked) return locked;
        // Another process may have been faster.
        const auto state = schema_state(connection, migration);
        if (!state) return state.error();
        if (state->version > migration.newest()) return later_schema();
        if (state->version == migration.newest()) return {};
        if (!state->is_there) {
            // To ask for what is there takes rights that the role may not have.
            std::string_view sql{shared_schema};
            if (state->has_schema) sql.remove_prefix(sql.find('\n') + 1);
            if (auto made = connection.run_script(std::string{sql}); !made) return made;
        }
        if (auto allowed = connection.run_script(take_time); !allowed) return allowed;
        const auto usual = connection.statement_timeout();
        connection.allow(std::max<std::chrono::milliseconds>(usual, longest_migration));
        auto made = connection.run_script(steps_sql(migration, state->version));
        connection.allow(usual);
        return made;
    });
    if (!done && connection.fault() == PostgresFault::no_rights) {
        return store_error("lacks " + name_of(migration) + ", and this role may not make them",
                           "have the owner of the database run what migration_sql gives, and grant "
                           "this role usage of the schema twiliowa, and select, insert, update and "
                           "delete on its tables");
    }
    return done;
}

std::string migration_sql(const PostgresMigration& migration, int from) {
    const auto component = quoted(migration.component);
    std::string sql = "-- The tables of the " + std::string{migration.component} +
                      " of twiliowa, from version " + std::to_string(from) + " to " +
                      std::to_string(migration.newest()) + ".\nbegin;\n" + lock_schema + ";\n";
    if (from == 0) {
        // Whichever component comes first makes what they share.
        sql += "do $do$ begin\nif pg_catalog.to_regclass('twiliowa.schema_version') is null then\n";
        sql += shared_schema;
        sql += "end if;\nend $do$;\n";
    }
    sql +=
        "do $do$ begin\nif (select coalesce(max(version), 0) from twiliowa.schema_version where "
        "component = " +
        component + ") <> " + std::to_string(from) + " then\nraise exception 'the tables of the " +
        std::string{migration.component} + " are not of version " + std::to_string(from) +
        "';\nend if;\nend $do$;\n";
    return sql + steps_sql(migration, from) + "commit;\n";
}

}  // namespace twiliowa::detail
