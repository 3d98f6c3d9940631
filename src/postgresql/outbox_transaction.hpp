/// @file
/// What an Outbox asks of its storage, as statements in one transaction of PostgreSQL.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <twiliowa/outbox/storage.hpp>

#include "postgresql/database_clock.hpp"
#include "postgresql/inbox_transaction.hpp"
#include "postgresql/outbox_rows.hpp"
#include "postgresql/work_statements.hpp"

namespace twiliowa::detail {

/// How a transaction goes about it.
struct PostgresOutboxMode {
    bool one_by_one = false;  ///< Jobs are inserted at once, and not together with others.
    bool may_claim = true;    ///< Somebody knows which database this is.
    bool has_inbox = true;    ///< Its tables are there.
    JobTables tables = JobTables::with_campaigns;

    bool has_quotas() const noexcept { return tables != JobTables::plain; }
    bool has_campaigns() const noexcept { return tables == JobTables::with_campaigns; }
};

/// The works of one commit, one after the other, in a transaction that somebody else begins and
/// ends.
///
/// READ COMMITTED: each statement sees what is committed by then. What is written is sent late and
/// together, and only if what was read is still as it was: jobs by their revisions, facts by their
/// values, that a SID is nobody's by its key. Otherwise all of it begins anew.
class PostgresOutboxTransaction final : public OutboxTransaction {
public:
    PostgresOutboxTransaction(PostgresConnection& connection, const DatabaseClock& clock,
                              TimePoint now, const PostgresOutboxMode& mode)
        : statements_(connection),
          clock_(clock),
          now_(now),
          mode_(mode),
          inbox_(statements_, now) {}

    // ---- For who runs the works

    /// Before each work.
    void begin_work();
    /// What the work did goes with the others'.
    void keep_work();
    /// Drops it. False: something of it was sent already, and only a rollback undoes that.
    bool drop_work();
    /// After a rollback to a savepoint: what was read may be otherwise.
    void forget();
    /// Sends what was asked for so far.
    Result<void> flush();
    /// The same, at the end, with what depends on all of it: the counts, and whether the facts that
    /// were read still hold. The transaction may be committed then.
    Result<void> finish();

    BeginAnew anew() const noexcept { return statements_.anew(); }
    const std::optional<Error>& failure() const noexcept { return statements_.failure(); }
    /// The transaction's number, if it has written anything; empty: there is nothing to commit.
    const std::string& number() const noexcept { return number_; }

    // ---- OutboxTransaction

    TimePoint now() override { return now_; }
    LeaseTime lease_now() override { return clock_.lease_now(); }

    Result<InsertedJob> insert(const StoredJob& job) override;
    Result<void> foresee(std::span<const JobId> ids, std::span<const std::string> sids) override;
    Result<std::vector<StoredJob>> load(std::span<const JobId> ids) override;
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

    InboxTransaction* inbox() override { return mode_.has_inbox ? &inbox_ : nullptr; }
    NativeTransaction native() override;
    Result<void> check_native() override;

private:
    using Tally = std::map<std::pair<std::string, JobState>, std::int64_t>;
    using KeyOf = std::pair<std::string, std::string>;                   ///< Tenant and key.
    using SlotOf = std::tuple<std::string, std::int64_t, std::int64_t>;  ///< Quota, period, begin.
    using QuotaUses = std::map<SlotOf, QuotaUse>;
    /// Campaign, variant, step, state and reason.
    using CampaignPlace = std::tuple<std::string, int, int, JobState, DeadReason>;
    struct CampaignSum {
        std::int64_t jobs = 0;
        std::int64_t spend = 0;
    };
    using CampaignTally = std::map<CampaignPlace, CampaignSum>;

