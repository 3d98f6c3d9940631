/// @file
/// The tables of a PostgresOutbox.
#pragma once

#include "postgresql/migration.hpp"

namespace twiliowa::detail {

const PostgresMigration& outbox_migration() noexcept;
/// The version from which on there are tables for quotas.
inline constexpr int version_with_quotas = 3;

}  // namespace twiliowa::detail
