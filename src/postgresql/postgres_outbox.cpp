#include <twiliowa/postgresql/postgres_outbox.hpp>

#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>

#include <twiliowa/state/store.hpp>

#include "outbox/commit_counts.hpp"
#include "postgresql/connection.hpp"
#include "postgresql/database_clock.hpp"
#include "postgresql/inbox_schema.hpp"
#include "postgresql/outbox_schema.hpp"
#include "postgresql/outbox_transaction.hpp"
#include "postgresql/server_check.hpp"
#include "state/group_commit.hpp"

namespace twiliowa {

namespace detail {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t most_works_in_a_transaction = 1'000;
/// From then on a transaction that others are in the way of runs alone.
constexpr int optimistic_runs = 3;
constexpr int most_runs = 10;
constexpr int most_lost_connections = 2;
/// Between two questions whether a transaction was committed.
constexpr milliseconds status_pause{20};

/// Every transaction shares this lock, and who has begun anew in vain takes it alone. It ends with
/// the transaction. "twil" in ASCII.
constexpr std::string_view lock_shared =
    "select pg_catalog.pg_advisory_xact_lock_shared(1953982828, 1)";
constexpr std::string_view lock_alone = "select pg_catalog.pg_advisory_xact_lock(1953982828, 1)";
constexpr std::string_view look_around =
    "select (select version from twiliowa.schema_version where component = 'outbox'), "
    "twiliowa.microseconds()";

void check_postgres_outbox_options(const PostgresOutboxOptions& options) {
    if (options.connect_timeout.count() <= 0) {
        Error::invalid_request("connect_timeout", "is not positive").raise();
    }
    if (options.statement_timeout.count() <= 0) {
        Error::invalid_request("statement_timeout", "is not positive").raise();
    }
}

PostgresConnectionOptions connection_options(const PostgresOutboxOptions& options) {
    return {options.connect_timeout, options.statement_timeout, {}};
}

/// The cluster, its timeline and the database; empty if the role may not know.
Result<std::string> read_identity(PostgresConnection& connection) {
    const auto server = check_durable(connection);
    if (!server) return server.error();
    if (server->system_identifier.empty()) return std::string{};
    const auto database = connection.execute(
        {"select oid::bigint from pg_catalog.pg_database where datname = current_database()"});
    if (!database) return database.error();
    return server->system_identifier + '/' + std::to_string(server->timeline) + '/' +
           std::to_string(database->number(0, 0));
}

Error later_tables() {
    return store_error("has tables of a later version of this library",
                       "update this program; nothing was written");
}

Error unanswered_commit() {
    return store_error("did not say whether it has written",
                       "do it again when the server is there: what has a key is not done twice")
        .with([](ErrorData& data) { data.effect = Effect::unknown; });
}

}  // namespace
}  // namespace detail

struct PostgresOutbox::State {
    using Commits = detail::GroupCommit<Work>;

    State(const std::string& url, const PostgresOutboxOptions& chosen)
        : options(chosen),
          connection(detail::parse_postgres_url(url).value(), with_check()),
          queue([this](std::span<Commits::Queued* const> batch) { return run(batch); },
                detail::most_works_in_a_transaction) {
        open().value();
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (::getpid() != process) connection.abandon();
    }

    Result<void> check_process() const {
        if (::getpid() == process) return {};
        return store_error("was opened before fork()", "open one in each process");
    }

    /// How the next run of a batch goes about it.
    struct Course {
        bool apart = false;       ///< Each work is undone by itself.
        bool alone = false;       ///< No other transaction runs meanwhile.
        bool one_by_one = false;  ///< Jobs are inserted at once.
    };
    /// What a transaction sees when it begins.
    struct Surroundings {
        TimePoint now = {};
        int version = 0;  ///< Of the tables.
    };
    /// What became of one.
    enum class Ended {
        done,        ///< Committed, or there was nothing to commit.
        apart,       ///< A work failed that had written something; nothing was committed.
        conflict,    ///< The same: others were in the way.
        key,         ///< The same: a key is known.
        lost,        ///< The same: the connection is gone.
        unanswered,  ///< Nobody said whether it was committed.
    };

