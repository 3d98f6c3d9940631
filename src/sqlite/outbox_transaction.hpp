/// @file
/// What an Outbox asks of its storage, as statements on one file of SQLite.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/clock.hpp>

#include "sqlite/connection.hpp"
#include "sqlite/inbox_transaction.hpp"
#include "sqlite/program_statements.hpp"
#include "sqlite/work_statements.hpp"

namespace twiliowa::detail {

/// What is counted of jobs, as far as there is more than the file says.
struct OutboxTally {
    /// A campaign, variant, step, state and reason.
    using Recipients = std::tuple<std::string, int, int, JobState, DeadReason>;
    struct Sum {
        std::int64_t jobs = 0;
        std::int64_t spend = 0;
    };

    /// Jobs of a tenant in a state.
    std::map<std::pair<std::string, JobState>, std::int64_t> jobs = {};
    std::map<Recipients, Sum> recipients = {};

    void add(const OutboxTally& more);
    /// One that was inserted: it is ready.
    void add_new(const StoredJob& job);
    void add_recipients(const StoredJob& alike, std::int64_t count);
};

/// One work's view of the file, within a transaction that somebody else begins and ends.
class SqliteOutboxTransaction final : public OutboxTransaction {
public:
    /// @param before  what works of the same commit have counted before.
    SqliteOutboxTransaction(SqliteConnection& file, const Clock& clock,
                            const std::function<LeaseTime()>& lease_clock,
                            const OutboxTally& before)
        : statements_(file),
          clock_(clock),
          lease_clock_(lease_clock),
          inbox_(statements_, clock),
          before_(before) {}

    /// The first statement that failed: the work is undone, even if it took no notice.
    const std::optional<Error>& failure() const noexcept { return statements_.failure(); }
    /// What the program did by itself, if anything.
    const std::optional<ProgramStatements>& program() const noexcept { return program_; }
    /// What the work has counted: to be written with it.
    const OutboxTally& tally() const noexcept { return tally_; }
    /// What it has erased.
    const Erasing& erasing() noexcept { return statements_.erasing(); }

    TimePoint now() override;
    LeaseTime lease_now() override { return lease_clock_(); }

    Result<InsertedJob> insert(const StoredJob& job) override;
    Result<std::vector<StoredJob>> load(std::span<const JobId> ids) override;
    Result<std::vector<StoredJob>> reload(std::span<const StoredJob> jobs) override;
    Result<std::optional<InsertedJob>> find_key(std::string_view tenant,
                                                std::string_view key) override;
    Result<std::optional<int>> find_attempt(const JobId& job, const AttemptNonce& nonce) override;
    Result<std::optional<JobId>> find_sid(std::string_view sid) override;
    Result<void> save(StoredJob& job) override;

    Result<std::vector<ReadyGroup>> ready_groups() override;
    Result<std::vector<StoredJob>> ready(const ReadyQuery& query) override;
    Result<std::vector<bool>> take_again(std::span<const StoredJob* const> jobs) override;
    Result<std::vector<StoredJob>> due(Due what, TimePoint before, std::size_t limit) override;
    Result<std::optional<TimePoint>> next_due() override;
    Result<std::optional<TimePoint>> last_change() override;
    Result<std::vector<StoredJob>> list(const JobFilter& filter) override;
    Result<std::map<JobState, std::int64_t>> counts() override;
    Result<std::int64_t> waiting(const std::optional<std::string>& tenant) override;

    Result<std::vector<StoredJob>> strangers(std::size_t limit) override;
    Result<void> rewrite(StoredJob& job) override;

    Result<void> add_outcome(const StoredOutcome& outcome) override;
    Result<std::vector<StoredOutcome>> outcomes(std::int64_t after, std::size_t limit) override;
    Result<std::int64_t> told() override;
    Result<void> set_told(std::int64_t cursor) override;

