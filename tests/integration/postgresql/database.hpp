/// @file
/// What the tests against a PostgreSQL share.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "postgresql/connection.hpp"
#include "support/servers.hpp"
#include "support/skip.hpp"

namespace twiliowa::test {

/// Reports the test as skipped where there is no PostgreSQL: return after it.
inline bool lacks_postgres() {
    if (TestPostgres::is_installed()) return false;
    skip("PostgreSQL is not installed below /usr/lib/postgresql");
    return true;
}

inline bool lacks_pgbouncer() {
    if (lacks_postgres()) return true;
    if (TestPgBouncer::is_installed()) return false;
    skip("PgBouncer is not installed");
    return true;
}

/// Long enough for a busy machine; who tests that it ends gives less.
inline detail::PostgresConnectionOptions patient() {
    return {std::chrono::seconds{30}, std::chrono::seconds{30}, {}};
}

inline std::unique_ptr<detail::PostgresConnection> connection_to(
    const std::string& url, detail::PostgresConnectionOptions options = patient()) {
    return std::make_unique<detail::PostgresConnection>(detail::parse_postgres_url(url).value(),
                                                        std::move(options));
}

/// A database of its own in the server that all share.
struct Database {
    TestPostgres& server = TestPostgres::shared();
    std::string name = server.new_database();

    std::string url(std::string_view role = "twiliowa") const { return server.url(name, role); }
    std::string psql(std::string_view sql) const { return server.psql(name, sql); }
    std::unique_ptr<detail::PostgresConnection> connect(
        detail::PostgresConnectionOptions options = patient()) const {
        return connection_to(url(), std::move(options));
    }
};

}  // namespace twiliowa::test