    detail::PostgresConnectionOptions with_check();
    Result<void> look_at_server(detail::PostgresConnection& opened);
    Result<void> open();
    Commits::Duration run(std::span<Commits::Queued* const> batch) noexcept;
    Result<void> run_until_done(std::span<Commits::Queued* const> batch);
    Result<Ended> run_once(std::span<Commits::Queued* const> batch, const Course& course);
    using Statements = std::array<detail::PostgresStatement, 2>;
    static Statements questions(const Course& course);
    Result<Surroundings> surroundings(const std::vector<detail::PostgresRows>& rows,
                                      std::int64_t asked_at);
    Result<bool> run_work(Commits::Queued& each, detail::PostgresOutboxTransaction& transaction,
                          const Course& course);
    Result<Ended> commit(detail::PostgresTransaction& transaction, const std::string& number);
    Result<Ended> find_out();
    static Ended ended_by(detail::BeginAnew why);

    const PostgresOutboxOptions options;
    const pid_t process = ::getpid();
    detail::DatabaseClock clock = {};
    mutable std::mutex mutex = {};
    std::string identity = {};          ///< Under the mutex.
    mutable bool identity_read = true;  ///< The same: somebody knows of it.
    std::uint32_t outbox_id = 0;
    std::atomic<std::uint64_t> works{0};
    std::atomic<std::uint64_t> commits{0};
    std::atomic<std::uint64_t> begun_anew{0};
    std::atomic<std::uint64_t> connections{0};
    Commits::Duration commit_took = {};
    detail::CommitCounts counted = {};
    std::string unanswered = {};            ///< The number of that transaction.
    detail::PostgresConnection connection;  ///< Used by who runs a batch.
    Commits queue;
};

// ---- Opening

detail::PostgresConnectionOptions PostgresOutbox::State::with_check() {
    auto asked = detail::connection_options(options);
    asked.on_open = [this](detail::PostgresConnection& opened) { return look_at_server(opened); };
    return asked;
}

Result<void> PostgresOutbox::State::look_at_server(detail::PostgresConnection& opened) {
    auto found = detail::read_identity(opened);
    if (!found) return found.error();
    const std::lock_guard lock(mutex);
    if (connections++ > 0 && *found != identity) identity_read = false;
    identity = std::move(*found);
    return {};
}

Result<void> PostgresOutbox::State::open() {
    if (auto opened = connection.open(); !opened) return opened;
    const auto& migration = detail::outbox_migration();
    const auto version = detail::schema_version(connection, migration);
    if (!version) return version.error();
    if (*version == 0 && options.create) {
        if (auto made = detail::migrate(connection, migration); !made) return made;
    }
    if (auto fits = detail::check_schema(connection, migration); !fits) return fits;
    const auto own = connection.execute({"select outbox_id from twiliowa.outbox"});
    if (!own) return own.error();
    outbox_id = static_cast<std::uint32_t>(own->number(0, 0));
    const auto asked_at = detail::DatabaseClock::machine_time();
    const auto answers = connection.execute_all(questions({}));
    if (!answers) return answers.error();
    const auto looked = surroundings(*answers, asked_at);
    if (!looked) return looked.error();
    auto tended = connection.execute({detail::tend_days_sql("twiliowa.microseconds(), 0")});
    if (tended && looked->version >= detail::version_with_inbox) {
        tended = connection.execute(
            {detail::tend_days_sql("'inbox_event_done', twiliowa.microseconds(), 0")});
    }
    return tended ? Result<void>{} : tended.error();
}

// ---- Running works

PostgresOutbox::State::Ended PostgresOutbox::State::ended_by(detail::BeginAnew why) {
    switch (why) {
        case detail::BeginAnew::key:
            return Ended::key;
        case detail::BeginAnew::lost:
            return Ended::lost;
        case detail::BeginAnew::no:
        case detail::BeginAnew::conflict:
            break;
    }
    return Ended::conflict;
}

auto PostgresOutbox::State::run(std::span<Commits::Queued* const> batch) noexcept
    -> Commits::Duration {
    commit_took = {};
    const auto commits_before = commits.load();
    Result<void> done;
    std::exception_ptr thrown;
    try {
        done = run_until_done(batch);
    } catch (...) {
        // Without memory nothing was committed: the transaction was rolled back on its way out.
        thrown = std::current_exception();
    }
    works += batch.size();
    if (commits != commits_before) counted.note(commit_took, batch.size());
    for (auto* const each : batch) {
        if (!each->succeeded()) continue;
        each->thrown = thrown;
        if (!thrown && !done) each->result = done;
    }
    return commit_took;
}

