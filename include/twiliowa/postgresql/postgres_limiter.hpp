/// @file
/// A rate limit that processes of several machines keep together, in a server of PostgreSQL. Link
/// `twiliowa::postgresql`.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <twiliowa/http/leased_limiter.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Options of PostgresLimiter. Those of all processes must be the same, but for the last five.
struct PostgresLimiterOptions {
    double per_second = 80.0;              ///< Of each sender, by all processes: 1e-6 to 1e6.
    double burst = 1.0;                    ///< How many may leave at once after a pause, 1 to 1e6.
    std::chrono::milliseconds lease{250};  ///< A block of permits may leave in this time.
    /// Limiters with different ones have nothing in common.
    std::string name = {};
    /// Whose blind indexes stand for senders in the rows. Without it hashes do, which tell a sender
    /// to who tries all phone numbers.
    std::optional<Sealer> sealer = {};
    std::string key_id = {};  ///< Of the sealer's ring: which key hashes, for good.
    /// Whether tables that are not there are made, where the role may make them.
    bool create = true;
    /// For a connection to be made, and for the server to answer a question: after that it counts
    /// as away.
    std::chrono::milliseconds timeout{1'000};
    int processes = 0;                        ///< As LeasedLimiterOptions says it.
    bool own_thread = true;                   ///< As LeasedLimiterOptions says it.
    std::shared_ptr<Observer> observer = {};  ///< Hears when the limit is shared, and when not.
    std::shared_ptr<Clock> clock = {};        ///< Default: the machine's.
};

/// A limit for each sender in a database of PostgreSQL 12 or later, that any number of processes
/// keep together; LeasedLimiter says how. The clock is the database's. What is kept is a row for
/// each sender (`twiliowa.limiter_sender`), with one time in it, and one for each process
/// (`twiliowa.limiter_process`); both tables are not logged, so that no question waits for the
/// server's disk, and empty after a crash, which gives a block to each process once more.
///
/// Over the wire goes a statement for each block of permits and one a second that counts the
/// processes: at 80 a second five for a process and sender, at most. One connection, which is made
/// anew when it ends, and nothing of it in the session: PgBouncer may stand between in transaction
/// mode.
///
/// A server that is away, a standby, or without the tables, is told (`state`,
/// Observer::on_limiter), and each process keeps to its share meanwhile.
///
/// The tables are in the schema `twiliowa`. Where the role may not make them, whoever may runs
/// `migration_sql()` and grants it usage of the schema, and select, insert, update and delete on
/// them.
///
/// Thread-safe. Make one in each process after fork().
class PostgresLimiter final : public LeasedLimiter {
public:
    /// Connects, makes the tables where there are none, and asks how many processes there are. A
    /// server that does not answer is no error.
    /// @param url  as of PostgresStore, without a password.
    /// @throws InvalidRequestError if the URL or an option is wrong.
    explicit PostgresLimiter(const std::string& url, const PostgresLimiterOptions& options = {});

    /// Makes the tables, or brings those of an earlier version up to date, in one transaction.
    static Result<void> migrate(const std::string& url, const PostgresLimiterOptions& options = {});
    /// What that does where there are no tables, as a script for psql.
    static std::string migration_sql();
};

}  // namespace twiliowa
