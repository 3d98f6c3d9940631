/// @file
/// The schema `twiliowa`: which version of a component's tables is there, and how it is brought up
/// to date. Each component (the store, the outbox) has versions of its own.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <twiliowa/types/result.hpp>

#include "postgresql/connection.hpp"

namespace twiliowa::detail {

/// A component's tables.
struct PostgresMigration {
    std::string_view component;
    /// Step i, statements separated by semicolons, leads from version i to i + 1. One that was
    /// released is never changed. Every name in it is qualified.
    std::span<const char* const> steps;
    /// The oldest version that this program works with.
    int oldest_usable = static_cast<int>(steps.size());

    int newest() const noexcept { return static_cast<int>(steps.size()); }
};

/// Of the component's tables; 0: there are none. A schema that is another program's is an error.
Result<int> schema_version(PostgresConnection& connection, const PostgresMigration& migration);

/// That the tables are there, neither too old nor from a later version of this library. Changes
/// nothing.
Result<void> check_schema(PostgresConnection& connection, const PostgresMigration& migration);

/// Makes the tables, or brings them up to date, in one transaction; whoever else does so meanwhile
/// waits. Nothing is changed where they are later than these, or another program's.
Result<void> migrate(PostgresConnection& connection, const PostgresMigration& migration);

/// The same as a script for psql, for whoever may change the schema: from version `from` on. Run on
/// another version it stops, and changes nothing.
std::string migration_sql(const PostgresMigration& migration, int from = 0);

}  // namespace twiliowa::detail
