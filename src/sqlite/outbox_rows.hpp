/// @file
/// A StoredJob and its attempts as rows of the tables of outbox_schema.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/outbox/storage.hpp>

#include "outbox/job_values.hpp"
#include "sqlite/connection.hpp"

namespace twiliowa::detail {

/// What read_job reads, in its order.
inline constexpr std::string_view job_columns =
    "sequence, id, tenant, key, content_hash, tag, account, sender, customer, order_key, lane, "
    "on_unknown, expires_at, created_at, state, reason, not_before, fence, worker, lease_boot, "
    "lease_until, tries, sid, evidence, status, price, price_unit, error_code, problem, doubles, "
    "candidates, unknown_since, looks, looks_answered, last_answer, next_look, suspect_since, "
    "decided_by, decided_why, decided_at, cancel_requested, updated_at, revision, attempts, "
    "payload, quota, cost, counted, campaign, variant, step, spend, chain_due, price_due, "
    "later_reason";

/// A row, but for its attempts: of these there are as many, and empty.
StoredJob read_job(const SqliteStatement& row);

/// Texts that a row has of a job's other members: they must outlive the statement's use.
struct JobTexts {
    explicit JobTexts(const StoredJob& job);

    std::string on_unknown;
    std::string doubles;
    std::string candidates;
    std::string counted;
};

/// What an insert names: what has nothing of it costs nothing.
struct NewJobColumns {
    bool order = false;     ///< An order_key.
    bool campaign = false;  ///< What it is of a campaign, and what it costs.

    std::size_t index() const noexcept { return (order ? 1U : 0U) + (campaign ? 2U : 0U); }
};
NewJobColumns columns_of(const StoredJob& job) noexcept;
/// Inserts a job in state ready; the values are those of bind_new_job. `schema` ends with a dot, or
/// is empty.
std::string insert_job_sql(std::string_view schema, NewJobColumns columns);
void bind_new_job(SqliteStatement& insert, NewJobColumns columns, const StoredJob& job,
                  const JobTexts& texts);

/// How much of a job an update writes: what is not named costs nothing, nor do its indexes.
struct JobChange {
    bool rest = false;      ///< Not only what a send changes: where it is, who has it, the answer.
    bool campaign = false;  ///< What it costs, what is due of it, a later reason.
    bool erased = false;    ///< Its payload is erased.

    std::size_t index() const noexcept {
        return (rest ? 1U : 0U) + (campaign ? 2U : 0U) + (erased ? 4U : 0U);
    }
};
/// What there is to write of a job that was read as `before`, whose payload does not count.
JobChange change_of(const StoredJob& before, const StoredJob& now);
/// Writes it, if the job's revision is what was read; the values are those of bind_changed_job.
std::string update_job_sql(JobChange change);
void bind_changed_job(SqliteStatement& update, JobChange change, const StoredJob& job,
                      const JobTexts& texts);

inline constexpr std::string_view attempt_columns =
    "number, nonce, state, started_at, account_sid, sid, evidence, http_status, error_code, "
    "problem, "
    "may_duplicate, marked";
StoredAttempt read_attempt(const SqliteStatement& row);
std::string upsert_attempt_sql();
void bind_attempt(SqliteStatement& upsert, std::int64_t job, const StoredAttempt& attempt);

}  // namespace twiliowa::detail
