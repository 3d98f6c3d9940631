/// @file
/// Quotas that are counted in a server of PostgreSQL: processes of several machines share them.
/// Link `twiliowa::postgresql`.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/state/quota_storage.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Options of PostgresQuotas; those of PostgresStoreOptions mean the same.
struct PostgresQuotasOptions {
    /// Whether tables that are not there are made, where the role may make them.
    bool create = true;
    /// How many are kept, at most: so many threads do not wait for one another.
    int connections = 4;
    /// For a connection to be made, all servers that the URL names taken together.
    std::chrono::milliseconds connect_timeout{5'000};
    /// For what is asked to be answered; also, for a connection to be free.
    std::chrono::milliseconds statement_timeout{5'000};
};

/// Counts quotas in a database of PostgreSQL 12 or later, for any number of threads and processes,
/// of any number of machines. Operations of one quota wait for one another; those of different ones
/// do not. Each is three round trips, and waits for the server's disk. The server's time counts.
/// Goes through PgBouncer in transaction mode.
///
/// The tables are in the schema `twiliowa`, beside those of a PostgresStore and a PostgresOutbox:
/// what is said there of who makes them, of rights and of the servers that are refused holds here,
/// too. One database holds the quotas of one service.
///
/// Thread-safe. Open one in each process after fork(); one that was opened before answers an error
/// in the child.
///
/// Errors are those of `store_error`, each with its way out, with PostgreSQL's five characters for
/// it, and without keys and whatever the server says of them.
class PostgresQuotas final : public QuotaStorage {
public:
    /// Connects, and makes the tables where there are none. The server must be there, as for a
    /// PostgresStore.
    /// @param url  as for PostgresStore
    /// @throws InvalidRequestError if an option is wrong.
    /// @throws TransportError (field "store") as PostgresStore.
    explicit PostgresQuotas(const std::string& url, PostgresQuotasOptions options = {});
    PostgresQuotas(const PostgresQuotas&) = delete;
    PostgresQuotas& operator=(const PostgresQuotas&) = delete;
    ~PostgresQuotas() override;

    /// Makes the tables, or brings those of an earlier version up to date, in one transaction.
    /// @throws as the constructor.
    static void migrate(const std::string& url, const PostgresQuotasOptions& options = {});
    static Result<void> try_migrate(const std::string& url,
                                    const PostgresQuotasOptions& options = {});
    /// What that does where there are no tables, as a script for psql.
    static std::string migration_sql();

    Result<QuotaReply> reserve(const QuotaRequest& request) override;
    Result<QuotaSettlement> settle(std::string_view quota, std::string_view send,
                                   std::int64_t actual,
                                   std::chrono::milliseconds remembered) override;
    Result<QuotaEnd> release(std::string_view quota, std::string_view send) override;
    Result<QuotaReply> read(std::string_view quota,
                            const std::vector<QuotaSlot>& time_slots) override;
    Result<std::vector<QuotaCount>> history(std::string_view quota, std::int64_t period,
                                            TimePoint from, TimePoint to) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
