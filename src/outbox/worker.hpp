/// @file
/// Sends what an outbox holds: one step at a time, by whoever calls it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/types/cancel.hpp>

#include "outbox/answer.hpp"
#include "outbox/breaker.hpp"
#include "outbox/neighbourhood.hpp"
#include "outbox/outbox_core.hpp"
#include "outbox/scheduler.hpp"
#include "outbox/send_pace.hpp"
#include "outbox/worker_quotas.hpp"

namespace twiliowa::detail {

/// An attempt that is under way.
struct AttemptUnderWay {
    std::shared_ptr<const StoredJob> job = {};  ///< As it was when it went.
    int number = 0;
    AttemptNonce nonce = {};
    std::string account = {};
    std::string credentials = {};  ///< Their mark.
    std::string sender = {};
    std::string quota_send = {};  ///< Its key where its quota is counted elsewhere; or empty.
};

struct FinishedSend {
    AttemptUnderWay attempt = {};
    SendAnswer answer = {};
    bool slot_unused = false;
    bool noted = false;  ///< By breakers and limits.
};

struct FinishedLook {
    JobId job = {};
    LookResult result = {};
    std::optional<Message> fetched = {};  ///< Of a job whose SID is known.
};

/// The newest messages of a sender: whether they tell that the storage went back in time.
struct FinishedWitness {
    SendRoad road = {};
    std::vector<Message> newest = {};  ///< Empty, too, where Twilio told nothing.
};

/// A day, UTC, of an account, whose messages are read in Twilio's list: so many fell silent.
using AccountDay = std::pair<std::string, std::chrono::sys_days>;

struct FinishedPage {
    AccountDay day = {};
    Page<Message> page = {};  ///< Empty, too, where Twilio told nothing: then the walk is over.
};

/// What ends elsewhere, on the transport's thread, and the next step takes in.
class FinishedWork {
public:
    using Item = std::variant<FinishedSend, FinishedLook, FinishedWitness, FinishedPage>;

    explicit FinishedWork(std::function<void()> wake) : wake_(std::move(wake)) {}
    void add(Item item);
    std::vector<Item> take();
    /// A commit has failed: they are taken again.
    void put_back(std::vector<Item> items);
    /// Nobody is woken any more, whatever ends from now on.
    void close() noexcept;

private:
    std::mutex mutex_;
    std::vector<Item> items_ = {};
    std::mutex wake_mutex_;  ///< Held while `wake_` runs, so that nobody it wakes is gone.
    std::function<void()> wake_;
};

/// Used by one thread at a time.
class OutboxWorker {
public:
    struct Step {
        int sent = 0;
        int looks = 0;
        bool progress = false;  ///< Something was done, so that there may be more.
        std::optional<TimePoint> next_due = {};
        std::optional<MonotonicTime> next_slot = {};   ///< When a limit lets the next one go.
        std::optional<MonotonicTime> next_probe = {};  ///< When an outage is probed next.
    };

    /// @param wake  called when something under way has ended.
    OutboxWorker(std::shared_ptr<const OutboxCore> core, std::string name,
                 std::function<void()> wake);
    /// Not by who holds what `wake` waits for.
    ~OutboxWorker();
    OutboxWorker(const OutboxWorker&) = delete;
    OutboxWorker& operator=(const OutboxWorker&) = delete;

    /// Takes in what has ended, commits it with what goes next, and sends that: in this thread if
    /// `blocking`, else on the clients' transport. An error: nothing new was sent, and nothing that
    /// has ended is forgotten.
    Result<Step> step(bool blocking, bool take_new);
    std::size_t under_way() const noexcept { return under_way_; }
    /// Cancels what is under way.
    void cancel();
    /// Nobody sends any more: what was known of outages is told to be over.
    void forget_breakers();

private:
    struct Plan;
    Result<Step> take_step(bool blocking, bool take_new);
    /// Decides and commits; an exception is an error, and undoes it.
    Result<void> commit(Plan& plan, const std::vector<FinishedWork::Item>& finished,
                        std::size_t ended, bool take_new);
    bool is_due_to_look_around(TimePoint now) const;
    struct Traffic {
        SendBreaker breaker = {};
        std::vector<MonotonicTime> slots = {};  ///< Taken, and not used yet.
        bool limited = false;
    };

