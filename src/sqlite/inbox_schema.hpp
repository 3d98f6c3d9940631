/// @file
/// The tables of an inbox: migrations of an outbox's file.
#pragma once

namespace twiliowa::detail {

/// The second.
const char* inbox_tables() noexcept;
/// The fifth: accounts take turns.
const char* inbox_turns() noexcept;

}  // namespace twiliowa::detail
