/// @file
/// The tables of a PostgresOutbox.
#pragma once

#include "postgresql/migration.hpp"

namespace twiliowa::detail {

const PostgresMigration& outbox_migration() noexcept;
/// The versions from which on there are tables for quotas, and for campaigns.
inline constexpr int version_with_quotas = 3;
inline constexpr int version_with_campaigns = 4;

/// What the tables keep beside a job's row, by their version.
enum class JobTables {
    plain,
    with_quotas,
    with_campaigns,  ///< And quotas.
};
constexpr JobTables job_tables_of(int version) noexcept {
    if (version >= version_with_campaigns) return JobTables::with_campaigns;
    return version >= version_with_quotas ? JobTables::with_quotas : JobTables::plain;
}

}  // namespace twiliowa::detail
