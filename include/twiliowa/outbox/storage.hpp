/// @file
/// Where an outbox keeps its jobs: `OutboxStorage`, the interface of the engines. Programs open one
/// (SqliteOutbox, testing::MemoryOutbox) and hand it to an Outbox; only who writes an engine of
/// their own reads further. It may change with a minor release.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/outbox/inbox_storage.hpp>
#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/lease_time.hpp>
#include <twiliowa/state/quota_storage.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

struct sqlite3;
struct pg_conn;

namespace twiliowa {

namespace detail {
class OutboxNews;
}

/// The connection of the engine whose transaction is open; null: another engine's. Who uses it must
/// neither end the transaction nor change the connection's settings, and leaves nothing under way.
struct NativeTransaction {
    sqlite3* sqlite = nullptr;
    pg_conn* postgresql = nullptr;
};

/// The random part of a marker that names an attempt.
using AttemptNonce = std::array<unsigned char, 6>;

/// A JobAttempt as it is stored.
struct StoredAttempt {
    int number = 0;
    AttemptNonce nonce = {};
    AttemptState state = AttemptState::open;
    TimePoint started_at = {};
    std::string account_sid = {};
    std::string sid = {};
    Evidence evidence = Evidence::none;
    int http_status = 0;
    int error_code = 0;
    std::string problem = {};
    bool may_duplicate = false;
    bool marked = false;  ///< Its callbacks carry its marker.

    friend bool operator==(const StoredAttempt&, const StoredAttempt&) = default;
};

/// A slot of a quota (QuotaSlot) that something was taken from.
struct CountedSlot {
    std::int64_t period = 0;  ///< As QuotaSlot::period.
    TimePoint begin = {};     ///< In whole seconds.

    /// Both.
    friend bool operator==(const CountedSlot&, const CountedSlot&) = default;
};

/// Where an attempt of a job was counted.
struct CountedAttempt {
    int number = 0;                            ///< The attempt's.
    bool counts = true;                        ///< False: it was given back, as nothing was sent.
    std::vector<CountedSlot> time_slots = {};  ///< Where, one for each window.
    std::string of = {};      ///< In which quota or budget; empty: the job's own quota.
    std::int64_t amount = 0;  ///< How much of it; of the job's own quota: its cost, and 0 here.

    /// All five.
    friend bool operator==(const CountedAttempt&, const CountedAttempt&) = default;
};

/// By how much changes what jobs have used of a quota in a slot.
struct QuotaUse {
    std::string quota = {};     ///< Which one.
    CountedSlot slot = {};      ///< In which slot.
    std::int64_t more = 0;      ///< In thousandths; negative: it is given back.
    std::int64_t peak = 0;      ///< QuotaCount::peak is at least that.
    TimePoint keep_until = {};  ///< It may be forgotten then, not before.
};

/// A job as it is stored. `key`, `order_key`, `customer`, `content_hash` are only compared, and
/// `payload` is only kept: in a sealed outbox they are sealed, or hashes.
struct StoredJob {
    // ---- As it was handed over; never changes, but for `payload`, which may be erased.
    std::int64_t sequence = 0;  ///< Given by the storage: the order in which jobs were enqueued.
    JobId id = {};
    std::string tenant = {};
    std::string key = {};
    std::string content_hash = {};
    std::string payload = {};  ///< Empty: erased.
    std::string tag = {};
    std::string account = {};
    std::string sender = {};    ///< From, else the messaging service: what limits and pauses go by.
    std::string customer = {};  ///< Who it is for.
    std::string order_key = {};
    Lane lane = Lane::normal;
    OnUnknown on_unknown = OnUnknown::hold();
    std::optional<TimePoint> expires_at = {};
    TimePoint created_at = {};
    std::string quota = {};     ///< The key of the quota that it is counted in; empty: none.
    std::int64_t cost = 0;      ///< Of the quota, in thousandths.
    std::string campaign = {};  ///< Which one it is a recipient of; empty: none.
    int variant = 0;            ///< Of the campaign.
    int step = 0;               ///< Of a chain: 0 is its first message.