Result<void> PostgresOutbox::State::run_until_done(std::span<Commits::Queued* const> batch) {
    const auto deadline = detail::steady_clock::now() + options.statement_timeout;
    Course course;
    int lost = 0;
    for (int runs = 1; true; ++runs) {
        for (auto* const each : batch) {
            each->result = {};
            each->thrown = {};
        }
        auto ended = run_once(batch, course);
        if (ended && *ended == Ended::unanswered) ended = find_out();
        if (!ended) return ended.error();
        if (*ended == Ended::done) return {};
        ++begun_anew;
        switch (*ended) {
            case Ended::apart:
                course.apart = true;
                break;
            case Ended::key:
                course.one_by_one = true;
                break;
            case Ended::lost:
                if (++lost > detail::most_lost_connections ||
                    detail::steady_clock::now() > deadline) {
                    return detail::postgres_error(detail::PostgresFault::unreachable);
                }
                break;
            case Ended::conflict:
            case Ended::done:
            case Ended::unanswered:
                break;
        }
        course.alone = course.alone || runs >= detail::optimistic_runs;
        if (runs == detail::most_runs) {
            return detail::postgres_error(detail::PostgresFault::conflict);
        }
    }
}

/// What the database says of itself, as the transaction sees it.
PostgresOutbox::State::Statements PostgresOutbox::State::questions(const Course& course) {
    return {{{std::string{course.alone ? detail::lock_alone : detail::lock_shared}},
             {std::string{detail::look_around}}}};
}

Result<PostgresOutbox::State::Surroundings> PostgresOutbox::State::surroundings(
    const std::vector<detail::PostgresRows>& rows, std::int64_t asked_at) {
    const auto& seen = rows[1];
    if (seen.number(0, 0) > detail::outbox_migration().newest()) return detail::later_tables();
    clock.heard(seen.number(0, 1), asked_at);
    return Surroundings{detail::time_of_stored(seen.number(0, 1)),
                        static_cast<int>(seen.number(0, 0))};
}

Result<PostgresOutbox::State::Ended> PostgresOutbox::State::run_once(
    std::span<Commits::Queued* const> batch, const Course& course) {
    detail::PostgresTransaction transaction{connection};
    const auto asked_at = detail::DatabaseClock::machine_time();
    const auto begun = transaction.begin(questions(course));
    if (!begun) {
        if (connection.fault() == detail::PostgresFault::lost) return Ended::lost;
        return begun.error();
    }
    const auto around = surroundings(*begun, asked_at);
    if (!around) return around.error();
    bool may_claim = false;
    {
        const std::lock_guard lock(mutex);
        may_claim = identity_read;
    }
    detail::PostgresOutboxTransaction works_of_it{
        connection,
        clock,
        around->now,
        {course.one_by_one, may_claim, around->version >= detail::version_with_inbox,
         detail::job_tables_of(around->version)}};
    for (auto* const each : batch) {
        const auto undone = run_work(*each, works_of_it, course);
        if (works_of_it.anew() != detail::BeginAnew::no) return ended_by(works_of_it.anew());
        if (!undone) return undone.error();
        if (*undone) continue;
        // Alone it is undone with its transaction.
        return batch.size() == 1 ? Ended::done : Ended::apart;
    }
    if (auto finished = works_of_it.finish(); !finished) {
        if (works_of_it.anew() != detail::BeginAnew::no) return ended_by(works_of_it.anew());
        if (batch.size() == 1 || course.apart) return finished.error();
        return Ended::apart;
    }
    return commit(transaction, works_of_it.number());
}

/// False: it failed, and something of it is still there.
Result<bool> PostgresOutbox::State::run_work(Commits::Queued& each,
                                             detail::PostgresOutboxTransaction& transaction,
                                             const Course& course) {
    if (course.apart) {
        if (auto begun = connection.run_script("savepoint one_work"); !begun) return begun.error();
    }
    transaction.begin_work();
    try {
        each.result = each.work(transaction);
    } catch (...) {
        each.thrown = std::current_exception();
    }
    if (each.succeeded() && course.apart) each.result = transaction.flush();
    if (transaction.anew() != detail::BeginAnew::no) return false;
    // What failed is undone, even if it took no notice.
    if (each.succeeded() && transaction.failure()) each.result = *transaction.failure();
    if (each.succeeded()) {
        transaction.keep_work();
        if (course.apart) {
            if (auto kept = connection.run_script("release savepoint one_work"); !kept) {
                return kept.error();
            }
        }
        return true;
    }
    const bool nothing_left = transaction.drop_work() && !transaction.failure();
    if (!course.apart) return nothing_left;
    for (const auto* const sql : {"rollback to savepoint one_work", "release savepoint one_work"}) {
        if (auto undone = connection.run_script(sql); !undone) return undone.error();
    }
    transaction.forget();
    return true;
}

