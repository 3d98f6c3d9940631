/// @file
/// Consents that are kept in a server of PostgreSQL: processes of several machines share them. Link
/// `twiliowa::postgresql`.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/state/consent_storage.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Options of PostgresConsents; those of PostgresStoreOptions mean the same.
struct PostgresConsentsOptions {
    /// Whether tables that are not there are made, where the role may make them.
    bool create = true;
    /// How many are kept, at most: so many threads do not wait for one another.
    int connections = 4;
    /// For a connection to be made, all servers that the URL names taken together.
    std::chrono::milliseconds connect_timeout{5'000};
    /// For what is asked to be answered; also, for a connection to be free.
    std::chrono::milliseconds statement_timeout{5'000};
};

/// Keeps consents in a database of PostgreSQL 12 or later, for any number of threads and processes,
/// of any number of machines. What was answered is on the server's disk. Goes through PgBouncer in
/// transaction mode.
///
/// The tables are in the schema `twiliowa`, beside those of a PostgresStore and a PostgresOutbox:
/// what is said there of who makes them, of rights and of the servers that are refused holds here,
/// too. One database holds the consents of one service.
///
/// Thread-safe. Open one in each process after fork(); one that was opened before answers an error
/// in the child.
///
/// Errors are those of `store_error`, each with its way out, with PostgreSQL's five characters for
/// it, and without persons and whatever the server says of them.
class PostgresConsents final : public ConsentStorage {
public:
    /// Connects, and makes the tables where there are none.
    /// @param url  as for PostgresStore
    /// @throws InvalidRequestError if an option is wrong.
    /// @throws TransportError (field "store") as PostgresStore.
    explicit PostgresConsents(const std::string& url, PostgresConsentsOptions options = {});
    PostgresConsents(const PostgresConsents&) = delete;
    PostgresConsents& operator=(const PostgresConsents&) = delete;
    ~PostgresConsents() override;

    /// Makes the tables, or brings those of an earlier version up to date, in one transaction.
    /// @throws as the constructor.
    static void migrate(const std::string& url, const PostgresConsentsOptions& options = {});
    static Result<void> try_migrate(const std::string& url,
                                    const PostgresConsentsOptions& options = {});
    /// What that does where there are no tables, as a script for psql.
    static std::string migration_sql();

    Result<std::size_t> add(std::span<const ConsentRecord> records) override;
    Result<std::vector<ConsentAnswer>> latest(std::span<const ConsentQuestion> questions) override;
    Result<std::vector<ConsentRecord>> history(std::string_view person) override;
    Result<ForgottenConsents> forget(std::string_view person, TimePoint since,
                                     TimePoint before) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