    // ---- Where it is.
    JobState state = JobState::ready;
    DeadReason reason = DeadReason::none;
    TimePoint not_before = {};
    std::int64_t fence = 0;   ///< Grows with every claim and every attempt.
    std::string worker = {};  ///< Who has it, while claimed or sending.
    LeaseTime lease_until = {};
    int tries = 0;  ///< Attempts that certainly did nothing.
    std::string sid = {};
    Evidence evidence = Evidence::none;
    std::string status = {};
    std::string price = {};
    std::string price_unit = {};
    int error_code = 0;
    std::string problem = {};
    std::vector<std::string> doubles = {};
    std::vector<std::string> candidates = {};
    std::optional<TimePoint> unknown_since = {};
    int looks = 0;           ///< Since it is unknown, or suspect; those that failed, too.
    int looks_answered = 0;  ///< Those that Twilio answered.
    std::optional<TimePoint> last_answer = {};  ///< When it answered last.
    std::optional<TimePoint> next_look = {};
    std::optional<TimePoint> suspect_since = {};
    std::optional<JobDecision> decision = {};  ///< The last that a person made.
    bool cancel_requested = false;
    TimePoint updated_at = {};
    std::vector<StoredAttempt> attempts = {};
    /// Where its attempts were counted: the record of its quota and its budgets.
    std::vector<CountedAttempt> counted = {};
    /// What it costs, in millionths of `price_unit`: the estimate, and the price once that is
    /// known.
    std::int64_t spend = 0;
    std::optional<TimePoint> chain_due = {};  ///< When the next step of its chain is due.
    std::optional<TimePoint> price_due = {};  ///< When Twilio is asked for its price.

    /// Grows with every change: a change of what was read before another's is refused.
    std::int64_t revision = 0;

    /// Whether one of its attempts may have been sent, and nothing shows that it was or was not.
    bool in_doubt() const noexcept;
};

/// What `OutboxTransaction::insert` made of a job, or who has a key already.
struct InsertedJob {
    bool inserted = false;
    JobId id = {};                     ///< The new job's, or of the one that has the key.
    std::string content_hash = {};     ///< Of the one that has the key.
    JobState state = JobState::ready;  ///< The same; `delivered` if its row is gone.
};

/// Where jobs wait: one for each sender, lane, tenant, account and campaign that have any ready,
/// due or not.
struct ReadyGroup {
    std::string sender = {};
    Lane lane = Lane::normal;
    std::string tenant = {};
    std::string account = {};
    std::string campaign = {};  ///< Empty: those of none.

    friend auto operator<=>(const ReadyGroup&, const ReadyGroup&) = default;  // NOLINT: no pointer
};

/// Which jobs `OutboxTransaction::ready` gives.
struct ReadyQuery {
    /// How long a job that is held keeps back others of its order_key.
    static constexpr std::chrono::minutes order_wait{10};

    ReadyGroup group = {};
    TimePoint now = {};
    /// A job that has been held since before then lets others of its order_key pass.
    TimePoint held_before = {};
    std::size_t limit = 0;
    bool only_look = false;  ///< They are sent by a later transaction: see `take_again`.
};

/// What `OutboxTransaction::due` gives, in the order of their times.
enum class Due {
    lease,   ///< Claimed or sending, and whose lease has ended.
    look,    ///< Whose `next_look` has come.
    expiry,  ///< Ready, and whose `expires_at` has come.
    fetch,   ///< Accepted, without a final status since before a time.
    chain,   ///< Whose `chain_due` has come.
    price,   ///< Whose `price_due` has come.
};

/// Which jobs a list gives. What is empty does not filter.
struct JobFilter {
    std::optional<JobState> state = {};
    std::optional<std::string> tenant = {};
    std::string account = {};
    std::string sender = {};
    std::string tag = {};
    std::string campaign = {};                ///< Of that one.
    std::vector<std::string> customers = {};  ///< Any of them.
    bool suspect_only = false;
    std::int64_t after = 0;  ///< The sequence after which it begins.
    std::size_t limit = 100;
};

/// What holds jobs back: all of a sender, a tenant, an account, or the outbox (an empty name).
struct Pause {
    enum class Of { outbox, sender, tenant, account };
    Of of = Of::outbox;
    std::string name = {};
    std::string reason = {};  ///< Free of people.
    TimePoint since = {};

