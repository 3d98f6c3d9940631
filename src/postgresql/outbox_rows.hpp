/// @file
/// A StoredJob and its attempts as rows of the tables of outbox_schema.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/storage.hpp>

#include "outbox/job_values.hpp"
#include "postgresql/connection.hpp"
#include "postgresql/outbox_schema.hpp"

namespace twiliowa::detail {

/// Where the row of a job is.
enum class JobPlace {
    open,  ///< twiliowa.job
    done,  ///< twiliowa.job_done
};
constexpr JobPlace place_of(JobState state) noexcept {
    return is_final(state) ? JobPlace::done : JobPlace::open;
}
std::string_view table_of(JobPlace place) noexcept;

/// A statement on tables of this version, and on earlier ones.
class StoredJobsSql {
public:
    /// @param sql_of  gives it for tables
    template <class SqlOf>
    explicit StoredJobsSql(const SqlOf& sql_of)
        : plain_(sql_of(JobTables::plain)),
          with_quotas_(sql_of(JobTables::with_quotas)),
          with_campaigns_(sql_of(JobTables::with_campaigns)) {}

    const std::string& of(JobTables tables) const noexcept {
        if (tables == JobTables::plain) return plain_;
        return tables == JobTables::with_quotas ? with_quotas_ : with_campaigns_;
    }

private:
    std::string plain_;
    std::string with_quotas_;
    std::string with_campaigns_;
};

/// All columns of a job's row, of `alias`.
std::string row_columns(std::string_view alias);
/// Jobs whose rows `rows` selects as `job`, with their payloads and what is aside: what `read_job`
/// reads. `order` goes by `found`, the rows, and by `aside`.
std::string select_stored_jobs(JobTables tables, const std::string& rows, std::string_view order);
StoredJobsSql select_stored_jobs(const std::string& rows, std::string_view order);
/// The rows of a table, `rest` of the statement.
std::string job_rows_of(JobPlace place, std::string_view rest);

/// What of a job twiliowa.outbox_campaign_job has, and may change.
struct JobAside {
    std::int64_t spend = 0;
    std::optional<TimePoint> chain_due = {};
    std::optional<TimePoint> price_due = {};
    std::vector<CountedAttempt> counted = {};  ///< Of a job without a quota.

    friend bool operator==(const JobAside&, const JobAside&) = default;
};
JobAside aside_of(const StoredJob& job);
/// Whether there is anything to write of it there.
bool has_aside(const StoredJob& job);

struct JobRow {
    StoredJob job = {};  ///< But for its attempts: of these there are as many, and empty.
    std::int64_t aside_revision = 0;  ///< Of its row aside; 0: it has none.
};
JobRow read_job(const PostgresRows& rows, std::size_t row);

/// A job that changed, and the revision that it was read in.
struct ChangedJob {
    const StoredJob* job = nullptr;
    std::int64_t revision = 0;
};

/// Writes what may change of jobs whose rows stay in `place`; as many rows are changed as still are
/// of the revision that they were read in.
PostgresStatement update_jobs(std::span<const ChangedJob> jobs);
/// The same where their rows go from one place to another, or to another day.
PostgresStatement move_jobs(JobTables tables, std::span<const ChangedJob> jobs, JobPlace from,
                            JobPlace to);

/// Inserts jobs in state ready, with their keys, payloads and what is aside, but for those whose
/// key is known; the first column of its row is how many it inserted.
PostgresStatement insert_jobs(std::span<const StoredJob> jobs);

/// Notes the quotas of jobs that were just inserted; nullopt: none has one.
std::optional<PostgresStatement> insert_quotas(std::span<const StoredJob> jobs);
/// Notes where attempts were counted.
PostgresStatement update_counted(std::span<const StoredJob* const> jobs);

/// Writes what is aside of jobs that have no row there, and of those that have: as many rows are
/// changed as still are of the revision there that they were read in.
PostgresStatement insert_asides(std::span<const ChangedJob> jobs);
PostgresStatement update_asides(std::span<const ChangedJob> jobs);

/// The same of one, by the function for who may do nothing else; gives what `read_inserted` reads.
PostgresStatement insert_job(const StoredJob& job);
InsertedJob read_inserted(const PostgresRows& rows);

/// The columns that `read_attempt` reads; the first is the job.
inline constexpr std::string_view postgres_attempt_columns =
    "job, nonce, number, state, started_at, account_sid, sid, evidence, http_status, error_code, "
    "problem, may_duplicate, marked";
StoredAttempt read_attempt(const PostgresRows& rows, std::size_t row);

struct ChangedAttempt {
    JobId job = {};
    StoredAttempt attempt = {};
};
PostgresStatement upsert_attempts(std::span<const ChangedAttempt> attempts);

}  // namespace twiliowa::detail
