/// @file
/// The tables of an outbox, as numbered migrations.
#pragma once

#include <span>
#include <string>

#include "sqlite/database_file.hpp"

namespace twiliowa::detail {

/// "TwWo".
inline constexpr int outbox_application_id = 0x5477576f;

/// Each takes the tables of one version to the next; the first makes them.
std::span<const char* const> outbox_migrations() noexcept;

/// What the file of an outbox is, by this library.
FileKind outbox_file_kind() noexcept;

/// All migrations and the header, to be run on an empty file.
std::string outbox_migration_sql();

}  // namespace twiliowa::detail
