/// @file
/// A connection to a server of PostgreSQL, its statements and transactions. Not thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <twiliowa/types/result.hpp>

#include "postgresql/fault.hpp"
#include "postgresql/target.hpp"
#include "postgresql/values.hpp"

struct pg_conn;

namespace twiliowa::detail {

class PostgresConnection;

/// How somebody else has left a connection in whose transaction they were.
enum class BorrowedState {
    in_transaction,
    failed,  ///< A statement failed: only a rollback is left.
    ended,   ///< There is no transaction any more.
    busy,    ///< Something is under way.
    lost,    ///< The server is gone.
};

struct PostgresConnectionOptions {
    /// To look up a name takes as long as the system's resolver lets it, whatever this says.
    std::chrono::milliseconds connect_timeout{10'000};
    /// Of one statement, or of several that are sent at once.
    std::chrono::milliseconds statement_timeout{10'000};
    /// Runs on each connection as it is made; an error of it is the statement's that wanted one.
    std::function<Result<void>(PostgresConnection&)> on_open = {};
    /// How old the plan of a prepared statement may be. It is as good as what the server knew of
    /// the tables when it was made: of a queue that was empty then it is a bad one soon.
    std::chrono::milliseconds plans_kept{60'000};
};

/// Connects at its first use. One that ended, or did not answer in time, is thrown away, and the
/// next use makes another. Nothing is left in the session, so that a pooler may lend it to a
/// transaction at a time; where there is none, statements that come again are prepared.
///
/// Every error is a store_error; `fault` says the rest.
class PostgresConnection {
public:
    explicit PostgresConnection(PostgresTarget target, PostgresConnectionOptions options = {});
    PostgresConnection(const PostgresConnection&) = delete;
    PostgresConnection& operator=(const PostgresConnection&) = delete;
    ~PostgresConnection();

    /// Connects, unless there is a connection.
    Result<void> open();
    /// A statement in a transaction of its own, or in the one that was begun.
    Result<PostgresRows> execute(const PostgresStatement& statement);
    /// Several in one round trip: all of them or none.
    Result<std::vector<PostgresRows>> execute_all(std::span<const PostgresStatement> statements);
    /// Statements without values and rows, separated by semicolons.
    Result<void> run_script(const std::string& sql);

    /// Why the last of the above failed; `none` if it did not.
    PostgresFault fault() const noexcept { return fault_; }
    bool is_in_transaction() const noexcept;
    /// As the server said when it was connected to: 150004 is 15.4. 0 without a connection.
    int server_version() const noexcept;
    /// libpq's own; null without a connection. Who uses it leaves the transaction as it is.
    pg_conn* native() noexcept { return connection_; }
    BorrowedState borrowed_state() const noexcept;
    /// Replaces that of the options, from the next statement on.
    void allow(std::chrono::milliseconds statement_timeout) noexcept {
        options_.statement_timeout = statement_timeout;
    }
    std::chrono::milliseconds statement_timeout() const noexcept {
        return options_.statement_timeout;
    }
    /// Whatever the options say, nothing is waited for longer than that, from the next statement
    /// on.
    void end_by(std::chrono::steady_clock::time_point time) noexcept { latest_ = time; }
    void close() noexcept;
    /// In a process that was forked the server must not be told anything, not even good-bye.
    void abandon() noexcept;

private:
    friend class BorrowedPostgres;
    friend class PostgresTransaction;
    using Deadline = std::chrono::steady_clock::time_point;

    /// Of a statement that has come before.
    struct Kept {
        std::string name = {};  ///< Empty: it is not prepared.
        std::vector<unsigned> types = {};
    };

    Result<void> connect();
    Result<void> find_out_whether_direct();
    Result<void> prepare(std::span<const PostgresStatement> statements);
    Result<void> forget_plans();
    Result<void> connect_to(const PostgresTarget::Options& server, Deadline deadline);
    Result<void> ready();
    Result<std::vector<PostgresRows>> begin(std::span<const PostgresStatement> first);
    bool has_ended() noexcept;
    bool send(const PostgresStatement& statement);
    bool await(short events, Deadline deadline) noexcept;
    bool flush(Deadline deadline) noexcept;
    /// The next result, null if there is none. False: the connection is of no more use.
    bool receive(pg_result*& result, Deadline deadline) noexcept;
    Result<PostgresRows> only_result(Deadline deadline);
    Result<std::vector<PostgresRows>> results(std::size_t count, Deadline deadline);
    Deadline deadline() const;
    Error fail(PostgresFault fault, std::string_view sqlstate = {});
    Error fail_with(const pg_result* result);
    Error lose();

    PostgresTarget target_;
    PostgresConnectionOptions options_;
    pg_conn* connection_ = nullptr;
    PostgresFault fault_ = PostgresFault::none;
    bool opening_ = false;
    bool in_transaction_ = false;  ///< Of a PostgresTransaction, even if the connection is gone.
    bool borrowed_ = false;
    bool is_direct_ = false;  ///< The session is this connection's, and no pooler's.
    std::unordered_map<std::string, Kept> kept_ = {};  ///< By their text.
    Deadline plans_end_ = {};
    Deadline latest_ = (Deadline::max)();
    int prepared_ = 0;  ///< So many names were given.
};

/// Somebody else's connection while a function uses it. It waits as long as the server takes.
class BorrowedPostgres {
public:
    explicit BorrowedPostgres(pg_conn* connection);
    BorrowedPostgres(const BorrowedPostgres&) = delete;
    BorrowedPostgres& operator=(const BorrowedPostgres&) = delete;
    ~BorrowedPostgres();

    PostgresConnection& connection() noexcept { return connection_; }
    /// That it is in a transaction, idle, and no pipeline was begun: store_error.
    Result<void> check_in_transaction() const;

private:
    PostgresConnection connection_;
    bool was_nonblocking_;
};

/// READ COMMITTED, and rolled back unless committed. The server ends what takes longer than the
/// connection's time for a statement, so that nothing is locked by who has gone.
class PostgresTransaction {
public:
    explicit PostgresTransaction(PostgresConnection& connection) noexcept
        : connection_(connection) {}
    PostgresTransaction(const PostgresTransaction&) = delete;
    PostgresTransaction& operator=(const PostgresTransaction&) = delete;
    ~PostgresTransaction();

    Result<void> begin();
    /// The same with its first statements, in one round trip; their rows.
    Result<std::vector<PostgresRows>> begin(std::span<const PostgresStatement> first);
    /// If it fails with `lost`, the transaction may have been committed.
    Result<void> commit();

private:
    PostgresConnection& connection_;
};

/// `work(connection)`, which gives a Result, in a transaction that is begun anew as long as others
/// are in its way, at most 5 times.
template <class Work>
auto in_transaction(PostgresConnection& connection, const Work& work)
    -> std::invoke_result_t<const Work&, PostgresConnection&> {
    for (int attempts = 1; true; ++attempts) {
        PostgresTransaction transaction{connection};
        if (auto begun = transaction.begin(); !begun) return begun.error();
        auto done = work(connection);
        if (done) {
            auto committed = transaction.commit();
            if (committed) return done;
            done = committed.error();
        }
        if (connection.fault() != PostgresFault::conflict || attempts == 5) return done;
    }
}

}  // namespace twiliowa::detail