    bool same_place(const Pause& other) const noexcept {
        return of == other.of && name == other.name;
    }
    /// Whether the jobs of that group wait for it to end.
    bool holds_back(const ReadyGroup& group) const noexcept {
        switch (of) {
            case Of::outbox:
                return true;
            case Of::sender:
                return name == group.sender;
            case Of::tenant:
                return name == group.tenant;
            case Of::account:
                return name == group.account;
        }
        return true;
    }
};

/// What a campaign is told to do, as it is kept: do not change the numbers. That it is finished is
/// seen by its counts.
enum class CampaignState { draft = 0, scheduled = 1, running = 2, paused = 3, cancelled = 4 };
/// Its identifier.
TWILIOWA_EXPORT std::string_view to_string(CampaignState state) noexcept;

/// A campaign as it is stored; its recipients are jobs.
struct StoredCampaign {
    std::string id = {};                         ///< 1 to 100 bytes, of its own in the outbox.
    std::string tenant = {};                     ///< Whose it is.
    CampaignState state = CampaignState::draft;  ///< What it was told.
    std::string definition = {};                 ///< JSON; only kept. At most 256 KiB.
    std::string problem = {};   ///< Why it is paused; empty: nobody said. Free of people.
    std::string course = {};    ///< What its guards remember; only kept.
    TimePoint created_at = {};  ///< When it was made.
    TimePoint updated_at = {};  ///< When it was changed last.
    /// Grows with every change: a change of what was read before another's is refused.
    std::int64_t revision = 0;
};

/// How many jobs of a campaign are alike. Kept when the jobs themselves are removed.
struct CampaignCount {
    int variant = 0;                       ///< StoredJob::variant.
    int step = 0;                          ///< StoredJob::step.
    JobState state = JobState::ready;      ///< StoredJob::state.
    DeadReason reason = DeadReason::none;  ///< StoredJob::reason.
    std::int64_t jobs = 0;                 ///< How many.
    std::int64_t spend = 0;                ///< The sum of theirs.

    /// All six.
    friend bool operator==(const CampaignCount&, const CampaignCount&) = default;
};

/// What is counted of one of several quotas in a slot.
struct NamedQuotaCount {
    std::string quota = {};  ///< Its name.
    QuotaCount count = {};   ///< What is counted.
};

/// One outcome to tell of, as stored.
struct StoredOutcome {
    std::int64_t cursor = 0;  ///< Given by the storage.
    JobId job = {};
    Outcome outcome = Outcome::accepted;
    TimePoint at = {};
};

/// What is done to a storage at one moment, for all others: all of it, or nothing. Used by one
/// thread, within `OutboxStorage::transact`.
class TWILIOWA_EXPORT OutboxTransaction {
public:
    virtual ~OutboxTransaction() = default;

    /// The storage's time: what `not_before`, looks and records go by.
    virtual TimePoint now() = 0;
    /// The time that leases go by.
    virtual LeaseTime lease_now() = 0;