    Result<void> take_in(OutboxTransaction& transaction, Plan& plan,
                         const std::vector<FinishedWork::Item>& finished) const;
    Result<void> take_in(OutboxTransaction& transaction, StoredJob& job,
                         const FinishedSend& finished) const;
    Result<void> take_sends(OutboxTransaction& transaction,
                            const std::vector<FinishedWork::Item>& finished) const;
    Result<void> take_in(OutboxTransaction& transaction, Plan& plan,
                         const FinishedLook& finished) const;
    Result<void> take_in(OutboxTransaction& transaction, const FinishedPage& finished) const;
    Result<void> pause_refused(OutboxTransaction& transaction, const FinishedSend& finished) const;
    Result<void> sweep(OutboxTransaction& transaction, Plan& plan) const;
    Result<void> adopt_strangers(OutboxTransaction& transaction, Plan& plan) const;
    Result<bool> adopt(OutboxTransaction& transaction, StoredJob& row,
                       const JobDefaults& defaults) const;
    /// Those that hold; one for refused credentials ends when there are others.
    Result<std::vector<Pause>> pauses(OutboxTransaction& transaction, Plan& plan) const;
    /// A job that is due and whose gate is asked before it goes.
    struct Candidate {
        StoredJob job = {};
        JobCodec::Content content = {};
        std::optional<JobVerdict> verdict = {};
        MonotonicTime judged_at = {};
        /// Its job or message went into a plan: if that comes to nothing, it is read anew.
        bool spent = false;
    };
    using Candidates = std::map<ReadyGroup, std::vector<std::shared_ptr<Candidate>>>;
    Result<void> choose(OutboxTransaction& transaction, Plan& plan);
    /// Whether the job is where it was no more.
    Result<bool> send_off(OutboxTransaction& transaction, Plan& plan, StoredJob& job,
                          Candidate* judged = nullptr);
    struct Reservation;
    /// What a job's quota says of its next attempt.
    enum class QuotaSays {
        go,       ///< It fits.
        not_now,  ///< Nobody can say; the job is as it was.
        moved,    ///< It does not: the job waits, or is held.
    };
    Result<QuotaSays> ask_quota(OutboxTransaction& transaction, Plan& plan, StoredJob& job,
                                Reservation& reservation) const;
    Result<QuotaSays> refuse_by_quota(OutboxTransaction& transaction, Plan& plan, StoredJob& job,
                                      const QuotaAnswer& refusal) const;
    Result<void> take_from_quota(OutboxTransaction& transaction, Plan& plan, const StoredJob& job,
                                 const Reservation& reservation) const;
    void conclude_quotas(Plan& plan, const std::vector<FinishedWork::Item>& finished);

    struct BudgetReservation;
    void judge_candidates();
    bool is_gated(const ReadyGroup& group) const;
    /// Reads the campaigns of those groups, and how much of each may go.
    Result<void> read_campaigns(OutboxTransaction& transaction, Plan& plan,
                                const std::vector<ReadyGroup>& groups) const;
    Result<void> count_waiting(OutboxTransaction& transaction, Plan& plan,
                               const std::string& campaign) const;
    bool may_go(const Plan& plan, const std::string& campaign) const;
    /// Sends what was judged, and reads what is to be judged next. How many were moved.
    Result<std::size_t> send_gated(OutboxTransaction& transaction, Plan& plan,
                                   const ReadyGroup& group, std::size_t wanted);
    /// Whether the job is where it was no more, as the gate wants it.
    Result<bool> obey(OutboxTransaction& transaction, Plan& plan, StoredJob& job,
                      const JobVerdict& verdict) const;
    Result<QuotaSays> ask_budgets(OutboxTransaction& transaction, Plan& plan, StoredJob& job,
                                  const JobVerdict& verdict,
                                  std::vector<BudgetReservation>& reservations) const;
    Result<QuotaSays> refuse_by_budget(OutboxTransaction& transaction, Plan& plan, StoredJob& job,
                                       const BudgetReservation& refused) const;
    Result<void> take_from_budgets(OutboxTransaction& transaction, Plan& plan,
                                   const std::vector<BudgetReservation>& reservations) const;
    static std::vector<CountedAttempt> counted(const std::vector<BudgetReservation>& reservations,
                                               int attempt);
    /// Those whose group had no turn in this step, and still waits.
    void keep_candidates(Plan& plan, const std::vector<ReadyGroup>& groups) const;
    Result<void> count_campaigns(OutboxTransaction& transaction, const Plan& plan) const;
    /// Looks at campaigns that may be finished: those that wait to be sent are not.
    Result<void> conclude_campaigns(OutboxTransaction& transaction, Plan& plan) const;
    Result<void> choose_looks(OutboxTransaction& transaction, Plan& plan) const;
    Result<void> choose_look(OutboxTransaction& transaction, Plan& plan, StoredJob& job) const;
    /// Whether its account was asked for, and has a client.
    bool can_ask(Plan& plan, const std::string& name) const;
    Result<void> choose_fetches(OutboxTransaction& transaction, Plan& plan) const;
    Result<LookResult> weigh(OutboxTransaction& transaction, Plan& plan, const StoredJob& job,
                             const LookResult& seen) const;