    /// A job as this transaction has it, and what the database has of it.
    struct KnownJob {
        StoredJob job = {};
        JobState state = JobState::ready;
        std::int64_t revision = 0;
        bool has_payload = false;
        std::string sid = {};
        std::vector<CountedAttempt> counted = {};
        JobAside aside = {};
        std::int64_t aside_revision = 0;  ///< 0: it has no row there.
    };
    /// The same of a campaign.
    struct KnownCampaign {
        StoredCampaign campaign = {};
        std::int64_t revision = 0;
        bool defined_anew = false;  ///< The database has another definition.
    };
    /// By how much changes what is counted: sent at the end.
    struct CountedChanges {
        Tally tally = {};
        QuotaUses quotas = {};
        CampaignTally campaigns = {};

        void add(CountedChanges&& later);
    };
    /// What was asked for and not sent.
    struct Pending {
        std::vector<StoredJob> inserts = {};
        std::map<KeyOf, InsertedJob> keys = {};  ///< Of `inserts`.
        std::set<JobId> changed = {};            ///< Jobs to save: see known_.
        std::map<std::pair<JobId, AttemptNonce>, StoredAttempt> attempts = {};
        std::vector<StoredOutcome> outcomes = {};
        std::map<std::string, std::optional<JobId>> sids = {};  ///< Whose they are now.
        std::set<std::string> campaigns = {};                   ///< To save: see known_campaigns_.
        CountedChanges counted = {};

        void add(Pending&& later);
    };

    /// As they are with what was asked for.
    Result<std::vector<StoredJob>> jobs_of(const PostgresStatement& statement);
    Result<std::vector<StoredJob>> ask_jobs(const PostgresStatement& statement);
    /// Sends what was asked for, if it may change which jobs can be claimed.
    Result<void> flush_before_claims();
    Result<std::vector<StoredJob>> read_jobs(const PostgresRows& rows);
    Result<void> read_attempts(std::vector<StoredJob>& jobs);
    Result<void> fetch(std::span<const JobId> ids);
    Result<KnownJob*> known_job(const JobId& id);
    Result<InsertedJob> insert_at_once(const StoredJob& job);
    const InsertedJob* pending_key(const KeyOf& key) const;
    const std::optional<JobId>* known_owner(std::string_view sid) const;
    void count(const std::string& tenant, JobState state, std::int64_t jobs);
    Result<std::vector<StoredOutcome>> read_outcomes(std::int64_t after, std::size_t limit);
    Result<void> fold_tally();
    void count_campaign(const StoredJob& job, std::int64_t jobs);
    std::optional<PostgresStatement> campaign_tally() const;
    Result<void> fold_campaign_tally(std::string_view campaign);
    Result<void> fold_campaign_tallies();
    Result<std::vector<StoredCampaign>> read_campaigns(const PostgresStatement& statement);
    PostgresStatement update_campaigns(const std::set<std::string>& ids) const;
    QuotaCount with_pending(std::string_view quota, QuotaCount count) const;
    std::vector<PostgresStatement> quota_uses() const;
    static void add_use(QuotaUses& uses, const QuotaUse& use);

    PostgresWorkStatements statements_;
    const DatabaseClock& clock_;
    const TimePoint now_;
    const PostgresOutboxMode mode_;
    PostgresInboxTransaction inbox_;

    std::string number_ = {};

    std::map<JobId, KnownJob> known_ = {};
    std::map<std::string, KnownCampaign, std::less<>> known_campaigns_ = {};
    std::map<std::string, std::optional<JobId>, std::less<>> owners_ = {};  ///< Of SIDs, as read.
    std::map<std::string, std::string, std::less<>> facts_ = {};            ///< As read, or set.
    std::map<std::string, std::string, std::less<>> facts_before_ = {};     ///< The work.
    bool sets_facts_ = false;
    Pending batch_ = {};
    Pending work_ = {};
    std::map<JobId, KnownJob> before_ = {};  ///< Of jobs that the work has changed.
    std::map<std::string, KnownCampaign> campaigns_before_ = {};  ///< The same.
};

}  // namespace twiliowa::detail
