/// @file
/// Jobs in a file of SQLite: what is handed to an outbox survives the process and a loss of power,
/// and processes of one machine share it. Link `twiliowa::sqlite`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

struct sqlite3;

namespace twiliowa {

class MetricSamples;

/// Options of SqliteOutbox.
struct SqliteOutboxOptions {
    /// Whether a file that is not there is made, for its owner alone, and an empty one filled.
    bool create = true;
    /// Whether the outbox may lie in a program's file: its tables are then made beside those of the
    /// program (`create`, or `migrate`), unless a name of theirs is taken, and `application_id` and
    /// `user_version` are left to the program. The file gets a write-ahead log. Who opens a file
    /// that has the tables does not need this.
    bool allow_other_tables = false;
    /// How long it waits for another process that writes, before it answers an error.
    std::chrono::milliseconds busy_timeout{5'000};
    /// Default: the machine's. What `not_before`, looks and records go by, to the microsecond.
    std::shared_ptr<Clock> clock = {};
    /// What leases go by. Default: the time since the machine started, suspended time included, and
    /// which start that was (/proc/sys/kernel/random/boot_id). Must be safe to call from any
    /// thread.
    std::function<LeaseTime()> lease_clock = {};
    /// Whether the file may lie on a file system of the network, or in user space, where SQLite's
    /// locks and log may not hold: only where one process of one machine uses it.
    bool allow_network_file_system = false;
};

/// How much a SqliteOutbox has done since it was opened.
struct SqliteOutboxStats {
    std::uint64_t works = 0;    ///< Works that were run.
    std::uint64_t commits = 0;  ///< Commits that wrote: each is one fsync, for one or more works.
    std::uint64_t waiting = 0;  ///< Works that wait now for the commit that is under way.
};

/// The jobs of an Outbox in one file, on a disk of this machine, for any number of threads and
/// processes. What `transact` answered is on the disk (WAL, synchronous=FULL); what is erased is
/// overwritten (`secure_delete`).
///
/// Works share commits: who comes while another's commit is under way waits, and then all who have
/// come are committed at once, by one of them in its own thread. So the more threads there are, the
/// more they share, and nobody waits longer for company. A work that fails is undone alone. If the
/// commit fails, all of it is undone, and each gets the error.
///
/// A work may therefore run in another thread that is in `transact`: it must take no lock that
/// somebody may hold who calls `transact`, and not call `transact` itself, which is an error.
///
/// The file may have tables of a program, too (docs/outbox.md). Rows of its own that a work writes
/// on `OutboxTransaction::native().sqlite` are committed with the work, or undone with it. Foreign
/// keys are not enforced there. A work whose statement there ends the transaction is undone, and
/// answered an error; statements that it leaves running are reset.
///
/// Thread-safe. Open one in each process after fork(); one that was opened before answers an error
/// in the child. Errors are those of `store_error`, each with its way out, without texts, numbers
/// and paths.
///
/// A file that lies elsewhere than before, as a copy or a backup does, has another `identity`. One
/// that was overwritten in its place has not.
class SqliteOutbox final : public OutboxStorage {
public:
    /// Opens the file, and makes its tables where it is empty.
    /// @throws InvalidRequestError if an option is wrong.
    /// @throws TransportError (field "store") if the file cannot be opened, is another program's,
    /// or of another version of this library; it stays as it was.
    explicit SqliteOutbox(const std::string& path, SqliteOutboxOptions options = {});
    SqliteOutbox(const SqliteOutbox&) = delete;
    SqliteOutbox& operator=(const SqliteOutbox&) = delete;
    ~SqliteOutbox() override;

    Result<void> transact(const Work& work) override;
    std::uint32_t outbox_id() const override;
    LeaseTime lease_now() const override;
    std::string identity() const override;

    /// What it has done so far: for metrics.
    SqliteOutboxStats stats() const;

    /// Brings the tables of a file up to this version of the library, in one transaction; makes
    /// them if it is empty, or allowed to have others. No process may be using it with an earlier
    /// version.
    static Result<void> migrate(const std::string& path, SqliteOutboxOptions options = {});
    /// What `migrate` runs on an empty file, for who makes his databases himself. In a file that is
    /// not the outbox's alone leave out its last two pragmas.
    static std::string migration_sql();

    /// As OutboxTransaction::insert, within the caller's transaction on its own connection: the job
    /// is there if and when the caller commits. The caller's transaction is never ended by it,
    /// whatever it answers. All that the caller writes must be in the file of the outbox: a commit
    /// over several attached files with a write-ahead log may, by a loss of power, reach some of
    /// them only. The connection should have `pragma synchronous = full`.
    ///
    /// @param database  used by nobody else meanwhile.
    /// @param schema    what the outbox's file is attached as; letters, digits and `_`.
    /// Errors: InvalidRequestError if no transaction is open, or the outbox's tables are not there
    /// in this version; otherwise those of a store.
    static Result<InsertedJob> insert_into(sqlite3* database, const StoredJob& job,
                                           std::string_view schema = "main");

private:
    friend void add_samples(MetricSamples& samples, const SqliteOutbox& storage);
    struct State;
    std::unique_ptr<State> state_;
};

/// Adds to a scrape how long the commits of a storage took, and how many works shared each: the
/// histograms that docs/metrics.md lists. Of one storage of a process.
void add_samples(MetricSamples& samples, const SqliteOutbox& storage);

/// Hands a message over within the transaction that is open on `database`, a connection of the
/// program's own to the outbox's file (see `SqliteOutbox::insert_into`): the job is there when that
/// commits. A key that exists is an answer, and no error.
/// @param outbox  an Outbox on that file: `Outbox::try_enqueue_by` says what it does not ask here.
template <class Outbox>
Result<EnqueuedJob> try_enqueue_in(sqlite3* database, Outbox& outbox,
                                   const OutboundMessage& message, const JobOptions& options = {}) {
    return outbox.try_enqueue_by(
        [database](const StoredJob& job) { return SqliteOutbox::insert_into(database, job); },
        message, options);
}

}  // namespace twiliowa
