/// @file
/// The tables of an inbox: the second migration of an outbox's file.
#pragma once

namespace twiliowa::detail {

const char* inbox_tables() noexcept;

}  // namespace twiliowa::detail
