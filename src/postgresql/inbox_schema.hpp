/// @file
/// The tables of an inbox, in the schema of an outbox's.
#pragma once

namespace twiliowa::detail {

/// What leads from the outbox's first version to the second.
const char* postgres_inbox_tables() noexcept;
/// The version from which on there are these tables.
inline constexpr int version_with_inbox = 2;

}  // namespace twiliowa::detail