Result<PostgresOutbox::State::Ended> PostgresOutbox::State::commit(
    detail::PostgresTransaction& transaction, const std::string& number) {
    const auto begun = detail::steady_clock::now();
    const auto committed = transaction.commit();
    commit_took = detail::steady_clock::now() - begun;
    // Without a number nothing was written, and what was read was read.
    if (number.empty()) return Ended::done;
    if (committed) {
        ++commits;
        return Ended::done;
    }
    if (connection.fault() == detail::PostgresFault::lost) {
        unanswered = number;
        return Ended::unanswered;
    }
    if (connection.fault() == detail::PostgresFault::conflict) return Ended::conflict;
    return committed.error();
}

/// What became of a transaction whose commit was not answered.
Result<PostgresOutbox::State::Ended> PostgresOutbox::State::find_out() {
    const auto deadline = detail::steady_clock::now() + options.statement_timeout;
    std::string before;
    {
        const std::lock_guard lock(mutex);
        before = identity;
    }
    detail::PostgresStatement ask{"select pg_catalog.txid_status($1::text::bigint)"};
    ask.values.text(unanswered);
    do {
        const auto answer = connection.execute(ask);
        {
            // Numbers of another database, or another history, say nothing of this one's.
            const std::lock_guard lock(mutex);
            if (identity != before) return detail::unanswered_commit();
        }
        if (answer && answer->is_null(0, 0)) return detail::unanswered_commit();
        if (answer && answer->bytes(0, 0) == "committed") {
            ++commits;
            return Ended::done;
        }
        if (answer && answer->bytes(0, 0) == "aborted") return Ended::lost;
        if (!answer && connection.fault() == detail::PostgresFault::other) break;
        // Its session may not have noticed yet that nobody listens.
        std::this_thread::sleep_for(detail::status_pause);
    } while (detail::steady_clock::now() < deadline);
    return detail::unanswered_commit();
}

// ---- PostgresOutbox

PostgresOutbox::PostgresOutbox(const std::string& url, PostgresOutboxOptions options) {
    detail::check_postgres_outbox_options(options);
    state_ = std::make_unique<State>(url, options);
}

PostgresOutbox::~PostgresOutbox() = default;

Result<void> PostgresOutbox::transact(const Work& work) {
    if (auto ours = state_->check_process(); !ours) return ours;
    return state_->queue.commit(work);
}

std::uint32_t PostgresOutbox::outbox_id() const {
    return state_->outbox_id;
}

LeaseTime PostgresOutbox::lease_now() const {
    return state_->clock.lease_now();
}

std::optional<TimePoint> PostgresOutbox::now() const {
    return state_->clock.now();
}

std::string PostgresOutbox::identity() const {
    const std::lock_guard lock(state_->mutex);
    state_->identity_read = true;
    return state_->identity;
}

PostgresOutboxStats PostgresOutbox::stats() const {
    return {state_->works, state_->commits, state_->begun_anew, state_->connections,
            state_->queue.waiting()};
}

void add_samples(MetricSamples& samples, const PostgresOutbox& storage) {
    storage.state_->counted.add_to(samples);
}

Result<void> PostgresOutbox::migrate(const std::string& url, PostgresOutboxOptions options) {
    detail::check_postgres_outbox_options(options);
    auto target = detail::parse_postgres_url(url);
    if (!target) return target.error();
    detail::PostgresConnection connection{std::move(*target), detail::connection_options(options)};
    if (auto durable = detail::check_durable(connection); !durable) return durable.error();
    return detail::migrate(connection, detail::outbox_migration());
}

std::string PostgresOutbox::migration_sql(int from_version) {
    const auto newest = detail::outbox_migration().newest();
    if (from_version < 0 || from_version > newest) {
        Error::invalid_request("from_version", "is not between 0 and " + std::to_string(newest))
            .raise();
    }
    return detail::migration_sql(detail::outbox_migration(), from_version);
}

}  // namespace twiliowa
