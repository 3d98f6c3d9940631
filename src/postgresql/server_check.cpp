#include "postgresql/server_check.hpp"

#include <charconv>
#include <string_view>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {
namespace {

/// In one row. The name of the file of WAL begins with the timeline; there is none in recovery.
constexpr const char* server_settings = R"(
select pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('fsync'),
       pg_catalog.current_setting('synchronous_commit'),
       pg_catalog.current_setting('server_encoding'),
       case when not pg_catalog.pg_is_in_recovery()
                 and pg_catalog.has_function_privilege('pg_catalog.pg_current_wal_lsn()', 'execute')
                 and pg_catalog.has_function_privilege('pg_catalog.pg_walfile_name(pg_lsn)', 'execute')
            then pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) end,
       pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute'))";

Result<void> check_settings(const PostgresRows& rows) {
    if (rows.flag(0, 0)) {
        return store_error(
            "is a standby, which takes no writes and may lag behind",
            "name the primary; target_session_attrs=read-write finds it among several");
    }
    if (rows.bytes(0, 1) != "on") {
        return store_error("does not wait for its disk (fsync=off)",
                           "set fsync=on in the server's configuration");
    }
    const auto commit = rows.bytes(0, 2);
    if (commit == "off" || commit == "local") {
        return store_error(
            "does not wait for its commits (synchronous_commit=" + std::string{commit} + ")",
            "set synchronous_commit=on for the server, the database or the role");
    }
    if (rows.bytes(0, 3) != "UTF8") {
        return store_error("has a database that is not in UTF-8",
                           "create one with encoding 'UTF8'");
    }
    return {};
}

}  // namespace

Result<PostgresServer> check_durable(PostgresConnection& connection) {
    // It has said so when it was connected to. One that is old enough does not even know the
    // functions that are asked for below.
    if (auto opened = connection.open(); !opened) return opened.error();
    const int version = connection.server_version();
    if (version != 0 && version < oldest_postgres) {
        return store_error("needs PostgreSQL 12 or later", "the server is older");
    }
    const auto rows = connection.execute({server_settings});
    if (!rows) return rows.error();
    if (rows->empty()) return store_error("does not say what it is");
    if (auto checked = check_settings(*rows); !checked) return checked.error();
    PostgresServer server{connection.server_version(), {}, 0};
    const auto file = rows->bytes(0, 4).substr(0, 8);
    std::from_chars(file.data(), file.data() + file.size(), server.timeline, 16);
    if (!rows->flag(0, 5)) return server;
    const auto control =
        connection.execute({"select system_identifier::text from pg_catalog.pg_control_system()"});
    if (!control) return control.error();
    if (!control->empty()) server.system_identifier = control->bytes(0, 0);
    return server;
}

}  // namespace twiliowa::detail
