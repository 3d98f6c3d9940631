#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>

#include <twiliowa/state/store.hpp>

#include "outbox/commit_counts.hpp"
#include "sqlite/connection.hpp"
#include "sqlite/database_file.hpp"
#include "sqlite/outbox_file.hpp"
#include "sqlite/outbox_schema.hpp"
#include "sqlite/outbox_transaction.hpp"
#include "state/group_commit.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::size_t most_works_in_one_commit = 1'000;
/// How long a log that is to be emptied waits for those who read it.
constexpr std::chrono::milliseconds patience_with_readers{100};

void check_sqlite_outbox_options(const std::string& path, SqliteOutboxOptions& options) {
    // An empty name and ":memory:" are databases that nobody else sees.
    if (path.empty() || path.front() == ':') {
        Error::invalid_request("path", "names no file").raise();
    }
    if (options.busy_timeout.count() < 0) {
        Error::invalid_request("busy_timeout", "is negative").raise();
    }
    if (!options.clock) options.clock = system_clock();
    if (!options.lease_clock) {
        // Told now, and not in the middle of a work.
        static_cast<void>(machine_lease_time().value());
        options.lease_clock = [] { return machine_lease_time().value(); };
    }
}

Result<std::unique_ptr<SqliteConnection>> open_outbox(const std::string& path,
                                                      const SqliteOutboxOptions& options,
                                                      OutboxTables tables) {
    if (!options.allow_network_file_system) {
        if (auto fits = check_file_system(path); !fits) return fits.error();
    }
    if (options.create) {
        if (auto made = make_database_file(path); !made) return made.error();
    }
    return open_outbox_file(path, options.busy_timeout, tables, options.allow_other_tables);
}

/// Undone again unless it is kept.
class WorkSavepoint {
public:
    explicit WorkSavepoint(SqliteConnection& file) noexcept : file_(file) {}

    Result<void> begin() {
        static const std::string sql = "savepoint one_work";
        return file_.run(sql);
    }
    Result<void> keep() {
        static const std::string sql = "release one_work";
        return file_.run(sql);
    }
    Result<void> undo() {
        static const std::string sql = "rollback to one_work";
        if (auto done = file_.run(sql); !done) return done;
        return keep();
    }

private:
    SqliteConnection& file_;
};

Result<InsertedJob> insert_and_count(SqliteConnection& file, const StoredJob& job,
                                     const OutboxInsertSql& sql) {
    auto inserted = insert_outbox_job(file, job, sql);
    if (!inserted || !inserted->inserted) return inserted;
    OutboxTally tally;
    tally.add_new(job);
    if (const auto done = write_tally(file, tally, sql); !done) return done.error();
    return inserted;
}

/// What became of the transaction of a batch.
enum class BatchEnd {
    settled,  ///< It was committed, or there was nothing to commit.
    undone,   ///< One of several failed that had changed something: nothing was committed.
    lost,     ///< A statement of a program ended it: nothing was committed.
};

enum class WorkEnd {
    counted,  ///< What it changed is what SQLite counted.
    touched,  ///< It may have changed what SQLite does not count.
    lost,     ///< A statement of a program ended the transaction.
};

bool is_schema_name(std::string_view name) noexcept {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
}

}  // namespace
}  // namespace detail

struct SqliteOutbox::State {
    using Commits = detail::GroupCommit<Work>;

    State(const std::string& its_path, SqliteOutboxOptions chosen)
        : path(its_path),
          options(std::move(chosen)),
          file(detail::open_outbox(
                   path, options,
                   options.create ? detail::OutboxTables::make : detail::OutboxTables::require)
                   .value()),
          queue([this](std::span<Commits::Queued* const> batch) { return run(batch); },
                detail::most_works_in_one_commit) {
        outbox_id =
            static_cast<std::uint32_t>(file->number_of("select outbox_id from outbox").value());
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (::getpid() != process) {
            file->abandon();
        } else if (log_holds_erased) {
            empty_log();
        }
    }

    Result<void> check_process() const {
        if (::getpid() == process) return {};
        return store_error("was opened before fork()", "open one in each process");
    }

    Commits::Duration run(std::span<Commits::Queued* const> batch) noexcept;
    Result<detail::BatchEnd> run_together(std::span<Commits::Queued* const> batch);
    Result<detail::BatchEnd> run_apart(std::span<Commits::Queued* const> batch);
    void run_alone(Commits::Queued& work);
    Result<detail::WorkEnd> run_work(Commits::Queued& each, detail::OutboxTally& tally);
    Result<void> commit(detail::SqliteTransaction& transaction, const detail::OutboxTally& tally,
                        std::size_t its_works);
    void leave_nothing_erased() noexcept;
    void empty_log() noexcept;

