/// @file
/// Jobs and events in a database of PostgreSQL: what is handed to an outbox, and what comes into an
/// inbox, survives the process and a loss of power, and processes of many machines share it. Link
/// `twiliowa::postgresql`.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

struct pg_conn;

namespace twiliowa {

class MetricSamples;

/// Options of PostgresOutbox.
struct PostgresOutboxOptions {
    /// Whether the tables are made in a database that has none: the role must be allowed to create
    /// a schema. Earlier tables are never changed by opening: see `PostgresOutbox::migrate`.
    bool create = true;
    /// How long it waits for a connection, over all servers that the URL names.
    std::chrono::milliseconds connect_timeout{10'000};
    /// How long it waits for an answer, for a lock that others hold, and to learn whether a commit
    /// was made whose answer was lost.
    std::chrono::milliseconds statement_timeout{10'000};
};

/// How much a PostgresOutbox has done since it was opened.
struct PostgresOutboxStats {
    std::uint64_t works = 0;        ///< Works that were run.
    std::uint64_t commits = 0;      ///< Commits that wrote, for one or more works each.
    std::uint64_t begun_anew = 0;   ///< Transactions that were run again.
    std::uint64_t connections = 0;  ///< Connections that were made.
    std::uint64_t waiting = 0;      ///< Works that wait now for the commit that is under way.
};

/// The jobs of an Outbox, and the events of a DurableInbox, in the schema `twiliowa` of one
/// database, for any number of threads, processes and machines. What `transact` answered survives a
/// loss of power: a server that does not wait for its disk (fsync, synchronous_commit) is refused,
/// and so is a standby.
///
/// All times are the database's (`twiliowa.now()`): a machine's calendar changes nothing.
///
/// One connection, which is made anew when it ends, and nothing of it in the session: PgBouncer may
/// stand between in transaction mode. Works of several threads share commits, as in a SqliteOutbox.
/// A work may run in another thread that is in `transact`, and is run again when others have
/// changed what it read: it must take no lock that somebody may hold who calls `transact`, and not
/// call it.
///
/// A commit whose answer is lost is asked for on a new connection. Only where nothing tells until
/// `statement_timeout`, as when the server is gone, the answer is an error although it may have
/// been committed (Effect::unknown): a job that was handed over is known by its key then.
///
/// `identity` is the database cluster, its timeline and the database: another one after a standby
/// took over, and for a backup that was recovered. It is empty where the role may not read it
/// (grant execute on function pg_catalog.pg_control_system()). After a connection to another one,
/// no job is given out before `identity` was asked for, as an Outbox that runs does.
///
/// Tables of an earlier version keep jobs, and no events, quotas or campaigns before they have
/// those tables (`migrate`); those of a later one are refused.
///
/// Thread-safe. Open one in each process after fork(); one that was opened before answers an error
/// in the child. Errors are those of `store_error`, each with its way out, and without a value of a
/// row.
class PostgresOutbox final : public OutboxStorage {
public:
    /// Connects, and makes the tables where there are none.
    /// @param url  as libpq takes it, `postgresql://outbox@db.example/shop`, without a password:
    /// that comes by PGPASSFILE, PGSERVICEFILE or PGPASSWORD.
    /// @throws InvalidRequestError if the URL or an option is wrong.
    /// @throws TransportError (field "store") if the server cannot be reached, is a standby or not
    /// durable, or its tables are another program's or of another version; they stay as they were.
    explicit PostgresOutbox(const std::string& url, PostgresOutboxOptions options = {});
    PostgresOutbox(const PostgresOutbox&) = delete;
    PostgresOutbox& operator=(const PostgresOutbox&) = delete;
    ~PostgresOutbox() override;

    Result<void> transact(const Work& work) override;
    std::uint32_t outbox_id() const override;
    LeaseTime lease_now() const override;
    std::optional<TimePoint> now() const override;
    std::string identity() const override;

    /// What it has done so far: for metrics.
    PostgresOutboxStats stats() const;

    /// Makes the tables, or brings those of an earlier version up to this one, in one transaction,
    /// beside those who work: they wait meanwhile, for seconds where a million jobs are ready. A
    /// lock that others hold is waited for as long as `statement_timeout` says. The role must own
    /// them.
    static Result<void> migrate(const std::string& url, PostgresOutboxOptions options = {});
    /// The same as a script for psql, for who owns the database: from that version on, 0 where
    /// there are no tables yet. Run on tables of another version it stops and changes nothing;
    /// which one it is: `select version from twiliowa.schema_version where component = 'outbox'`.
    static std::string migration_sql(int from_version = 0);

    /// As OutboxTransaction::insert, within the transaction that is open on the caller's own
    /// connection: the job is there if and when the caller commits. The caller's transaction goes
    /// on, whatever it answers.
    ///
    /// @param connection  libpq's; used by nobody else meanwhile. Its role needs usage of the
    /// schema and execute on `twiliowa.insert_job`, and nothing else.
    /// Errors: InvalidRequestError if no transaction is open, or the job is a campaign's, which
    /// only an Outbox inserts; otherwise those of a store. In a transaction that is repeatable read
    /// or serializable, a key that another has used meanwhile is one of them: begin it anew.
    static Result<InsertedJob> insert_into(pg_conn* connection, const StoredJob& job);

private:
    friend void add_samples(MetricSamples& samples, const PostgresOutbox& storage);
    struct State;
    std::unique_ptr<State> state_;
};

/// Adds to a scrape how long the commits of a storage took, and how many works shared each: the
/// histograms that docs/metrics.md lists. Of one storage of a process.
void add_samples(MetricSamples& samples, const PostgresOutbox& storage);

/// A job's insert as a statement, for a driver that is not libpq, in a transaction of its own:
///
///     outbox.try_enqueue_by([&](const StoredJob& job) {
///         const auto insert = OutboxSql::insert(job);
///         return OutboxSql::answer(run(insert.text, insert.parameters));  // the driver's own
///     }, message, {.key = "thanks-A-1042"});
struct OutboxSql {
    /// With places $1, $2, and so on.
    std::string text = {};
    /// What they are, as text; nullopt is NULL.
    std::vector<std::optional<std::string>> parameters = {};

    /// Inserts the job unless its key is known; gives one row of one column of text, for `answer`.
    /// @throws InvalidRequestError if the job is a campaign's.
    static OutboxSql insert(const StoredJob& job);
    /// What that row says. Errors: InvalidRequestError if it is not what `insert` gives.
    static Result<InsertedJob> answer(std::string_view column);
};

/// Hands a message over within the transaction that is open on `connection`, a connection of the
/// program's own to the outbox's database (see `PostgresOutbox::insert_into`): the job is there
/// when that commits. A key that exists is an answer, and no error.
/// @param outbox  an Outbox on that database: `Outbox::try_enqueue_by` says what it does not ask
/// here.
template <class Outbox>
Result<EnqueuedJob> try_enqueue_in(pg_conn* connection, Outbox& outbox,
                                   const OutboundMessage& message, const JobOptions& options = {}) {
    return outbox.try_enqueue_by(
        [connection](const StoredJob& job) { return PostgresOutbox::insert_into(connection, job); },
        message, options);
}

}  // namespace twiliowa
