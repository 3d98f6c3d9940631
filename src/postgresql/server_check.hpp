/// @file
/// What a server of PostgreSQL must be to keep jobs or state: one that writes, and that has what it
/// wrote when the power fails.
#pragma once

#include <cstdint>
#include <string>

#include <twiliowa/types/result.hpp>

#include "postgresql/connection.hpp"

namespace twiliowa::detail {

/// Statements here say MATERIALIZED, and a pipeline is one transaction: both hold from 12 on.
inline constexpr int oldest_postgres = 120'000;

/// By what a database that went back in time, or another one, is noticed. Empty or 0 where the role
/// may not read it.
struct PostgresServer {
    int version = 0;  ///< 150004 is 15.4.
    std::string system_identifier = {};
    std::uint32_t timeline = 0;  ///< Grows when a standby takes over.
};

/// Refuses by name a server that is older than 12, in recovery, or does not wait for its disk
/// (fsync, synchronous_commit), and a database that is not in UTF-8.
Result<PostgresServer> check_durable(PostgresConnection& connection);

}  // namespace twiliowa::detail