    const std::string path;
    const SqliteOutboxOptions options;
    const pid_t process = ::getpid();
    const std::unique_ptr<detail::SqliteConnection> file;
    std::uint32_t outbox_id = 0;
    std::atomic<std::uint64_t> works{0};
    std::atomic<std::uint64_t> commits{0};
    Commits::Duration commit_took = {};
    detail::CommitCounts counted = {};
    detail::Erasing erasing = {};   ///< Of the batch that is run.
    bool log_holds_erased = false;  ///< What was erased from the file stands in its log.
    bool has_met_a_reader = false;  ///< Who kept it from being emptied the last time.
    Commits queue;
};

/// All of a batch that succeeds by itself is committed, or none.
auto SqliteOutbox::State::run(std::span<Commits::Queued* const> batch) noexcept
    -> Commits::Duration {
    commit_took = {};
    erasing = {};
    Result<void> done;
    try {
        auto end = run_together(batch);
        if (end && *end == detail::BatchEnd::undone) end = run_apart(batch);
        if (!end) {
            done = end.error();
        } else if (*end == detail::BatchEnd::lost) {
            for (auto* const each : batch) run_alone(*each);
        }
    } catch (...) {
        // Without memory nothing was committed: the transaction was rolled back on its way out.
        for (auto* const each : batch) {
            if (each->succeeded()) each->thrown = std::current_exception();
        }
        return commit_took;
    }
    works += batch.size();
    if (done) {
        leave_nothing_erased();
        return commit_took;
    }
    for (auto* const each : batch) {
        if (each->succeeded()) each->result = done;
    }
    return commit_took;
}

/// Without a savepoint for each, which costs as much as what most works do.
Result<detail::BatchEnd> SqliteOutbox::State::run_together(
    std::span<Commits::Queued* const> batch) {
    using detail::BatchEnd;
    detail::SqliteTransaction transaction{*file};
    detail::OutboxTally tally;
    bool has_changed = false;
    if (auto begun = transaction.begin(); !begun) return begun.error();
    if (auto ours = detail::check_outbox_tables(*file); !ours) return ours.error();
    for (auto* const each : batch) {
        const auto changes = file->total_changes();
        const auto end = run_work(*each, tally);
        if (!end) return end.error();
        if (*end == detail::WorkEnd::lost) return BatchEnd::lost;
        const bool changed = *end == detail::WorkEnd::touched || file->total_changes() != changes;
        has_changed = has_changed || changed;
        if (each->succeeded() || !changed) continue;
        // Alone it is undone with its transaction.
        return batch.size() == 1 ? BatchEnd::settled : BatchEnd::undone;
    }
    if (!has_changed) return BatchEnd::settled;
    if (auto done = commit(transaction, tally, batch.size()); !done) return done.error();
    return BatchEnd::settled;
}

/// Each as if it were alone.
Result<detail::BatchEnd> SqliteOutbox::State::run_apart(std::span<Commits::Queued* const> batch) {
    detail::SqliteTransaction transaction{*file};
    if (auto begun = transaction.begin(); !begun) return begun.error();
    if (auto ours = detail::check_outbox_tables(*file); !ours) return ours.error();
    detail::OutboxTally tally;
    erasing = {};
    for (auto* const each : batch) {
        each->result = {};
        each->thrown = {};
        detail::WorkSavepoint savepoint{*file};
        if (auto begun = savepoint.begin(); !begun) return begun.error();
        const auto end = run_work(*each, tally);
        if (!end) return end.error();
        if (*end == detail::WorkEnd::lost) return detail::BatchEnd::lost;
        const auto done = each->succeeded() ? savepoint.keep() : savepoint.undo();
        if (!done) return done.error();
    }
    if (auto done = commit(transaction, tally, batch.size()); !done) return done.error();
    return detail::BatchEnd::settled;
}

/// In a transaction of its own: the only one that it can end.
void SqliteOutbox::State::run_alone(Commits::Queued& work) {
    work.result = {};
    work.thrown = {};
    auto* each = &work;
    const auto end = run_together({&each, 1});
    if (!work.succeeded()) return;
    if (!end) work.result = end.error();
    if (end && *end == detail::BatchEnd::lost) work.result = detail::ended_by_program();
}

Result<void> SqliteOutbox::State::commit(detail::SqliteTransaction& transaction,
                                         const detail::OutboxTally& tally, std::size_t its_works) {
    if (auto written = detail::write_tally(*file, tally); !written) return written;
    const auto begun = std::chrono::steady_clock::now();
    if (auto done = transaction.commit(); !done) return done;
    commit_took = std::chrono::steady_clock::now() - begun;
    ++commits;
    counted.note(commit_took, its_works);
    return {};
}

