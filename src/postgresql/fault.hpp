/// @file
/// What a failure of a server of PostgreSQL means for who keeps jobs or state in it.
#pragma once

#include <string_view>

#include <twiliowa/types/error.hpp>

namespace twiliowa::detail {

/// Why the last statement failed, as far as code has to know.
enum class PostgresFault {
    none,
    unreachable,  ///< There was no connection to be had: nothing was done.
    lost,         ///< The connection ended, or the deadline passed: it may have been carried out.
    conflict,     ///< Others were in the way: nothing was done, begin the transaction anew.
    busy,         ///< A lock or the statement took too long for the server: nothing was done.
    unavailable,  ///< The server has no room, or is starting or stopping: nothing was done.
    read_only,    ///< The server or the transaction may only be read.
    no_rights,    ///< The role may not do that.
    no_login,     ///< The role or its password is refused.
    no_database,  ///< There is no such database.
    no_tables,    ///< A table, column, function or schema that is needed is not there.
    exists,       ///< A row, table or schema that was to be made is there.
    other,
};

std::string_view to_string(PostgresFault fault) noexcept;

/// By the five characters that PostgreSQL gives; `other` for those of no interest here.
PostgresFault postgres_fault(std::string_view sqlstate) noexcept;

/// A store_error that names the fault, the SQLSTATE if there is one, and the way out. PostgreSQL's
/// own words are left out: they may quote what the rows hold.
Error postgres_error(PostgresFault fault, std::string_view sqlstate = {});

}  // namespace twiliowa::detail