    Result<std::optional<std::vector<QuotaCount>>> take_quota(
        std::string_view quota, std::span<const CountedSlot> slots) override;
    Result<void> count_quota(const QuotaUse& use) override;
    Result<std::vector<QuotaCount>> quota_history(std::string_view quota, std::int64_t period,
                                                  TimePoint from, TimePoint to) override;

    Result<std::vector<NamedQuotaCount>> quota_histories(std::string_view prefix,
                                                         std::int64_t period, TimePoint from,
                                                         TimePoint to, std::string_view after,
                                                         std::size_t limit) override;

    Result<std::vector<StoredCampaign>> campaigns(std::span<const std::string> ids) override;
    Result<bool> insert_campaign(const StoredCampaign& campaign) override;
    Result<void> save_campaign(StoredCampaign& campaign) override;
    Result<std::vector<CampaignCount>> campaign_counts(std::string_view campaign) override;

    Result<std::vector<Pause>> pauses() override;
    Result<void> pause(const Pause& pause) override;
    Result<void> resume(Pause::Of of, std::string_view name) override;

    Result<std::string> fact(std::string_view name) override;
    Result<void> set_fact(std::string_view name, std::string_view value) override;

    Result<std::int64_t> redact(TimePoint before, std::size_t limit) override;
    Result<std::int64_t> purge(TimePoint before, std::optional<TimePoint> keys_before,
                               std::size_t limit) override;

    InboxTransaction* inbox() override { return &inbox_; }
    NativeTransaction native() override;
    Result<void> check_native() override;

private:
    template <class Bind, class Read>
    Result<void> query(const std::string& sql, const Bind& bind, const Read& read) {
        return statements_.query(sql, bind, read);
    }
    template <class Bind>
    Result<void> change(const std::string& sql, const Bind& bind) {
        return statements_.change(sql, bind);
    }
    template <class Bind>
    Result<std::vector<StoredJob>> read_jobs(const std::string& sql, const Bind& bind);
    /// The same, and what they are is known from then on.
    template <class Bind>
    Result<std::vector<StoredJob>> jobs_of(const std::string& sql, const Bind& bind);
    Result<void> read_attempts(std::vector<StoredJob>& jobs);
    Result<void> save_attempts(const StoredJob& job, const StoredJob& known);
    /// What the file has of a job, but for its payload; null if it has none of that id.
    Result<StoredJob*> known_job(const StoredJob& job);
    void know(StoredJob& job);
    Result<void> free_next(std::string_view tenant, std::string_view order_key);
    void count_change(const StoredJob& before, const StoredJob& now);
    /// What works of the same commit have counted, and this one.
    std::array<const OutboxTally*, 2> tallies() const noexcept { return {&before_, &tally_}; }
    Result<void> remove(const StoredJob& job, TimePoint at);

    WorkStatements statements_;
    const Clock& clock_;
    const std::function<LeaseTime()>& lease_clock_;
    std::map<JobId, StoredJob> known_ = {};
    SqliteInboxTransaction inbox_;
    std::optional<ProgramStatements> program_ = {};
    const OutboxTally& before_;
    OutboxTally tally_ = {};
};

/// The statements of an insert, on tables whose schema ends with a dot, or is empty.
struct OutboxInsertSql {
    explicit OutboxInsertSql(const std::string& schema);

    std::string find_key;
    std::string insert_key;                 ///< Inserts nothing if the key is known.
    std::array<std::string, 4> insert_job;  ///< By NewJobColumns::index.
    std::string count;                      ///< Adds ?3 jobs to those of tenant ?1 in state ?2.
    std::string count_recipients;           ///< Adds ?6 jobs and ?7 of spend to those alike.
};

Result<void> write_tally(SqliteConnection& file, const OutboxTally& tally,
                         const OutboxInsertSql& sql);
Result<void> write_tally(SqliteConnection& file, const OutboxTally& tally);

/// Inserts a job in state ready, unless its key is known; `file` is in a transaction. Who calls it
/// counts it.
Result<InsertedJob> insert_outbox_job(SqliteConnection& file, const StoredJob& job,
                                      const OutboxInsertSql& sql);

}  // namespace twiliowa::detail
