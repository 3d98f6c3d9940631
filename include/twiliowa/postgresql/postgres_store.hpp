/// @file
/// A Store in a server of PostgreSQL: processes of several machines share what is remembered. Link
/// `twiliowa::postgresql`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/state/store.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Options of PostgresStore.
struct PostgresStoreOptions {
    /// Whether tables that are not there are made, where the role may make them.
    bool create = true;
    /// Key and value together; a larger entry is refused. A key has 2,600 bytes at most.
    std::size_t max_entry_bytes = 4'096;
    /// How many are kept, at most: so many threads do not wait for one another. Each is opened when
    /// it is first needed.
    int connections = 4;
    /// For a connection to be made, all servers that the URL names taken together. To look up their
    /// names takes as long as the system's resolver lets it.
    std::chrono::milliseconds connect_timeout{5'000};
    /// For what is asked to be answered; also, for a connection to be free.
    std::chrono::milliseconds statement_timeout{5'000};
};

/// A store in a database of PostgreSQL 12 or later, for any number of threads and processes, of any
/// number of machines. What was written is as durable as the server's commits: an operation is one
/// round trip, and a write waits for the server's disk. Goes through PgBouncer in transaction mode:
/// nothing is left in a session, and no statement is prepared.
///
/// The server decides when an entry has expired: clocks of other machines do not matter. Nothing is
/// ever dropped before its time, evictable or pinned. Entries that have expired go in small batches
/// with the writes that follow.
///
/// No version is given to a key twice: it is the server's time in microseconds and three random
/// digits, at least one more than the version before, which stays until the server's time has come
/// to it. So it holds where a server forgets its last writes, too, when a standby takes over or a
/// backup is restored. What remains is a clock that is set back after an entry has gone: the key's
/// next version may then be smaller, and is the same in one of a thousand cases that fall into the
/// very microsecond.
///
/// The tables are in the schema `twiliowa`, which is the library's own. The first store makes them;
/// where its role may not, it says so, and whoever may runs `migration_sql()` and grants the role
/// usage of the schema, and select, insert, update and delete on its tables. One database holds the
/// entries of one store.
///
/// A server that is a standby, does not wait for its disk (fsync=off, synchronous_commit off or
/// local), or whose database is not in UTF-8, is refused. A server that does not answer, at
/// whatever step, is given up when the time of the options has passed; the next operation connects
/// anew.
///
/// Thread-safe. Open one in each process after fork(); one that was opened before answers an error
/// in the child.
///
/// Errors are those of `store_error`, each with its way out, with PostgreSQL's five characters for
/// it, and without keys, values and whatever the server says of them.
class PostgresStore final : public Store {
public:
    /// Connects, and makes the tables where there are none. The server must be there: a program
    /// that is to begin without it makes the store again later, or is started again.
    /// @param url  `postgresql://role@host/database`, with several hosts and whatever else libpq
    /// takes,
    ///     or a connection string; what is left out comes from libpq's environment variables. A
    ///     password in it is refused: PGPASSFILE, PGSERVICEFILE or PGPASSWORD give it.
    /// @throws InvalidRequestError if an option is wrong.
    /// @throws TransportError (field "store") if there is no such server or database, the role or
    /// its
    ///     password is refused, the server would lose what it has said it has, or the tables are
    ///     another program's, of a later version of this library, or missing and not to be made;
    ///     they stay as they were.
    explicit PostgresStore(const std::string& url, PostgresStoreOptions options = {});
    PostgresStore(const PostgresStore&) = delete;
    PostgresStore& operator=(const PostgresStore&) = delete;
    ~PostgresStore() override;

    /// Makes the tables, or brings those of an earlier version up to date, in one transaction.
    /// @throws as the constructor.
    static void migrate(const std::string& url, const PostgresStoreOptions& options = {});
    static Result<void> try_migrate(const std::string& url,
                                    const PostgresStoreOptions& options = {});
    /// What that does where there are no tables, as a script for psql.
    static std::string migration_sql();

    Result<std::optional<StoredValue>> get(std::string_view key) override;
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override;
    Result<bool> erase(std::string_view key, std::uint64_t expected) override;
    /// In one round trip for each 1024 keys.
    Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
