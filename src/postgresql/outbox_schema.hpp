/// @file
/// The tables of a PostgresOutbox.
#pragma once

#include "postgresql/migration.hpp"

namespace twiliowa::detail {

const PostgresMigration& outbox_migration() noexcept;

}  // namespace twiliowa::detail
