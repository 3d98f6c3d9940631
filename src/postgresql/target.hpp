/// @file
/// Where a server of PostgreSQL is: a URL or a connection string, as libpq reads it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// The options of a connection, each with its value. Where several servers are named, those of each
/// in turn: libpq would wait for the first one as long as it takes.
struct PostgresTarget {
    using Options = std::vector<std::pair<std::string, std::string>>;
    std::vector<Options> servers = {};
};

/// An InvalidRequestError of field "url" refuses what libpq does not understand, and one that holds
/// a password: it would be in the list of processes, in a history, in a log. It quotes nothing.
Result<PostgresTarget> parse_postgres_url(const std::string& url);

}  // namespace twiliowa::detail
