/// @file
/// The tables of an outbox, as numbered migrations.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sqlite/database_file.hpp"

namespace twiliowa::detail {

/// "TwWo".
inline constexpr int outbox_application_id = 0x5477576f;

/// Each takes the tables of one version to the next; the first makes them.
std::span<const char* const> outbox_migrations() noexcept;

/// What the header says of a file that is an outbox's alone.
FileKind outbox_file_kind() noexcept;
/// From which version on the tables say themselves of which one they are.
inline constexpr int first_noted_outbox_version = 2;
/// Reads that; `schema` ends with a dot, or is empty.
std::string noted_outbox_version_sql(std::string_view schema);
/// Makes them say that they are of this version.
std::string note_outbox_version_sql();

/// All migrations, the version and the header, to be run on an empty file.
std::string outbox_migration_sql();

}  // namespace twiliowa::detail
