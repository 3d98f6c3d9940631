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

/// A statement on tables of this version, and on earlier ones that keep no quotas.
struct StoredJobsSql {
    std::string with_quotas;
    std::string without_quotas;

    const std::string& of(bool has_quotas) const noexcept {
        return has_quotas ? with_quotas : without_quotas;
    }
};

/// All columns of a job's row, of `alias`.
std::string row_columns(std::string_view alias);
/// Jobs whose rows `rows` selects as `job`, with their payloads and quotas: what `read_job` reads.
StoredJobsSql select_stored_jobs(const std::string& rows, std::string_view order);
/// The rows of a table, `rest` of the statement.
std::string job_rows_of(JobPlace place, std::string_view rest);
/// A row, but for its attempts: of these there are as many, and empty.
StoredJob read_job(const PostgresRows& rows, std::size_t row);

/// A job that changed, and the revision that it was read in.
struct ChangedJob {
    const StoredJob* job = nullptr;
    std::int64_t revision = 0;
};

/// Writes what may change of jobs whose rows stay in `place`; as many rows are changed as still are
/// of the revision that they were read in.
PostgresStatement update_jobs(std::span<const ChangedJob> jobs);
/// The same where their rows go from one place to another, or to another day.
PostgresStatement move_jobs(std::span<const ChangedJob> jobs, JobPlace from, JobPlace to);

/// Inserts jobs in state ready, with their keys and payloads, but for those whose key is known; the
/// first column of its row is how many it inserted.
PostgresStatement insert_jobs(std::span<const StoredJob> jobs);

/// Notes the quotas of jobs that were just inserted; nullopt: none has one.
std::optional<PostgresStatement> insert_quotas(std::span<const StoredJob> jobs);
/// Notes where attempts were counted.
PostgresStatement update_counted(std::span<const StoredJob* const> jobs);

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
