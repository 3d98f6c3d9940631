/// @file
/// The tables of a PostgresOutbox.
#pragma once

#include <string>
#include <string_view>

#include "postgresql/migration.hpp"

namespace twiliowa::detail {

const PostgresMigration& outbox_migration() noexcept;
/// Has the tables of the next days made and those of old ones removed, by one transaction at a
/// time: whoever is not the first leaves it to that. The arguments are twiliowa.tend_days'.
std::string tend_days_sql(std::string_view arguments);
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