/// What the batch has erased stands in the log as it was. Works that have erased nothing pay
/// nothing for it.
void SqliteOutbox::State::leave_nothing_erased() noexcept {
    log_holds_erased = log_holds_erased || erasing.some;
    if (log_holds_erased && erasing.ended) empty_log();
}

/// If somebody is reading, it is done after the next work that erases, which then does not wait.
void SqliteOutbox::State::empty_log() noexcept {
    has_met_a_reader = !file->empty_log(has_met_a_reader ? std::chrono::milliseconds{}
                                                         : detail::patience_with_readers);
    log_holds_erased = has_met_a_reader;
}

/// Counts what a work that succeeds has done. An error is one of the whole transaction.
Result<detail::WorkEnd> SqliteOutbox::State::run_work(Commits::Queued& each,
                                                      detail::OutboxTally& tally) {
    detail::SqliteOutboxTransaction transaction{*file, *options.clock, options.lease_clock, tally};
    try {
        each.result = each.work(transaction);
    } catch (...) {
        each.thrown = std::current_exception();
    }
    if (each.succeeded() && transaction.failure()) each.result = *transaction.failure();
    if (transaction.program() && transaction.program()->have_ended_it()) {
        return detail::WorkEnd::lost;
    }
    // A disk that is full, or without memory, SQLite may have rolled back all of it.
    if (!file->is_in_transaction()) {
        return transaction.failure() ? *transaction.failure()
                                     : store_error("lost its transaction", "try again");
    }
    if (each.succeeded()) {
        tally.add(transaction.tally());
        erasing.add(transaction.erasing());
    }
    const bool is_counted = !transaction.failure() && !transaction.program();
    return is_counted ? detail::WorkEnd::counted : detail::WorkEnd::touched;
}

SqliteOutbox::SqliteOutbox(const std::string& path, SqliteOutboxOptions options) {
    detail::check_sqlite_outbox_options(path, options);
    state_ = std::make_unique<State>(path, std::move(options));
}

SqliteOutbox::~SqliteOutbox() = default;

Result<void> SqliteOutbox::transact(const Work& work) {
    if (auto ours = state_->check_process(); !ours) return ours;
    return state_->queue.commit(work);
}

std::uint32_t SqliteOutbox::outbox_id() const {
    return state_->outbox_id;
}

LeaseTime SqliteOutbox::lease_now() const {
    return state_->options.lease_clock();
}

std::string SqliteOutbox::identity() const {
    return detail::file_identity(state_->path);
}

SqliteOutboxStats SqliteOutbox::stats() const {
    return {state_->works, state_->commits, state_->queue.waiting()};
}

void add_samples(MetricSamples& samples, const SqliteOutbox& storage) {
    storage.state_->counted.add_to(samples);
}

Result<void> SqliteOutbox::migrate(const std::string& path, SqliteOutboxOptions options) {
    detail::check_sqlite_outbox_options(path, options);
    const auto opened = detail::open_outbox(path, options, detail::OutboxTables::migrate);
    if (!opened) return opened.error();
    return {};
}

std::string SqliteOutbox::migration_sql() {
    return detail::outbox_migration_sql();
}

Result<InsertedJob> SqliteOutbox::insert_into(sqlite3* database, const StoredJob& job,
                                              std::string_view schema) {
    if (database == nullptr) return Error::invalid_request("database", "is null");
    if (!detail::is_schema_name(schema)) {
        return Error::invalid_request("schema", "is no name of letters, digits and _");
    }
    detail::BorrowedConnection borrowed{database};
    auto& file = borrowed.connection();
    if (!file.is_in_transaction()) {
        return Error::invalid_request("database", "is in no transaction",
                                      "begin one, and commit it with what belongs to the message");
    }
    const auto in = std::string{schema} + '.';
    const auto version = file.number_of(detail::noted_outbox_version_sql(in));
    if (!version || *version != detail::outbox_file_kind().schema_version) {
        return Error::invalid_request("schema", "has no tables of an outbox of this version",
                                      "open or attach the outbox's own file");
    }
    // All rows, or none; and the caller's transaction stays open.
    if (auto begun = file.run("savepoint twiliowa_insert"); !begun) return begun.error();
    auto inserted = detail::insert_and_count(file, job, detail::OutboxInsertSql{in});
    if (!inserted && file.is_in_transaction()) {
        static_cast<void>(file.run("rollback to twiliowa_insert"));
    }
    if (file.is_in_transaction()) {
        if (auto done = file.run("release twiliowa_insert"); !done) return done.error();
    }
    return inserted;
}

}  // namespace twiliowa