    void note_answer(const FinishedSend& finished, MonotonicTime now);
    /// Nothing of an account goes before the next day.
    void block_for_the_day(const std::string& account);
    void tell_of_breaker(const SendRoad& road, const SendBreaker& before, const SendBreaker& after,
                         MonotonicTime now) const;
    SendPace& pace_of(const std::string& account);
    std::size_t room_of(const Plan& plan, const std::string& account);
    std::size_t allowed(const SendRoad& road, std::size_t wanted);
    void give_back_slots(MonotonicTime now);
    /// For each of those launches whether its gate still lets it go.
    std::vector<bool> ask_to_leave(const Plan& plan, std::size_t from, std::size_t until) const;
    void launch(Plan& plan, bool blocking);
    void launch_looks(Plan& plan, bool blocking);
    void start_looks(Plan& plan, bool blocking);
    /// Whether what Twilio lists of a sender was looked at; asks for it if not.
    bool is_witnessed(Plan& plan, const SendRoad& road) const;
    void launch_witnesses(Plan& plan, bool blocking);
    void launch_walks(Plan& plan, bool blocking);

    const std::shared_ptr<const OutboxCore> core_;
    const std::string name_;
    bool storage_may_differ_ = false;  ///< From what it was before: it failed, or says so.
    std::optional<TimePoint> looked_around_ = {};  ///< For what is due, and other programs' jobs.
    std::optional<TimePoint> last_commit_ = {};
    const std::shared_ptr<FinishedWork> finished_;
    OutboxScheduler scheduler_ = {};
    std::map<SendRoad, Traffic> traffic_ = {};
    struct KnownAccount {
        OutboxAccount account;
        std::string sid = {};
        std::string credentials = {};  ///< Their mark.

        const MessagesClient* client() const noexcept { return account.client(); }
    };

    void ask_for_accounts();

    WorkerQuotas quotas_;
    std::set<std::string> wanted_quotas_ = {};
    std::vector<PermitWanted> wanted_permits_ = {};
    /// When the next job of a quota that is used up has its turn.
    struct QuotaTurn {
        TimePoint begin = {};    ///< Of the window.
        std::int64_t taken = 0;  ///< Of it, by jobs that wait for it.
    };
    std::map<std::string, QuotaTurn> quota_turns_ = {};

    Candidates candidates_ = {};
    std::map<std::string, StoredCampaign> campaigns_ = {};  ///< As they were read last.
    struct Waiting {
        std::int64_t jobs = 0;
        MonotonicTime counted_at = {};
    };
    std::map<std::string, Waiting> campaign_waiting_ = {};
    /// Of which jobs have ended, so that an observer may have to be told that they are finished.
    OutboxNews::Endings endings_ = {};
    MonotonicTime gate_away_until_ = {};
    std::set<std::string> noted_currencies_ = {};  ///< Of campaigns.

    std::map<std::string, KnownAccount> accounts_ = {};  ///< Asked anew in each step.
    std::set<std::string> wanted_accounts_ = {};
    std::map<std::string, TimePoint> blocked_until_ = {};  ///< By account.
    std::map<std::string, SendPace> paces_ = {};           ///< By account.
    std::set<JobId> looking_ = {};
    std::map<SendRoad, bool> witnesses_ = {};  ///< Whether they have answered.
    struct Walk {
        Page<Message> before = {};  ///< What the next page comes after.
        bool under_way = false;
        std::optional<MonotonicTime> ended = {};
    };
    std::map<AccountDay, Walk> walks_ = {};
    std::size_t under_way_ = 0;
    CancelSource stop_ = {};
};

}  // namespace twiliowa::detail
