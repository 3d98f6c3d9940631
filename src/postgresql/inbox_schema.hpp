/// @file
/// The tables of an inbox, in the schema of an outbox's.
#pragma once

namespace twiliowa::detail {

/// What leads from the outbox's first version to the second.
const char* postgres_inbox_tables() noexcept;
/// What leads from the fourth to the fifth: accounts take turns. Without it they do, too, by longer
/// walks.
const char* postgres_inbox_turns() noexcept;
/// The version from which on there are these tables.
inline constexpr int version_with_inbox = 2;

}  // namespace twiliowa::detail
