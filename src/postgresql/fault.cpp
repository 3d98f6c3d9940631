#include "postgresql/fault.hpp"

#include <string>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

std::string_view to_string(PostgresFault fault) noexcept {
    switch (fault) {
        case PostgresFault::none:
            return "none";
        case PostgresFault::unreachable:
            return "unreachable";
        case PostgresFault::lost:
            return "lost";
        case PostgresFault::conflict:
            return "conflict";
        case PostgresFault::busy:
            return "busy";
        case PostgresFault::unavailable:
            return "unavailable";
        case PostgresFault::read_only:
            return "read_only";
        case PostgresFault::no_rights:
            return "no_rights";
        case PostgresFault::no_login:
            return "no_login";
        case PostgresFault::no_database:
            return "no_database";
        case PostgresFault::no_tables:
            return "no_tables";
        case PostgresFault::exists:
            return "exists";
        case PostgresFault::other:
            return "other";
    }
    return "other";
}

PostgresFault postgres_fault(std::string_view sqlstate) noexcept {
    struct Meaning {
        std::string_view begins;  ///< A whole SQLSTATE, or a class of them.
        PostgresFault fault;
    };
    static constexpr Meaning meanings[] = {
        {"40001", PostgresFault::conflict},     // serialization_failure
        {"40P01", PostgresFault::conflict},     // deadlock_detected
        {"55P03", PostgresFault::busy},         // lock_not_available
        {"57014", PostgresFault::busy},         // query_canceled, by statement_timeout too
        {"25P03", PostgresFault::lost},         // idle_in_transaction_session_timeout
        {"25006", PostgresFault::read_only},    // read_only_sql_transaction
        {"42501", PostgresFault::no_rights},    // insufficient_privilege
        {"3D000", PostgresFault::no_database},  // invalid_catalog_name
        {"42P01", PostgresFault::no_tables},    // undefined_table
        {"42703", PostgresFault::no_tables},    // undefined_column
        {"42883", PostgresFault::no_tables},    // undefined_function
        {"3F000", PostgresFault::no_tables},    // invalid_schema_name
        {"23505", PostgresFault::exists},       // unique_violation
        {"42P06", PostgresFault::exists},       // duplicate_schema
        {"42P07", PostgresFault::exists},       // duplicate_table
        {"42710", PostgresFault::exists},       // duplicate_object
        {"42723", PostgresFault::exists},       // duplicate_function
        {"28", PostgresFault::no_login},       {"08", PostgresFault::unavailable},
        {"53", PostgresFault::unavailable},    {"57P", PostgresFault::unavailable},
    };
    for (const auto& meaning : meanings) {
        if (sqlstate.substr(0, meaning.begins.size()) == meaning.begins) return meaning.fault;
    }
    return PostgresFault::other;
}

Error postgres_error(PostgresFault fault, std::string_view sqlstate) {
    const auto number =
        sqlstate.empty() ? std::string{} : " (PostgreSQL " + std::string{sqlstate} + ")";
    switch (fault) {
        case PostgresFault::unreachable:
            return store_error("cannot be reached" + number,
                               "see that the server runs, that its address is right, and that it "
                               "takes connections from here (pg_hba.conf, TLS, "
                               "target_session_attrs); nothing was done, try again");
        case PostgresFault::lost:
            return store_error("lost its server in the middle" + number,
                               "what was asked for may have been done; try again");
        case PostgresFault::conflict:
            return store_error("was in the way of others again and again" + number, "try again");
        case PostgresFault::busy:
            return store_error("waited too long for others" + number,
                               "try again; if it lasts, find who holds a transaction open");
        case PostgresFault::unavailable:
            return store_error("is not ready" + number,
                               "the server is starting, stopping, or out of connections, memory or "
                               "disk; nothing was done, try again");
        case PostgresFault::read_only:
            return store_error("is read-only" + number,
                               "name the server that takes writes (target_session_attrs=read-write "
                               "finds it among several), and a database that may be written");
        case PostgresFault::no_rights:
            return store_error("refuses this role" + number,
                               "grant it usage of the schema twiliowa, and select, insert, update "
                               "and delete on its tables");
        case PostgresFault::no_login:
            return store_error("refuses the login" + number,
                               "see the role's name and its password, which come by PGPASSFILE, "
                               "PGSERVICEFILE or PGPASSWORD, and the server's pg_hba.conf");
        case PostgresFault::no_database:
            return store_error("has no such database" + number, "create it, or name another");
        case PostgresFault::no_tables:
            return store_error("lacks a table that it needs" + number,
                               "bring its tables up to date; they are in the schema twiliowa");
        case PostgresFault::exists:
            return store_error("finds what it was to make" + number,
                               "see that no other program uses the schema twiliowa");
        case PostgresFault::none:
        case PostgresFault::other:
            break;
    }
    return store_error("failed" + number, "see the server's log");
}

}  // namespace twiliowa::detail