    /// Inserts a job in state ready, with its `spend`, unless its tenant has one of that key, or
    /// had one whose key is still kept.
    virtual Result<InsertedJob> insert(const StoredJob& job) = 0;
    /// That these jobs are about to be loaded, and these SIDs looked for: an engine behind a
    /// network asks for all of them at once. Changes no answer.
    virtual Result<void> foresee(std::span<const JobId>, std::span<const std::string>) {
        return {};
    }
    /// Jobs by id, with their attempts; what is not there is left out.
    virtual Result<std::vector<StoredJob>> load(std::span<const JobId> ids) = 0;
    /// As `load` of their ids, for jobs that were read before: what nobody has changed since may be
    /// given as it was.
    virtual Result<std::vector<StoredJob>> reload(std::span<const StoredJob> jobs) {
        std::vector<JobId> ids;
        for (const auto& job : jobs) ids.push_back(job.id);
        return load(ids);
    }
    /// Which of the jobs that `ready` gave to an earlier transaction of the same caller nobody has
    /// changed since, and nobody else has now: these are this transaction's, as if `ready` had
    /// given them. In the order of `jobs`.
    virtual Result<std::vector<bool>> take_again(std::span<const StoredJob* const> jobs);
    /// Whose key that is, or was as long as it is kept.
    virtual Result<std::optional<InsertedJob>> find_key(std::string_view tenant,
                                                        std::string_view key) = 0;
    /// The attempt's number; nullopt if the job has none of that nonce. Known longer than the job.
    virtual Result<std::optional<int>> find_attempt(const JobId& job,
                                                    const AttemptNonce& nonce) = 0;
    /// Whose message that SID is; nullopt if no job claims it.
    virtual Result<std::optional<JobId>> find_sid(std::string_view sid) = 0;
    /// Writes what has changed since it was read; then `job.revision` is the new one. An error if
    /// somebody else has changed it.
    virtual Result<void> save(StoredJob& job) = 0;

    virtual Result<std::vector<ReadyGroup>> ready_groups() = 0;
    /// Jobs that are ready and due, oldest first, whose order lets them go, and which are not
    /// suspect.
    virtual Result<std::vector<StoredJob>> ready(const ReadyQuery& query) = 0;
    virtual Result<std::vector<StoredJob>> due(Due what, TimePoint before, std::size_t limit) = 0;
    /// When something is due next: a job's `not_before`, a look, an expiry. Nullopt: nothing is.
    virtual Result<std::optional<TimePoint>> next_due() = 0;
    /// When one of the jobs that are not ready was changed last; nullopt: there is none.
    virtual Result<std::optional<TimePoint>> last_change() = 0;
    virtual Result<std::vector<StoredJob>> list(const JobFilter& filter) = 0;
    virtual Result<std::map<JobState, std::int64_t>> counts() = 0;
    /// Jobs of a tenant (all if nullopt) that are not final.
    virtual Result<std::int64_t> waiting(const std::optional<std::string>& tenant) = 0;

    /// Jobs whose row was put in by somebody else's INSERT and lacks what `insert` makes sure of.
    virtual Result<std::vector<StoredJob>> strangers(std::size_t limit) = 0;
    /// Writes anew what was handed over: `key`, `content_hash`, `payload`, `sender`, `customer`,
    /// `order_key`, and what is kept of its key. Completes such a row, seals one anew, erases its
    /// texts. Otherwise as `save`.
    virtual Result<void> rewrite(StoredJob& job) = 0;

    virtual Result<void> add_outcome(const StoredOutcome& outcome) = 0;
    virtual Result<std::vector<StoredOutcome>> outcomes(std::int64_t after, std::size_t limit) = 0;
    /// Up to where `on_outcome` was told.
    virtual Result<std::int64_t> told() = 0;
    /// That it was told up to there, at least: never goes back, whatever a slower one sets later.
    virtual Result<void> set_told(std::int64_t cursor) = 0;

    // ---- Quotas: what jobs have used of them, kept with the jobs. An engine that keeps none says
    // so.

    /// What is counted in those slots, of which `open` is 0. Until this transaction has ended,
    /// nobody else is given them: so whoever adds to them knows that they are as they were read, or
    /// less. Nullopt: somebody else has them.
    virtual Result<std::optional<std::vector<QuotaCount>>> take_quota(
        std::string_view quota, std::span<const CountedSlot> time_slots);
    /// Adds to what is counted, or gives back, never below 0; for who has taken the quota, or whose
    /// job's record it follows. `used` of it raises `peak`.
    virtual Result<void> count_quota(const QuotaUse& use);
    /// What is counted in the slots of a period that begin in `from <= begin < to`, oldest first;
    /// at most 4000.
    virtual Result<std::vector<QuotaCount>> quota_history(std::string_view quota,
                                                          std::int64_t period, TimePoint from,
                                                          TimePoint to);

    /// The same of all quotas whose names begin with `prefix`, in the order of their names and then
    /// of time, after those of `after`: as many as `limit`, and what is left of the last one's.
    virtual Result<std::vector<NamedQuotaCount>> quota_histories(std::string_view prefix,
                                                                 std::int64_t period,
                                                                 TimePoint from, TimePoint to,
                                                                 std::string_view after,
                                                                 std::size_t limit);

    // ---- Campaigns. An engine that keeps none says so.

    /// Those of these ids, of which some may be missing; all if there are no ids: oldest first.
    virtual Result<std::vector<StoredCampaign>> campaigns(std::span<const std::string> ids);
    /// Whether it is new; nothing was done if there is one of that id.
    virtual Result<bool> insert_campaign(const StoredCampaign& campaign);
    /// As `save` of a job; all but `id`, `tenant` and `created_at` may change.
    virtual Result<void> save_campaign(StoredCampaign& campaign);
    /// What jobs of it there are and were, by all but their number and sum; in that order. Counted
    /// by `insert` and `save`, in their commit.
    virtual Result<std::vector<CampaignCount>> campaign_counts(std::string_view campaign);

    virtual Result<std::vector<Pause>> pauses() = 0;
    virtual Result<void> pause(const Pause& pause) = 0;
    virtual Result<void> resume(Pause::Of of, std::string_view name) = 0;

    /// Small facts about the outbox itself, by name; empty: not there. Of two transactions that
    /// read one and set it, the later one has read what the earlier one set.
    virtual Result<std::string> fact(std::string_view name) = 0;
    virtual Result<void> set_fact(std::string_view name, std::string_view value) = 0;

    /// Erases the payload of final jobs that were last changed before then; returns how many.
    virtual Result<std::int64_t> redact(TimePoint before, std::size_t limit) = 0;
    /// Removes final jobs that were last changed before `before`, and keys and markers of jobs
    /// removed before `keys_before`; and what is counted of quotas and not kept any longer.
    virtual Result<std::int64_t> purge(TimePoint before, std::optional<TimePoint> keys_before,
                                       std::size_t limit) = 0;

    /// The events of an inbox in the same storage, at the same moment; null: this engine keeps
    /// none.
    virtual InboxTransaction* inbox() { return nullptr; }
    /// The transaction itself, for rows of the program's own. What the work did so far can be seen
    /// there.
    virtual NativeTransaction native() { return {}; }
    /// After the program has used it: an error, which says so, if it has ended the transaction or
    /// left it of no more use.
    virtual Result<void> check_native() { return {}; }

private:
    friend class detail::OutboxNews;
    detail::OutboxNews* news_ = nullptr;  ///< What is told once it is committed; null: nothing.
};

/// Jobs that survive the process. Safe to use from any thread.
class TWILIOWA_EXPORT OutboxStorage {
public:
    using Work = std::function<Result<void>(OutboxTransaction&)>;

    virtual ~OutboxStorage() = default;

    /// Runs `work` at one moment; when this returns success, what it did survives a loss of power.
    /// An error of `work`, or an exception, undoes it. Works of several threads may share one
    /// commit. `work` may be run again if the storage has to begin anew: it must have no other
    /// effect than on what it sets afresh each time. It may run in another thread that is in
    /// `transact`: it must take no lock that somebody may hold who calls this.
    virtual Result<void> transact(const Work& work) = 0;

    /// 32 random bits that markers of this outbox carry; the same for as long as its storage lives.
    virtual std::uint32_t outbox_id() const = 0;
    /// The time that leases go by, outside of a transaction.
    virtual LeaseTime lease_now() const = 0;
    /// Its own time, outside of a transaction; nullopt: it goes by the clock of the program.
    virtual std::optional<TimePoint> now() const { return std::nullopt; }
    /// What a copy or a backup of this storage would not share with it: the machine, the file, the
    /// database's timeline. Compared with what it was when it was used last. Empty: cannot be told.
    virtual std::string identity() const = 0;
};

}  // namespace twiliowa
