/// @file
/// Messages that are handed over once, and are then neither lost nor sent twice: `Outbox`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/job_gate.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/quotas.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/text_field.hpp>
#include <twiliowa/webhook/status_callback.hpp>

namespace twiliowa {

class MetricSamples;

namespace detail {
struct OutboxParts;
}

/// What a program says of an account that jobs name: the client that sends for it, or why there is
/// none.
class OutboxAccount {
public:
    OutboxAccount(MessagesClient client) : client_(std::move(client)) {}
    /// Known, and not to send at present: its jobs wait.
    static OutboxAccount switched_off() { return OutboxAccount{State::switched_off}; }
    /// Not known: its jobs are held, by name.
    static OutboxAccount unknown() { return OutboxAccount{State::unknown}; }

    /// Null if there is none.
    const MessagesClient* client() const noexcept { return client_ ? &*client_ : nullptr; }
    bool is_switched_off() const noexcept { return state_ == State::switched_off; }

private:
    enum class State { here, switched_off, unknown };
    explicit OutboxAccount(State state) : state_(state) {}
    State state_ = State::here;
    std::optional<MessagesClient> client_ = {};
};

/// What becomes of jobs that a storage which went back in time calls unsent, when Twilio's list
/// shows nothing of them.
enum class AfterRestore {
    look_then_hold,  ///< A person decides about all of them at once.
    look_then_send,  ///< They go after 30 minutes, where a callback would have told otherwise.
};

/// How an outbox is set up.
struct OutboxOptions {
    /// The client of an account, by the program's own name for it (JobOptions::account): asked
    /// before each send, so that an account may come, go and change its token. Credentials that
    /// Twilio refuses pause the account, until the client has others or somebody resumes it. Needed
    /// to run, and not to enqueue. One that sends for every name: `[client](std::string_view) {
    /// return client;
    /// }`. Clients whose RetryPolicy has `retry_may_duplicate` are refused.
    std::function<OutboxAccount(std::string_view account)> client = {};
    /// Where Twilio reports what becomes of messages that name no URL themselves, and their client
    /// has none: without callbacks an unknown outcome is known by Twilio's list alone. Give each
    /// callback to `learn`.
    TextField status_callback = {};
    OnUnknown on_unknown = OnUnknown::hold();  ///< Of jobs that say nothing of it.
    int concurrency = 50;                      ///< Messages under way at once.
    /// Of one send, its own repetitions included.
    std::chrono::milliseconds send_timeout{30'000};
    /// How often a job is tried that certainly was not sent.
    int max_tries = 10;
    /// Jobs that may wait, in all and for one tenant; further ones are refused. 0: no limit.
    std::int64_t max_waiting = 0;
    std::int64_t max_waiting_per_tenant = 0;
    AfterRestore after_restore = AfterRestore::look_then_hold;
    /// Nothing but this outbox sends as these senders. Then of several jobs with the same text to
    /// one customer as many are taken to be sent as Twilio's list shows; and before a worker's
    /// first send as each of them one page of that list is read: what it shows beyond all that is
    /// known here tells that the storage went back in time.
    bool exclusive_senders = false;
    /// Rows that other programs put in are refused (`dead`, with the reason) unless they are
    /// sealed, as docs/outbox.md says. Otherwise they are sealed when a worker finds them, and have
    /// stood in the clear until then. Needs a sealer; give it to every worker of the outbox.
    bool refuse_unsealed_rows = false;
    /// Twilio is asked what each message did cost (Job::price), a day after it was sent and once a
    /// day for a week: a page of the sender's list, which many jobs share. Without it those jobs
    /// are asked for that a gate has estimated.
    bool ask_prices = false;
    /// How long the message is kept of a job that is final; then its texts are erased. Of this and
    /// the next two, `milliseconds::max()` is for ever.
    std::chrono::milliseconds payload_kept{std::chrono::hours{24 * 7}};
    /// How long the job itself is kept then.
    std::chrono::milliseconds jobs_kept{std::chrono::hours{24 * 30}};
    /// How long its key and its markers are kept after that: so long handing it over again is
    /// harmless, and a late callback understood.
    std::chrono::milliseconds keys_kept{std::chrono::hours{24 * 90}};
    /// Seals all that names a customer or a message: the message, its key, who it is for. Give it
    /// from the first job on; what was enqueued without it stays readable.
    std::optional<Sealer> sealer = {};
    /// The windows of the quotas that jobs name (JobOptions::quota), and what is told of them. What
    /// was used is counted in the outbox's own storage, in the commit that a job is sent with, and
    /// by that storage's time: `clock` is not asked, and nothing lapses, as the job's record says
    /// what became of it. `windows_of` is asked about once a second for each quota. A job is held
    /// if it names a quota and there is none of this.
    std::optional<QuotasOptions> quotas = {};
    /// Where those windows are counted instead that are not of a plan: a Redis. It is asked before
    /// the commit; what dies in between lapses there after QuotasOptions::lapse_after. May be null.
    std::shared_ptr<QuotaStorage> quota_rates = {};
    /// What is asked before a job is sent: SendingRules (campaign/sending_rules.hpp), which knows
    /// quiet hours, consents, budgets and campaigns. Null: nothing; then jobs of campaigns wait for
    /// a worker that has one.
    std::shared_ptr<const JobGate> gate = {};
    /// Whose `forget` and `export_of` reach this outbox, as long as it lives: every message that is
    /// kept of somebody, whoever handed it over, is found by whom it is for. May be null.
    std::shared_ptr<const Customers> customers = {};
    /// Told of what becomes of jobs and campaigns (`on_job`, `on_pause`, `on_breaker`,
    /// `on_campaign` and the like), each when it is on the disk, by the thread that did it. The
    /// requests to Twilio are told to the observer of the client.
    std::shared_ptr<Observer> observer = {};
    std::shared_ptr<Clock> clock = {};    ///< Default: the machine's.
    std::function<double()> random = {};  ///< In [0, 1), for jitter. Must be thread-safe.
};

/// A message and what is asked for it.
struct NewJob {
    OutboundMessage message = {};
    JobOptions options = {};
};

/// What `Outbox::counts` tells.
struct OutboxCounts {
    std::map<JobState, std::int64_t> by_state = {};
    TimePoint now = {};  ///< When this was so, by the storage's time.
    std::int64_t of(JobState state) const {
        const auto found = by_state.find(state);
        return found == by_state.end() ? 0 : found->second;
    }
};

/// What `Outbox::run_until_idle` did.
struct IdleReport {
    int sent = 0;   ///< Attempts that were made.
    int looks = 0;  ///< Jobs that were looked for.
    /// When something is due next; nullopt: nothing is.
    std::optional<TimePoint> next_due = {};
};

/// What may be said of a job that is held or unknown; kept with the job (Job::decision).
class Resolution {
public:
    static Resolution sent(MessageSid sid) { return Resolution{Kind::sent, std::move(sid)}; }
    static Resolution not_sent() { return Resolution{Kind::not_sent, {}}; }
    /// Nobody will know, and nobody needs to.
    static Resolution drop() { return Resolution{Kind::drop, {}}; }
    /// Who says so (at most 100 bytes), and why (at most 200): `Resolution::not_sent().by("ann",
    /// "the console shows nothing")`. Kept in the clear, in a sealed outbox too.
    Resolution by(TextField person, TextField why = {}) const {
        auto signed_by = *this;
        signed_by.person_ = std::move(person);
        signed_by.why_ = std::move(why);
        return signed_by;
    }

    enum class Kind { sent, not_sent, drop };
    Kind kind() const noexcept { return kind_; }
    const MessageSid& sid() const noexcept { return sid_; }
    const std::string& person() const noexcept { return person_; }  ///< Empty: nobody.
    const std::string& why() const noexcept { return why_; }        ///< Empty: for no reason.

private:
    Resolution(Kind kind, MessageSid sid) : kind_(kind), sid_(std::move(sid)) {}
    Kind kind_;
    MessageSid sid_;
    TextField person_ = {};
    TextField why_ = {};
};

/// A queue of messages in a storage: what `enqueue` has returned for is sent, once, whatever dies
/// meanwhile; what cannot be known is said, and left to the policy of the job (OnUnknown). Before a
/// byte leaves, that it may leave is on the disk; Twilio's signed callbacks, which carry a marker
/// of the attempt, prove that it left. docs/outbox.md says what is guaranteed, and what is not.
///
/// Threads: none until `start`, which begins one that sends and one that tells of outcomes (if
/// `on_outcome` was called); `stop` and the destructor end both. The clients' own I/O thread
/// carries the sends. Everything may be called from any thread; calls wait for the disk.
///
/// Errors: InvalidRequestError for what is refused by name; those of the storage (`store_error`),
/// which mean that nothing was done (unless the disk itself fails in the middle of a commit, and
/// the process ends then: it may be found done). Each verb throws, and its `try_` twin does not.
class Outbox {
public:
    /// @throws InvalidRequestError naming the option that is wrong.
    explicit Outbox(std::shared_ptr<OutboxStorage> storage, OutboxOptions options = {});
    ~Outbox();
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    // ---- Handing over. The message is checked as a send would (field by field, without asking
    // ---- anybody); what a send would refuse is refused here.

    EnqueuedJob enqueue(const OutboundMessage& message, const JobOptions& options = {});
    Result<EnqueuedJob> try_enqueue(const OutboundMessage& message, const JobOptions& options = {});
    /// Several in one commit; each is taken in or refused by itself. An error: none was.
    std::vector<Result<EnqueuedJob>> enqueue_all(std::span<const NewJob> jobs);
    Result<std::vector<Result<EnqueuedJob>>> try_enqueue_all(std::span<const NewJob> jobs);

    /// Hands over by an insert of the program's own, so that the job is there when the program's
    /// transaction commits, and not before: `try_enqueue_in` of an engine
    /// (sqlite/sqlite_outbox.hpp). The limits of waiting jobs are not asked, nor keys that were
    /// hashed by an older key of the ring (`try_reseal` after a rotation); an `expires_at` that has
    /// passed is refused, though the key may be known. A worker finds the job within a second.
    using JobInserter = std::function<Result<InsertedJob>(const StoredJob&)>;
    Result<EnqueuedJob> try_enqueue_by(const JobInserter& insert, const OutboundMessage& message,
                                       const JobOptions& options = {});

    // ---- Evidence.

    /// Takes in what Twilio reported. Callbacks that are about no job of this outbox only show that
    /// a message is none of its jobs'. Idempotent, in any order. In a WebhookHandler:
    /// `handler.on_status([&](const StatusCallback& c) { outbox.learn(c); })`, which answers Twilio
    /// 503 and frees the event if the storage fails.
    void learn(const StatusCallback& callback);
    Result<void> try_learn(const StatusCallback& callback);

    // ---- Looking.

    Result<std::optional<Job>> try_find(std::string_view tenant, std::string_view key);
    std::optional<Job> find(std::string_view tenant, std::string_view key);
    Result<std::optional<Job>> try_find(const JobId& id);
    std::optional<Job> find(const JobId& id);
    /// What followed a message because it did not arrive (JobOptions::fallbacks), in its order:
    /// found by its key, which a sealed storage knows as long as the texts are kept. Empty: nothing
    /// has, or there is no such job.
    Result<std::vector<Job>> try_steps_after(const JobId& id);
    std::vector<Job> steps_after(const JobId& id);
    Result<std::vector<Job>> try_list(const JobFilter& filter = {});
    std::vector<Job> list(const JobFilter& filter = {});
    Result<OutboxCounts> try_counts();
    OutboxCounts counts();
    /// Since when the oldest job is due of those that are ready, and whose order lets them go;
    /// nullopt: none is. What is paused, or waits for a limit, is due. Asks once for each sender
    /// and tenant that has jobs.
    Result<std::optional<TimePoint>> try_oldest_due();
    std::optional<TimePoint> oldest_due();
    /// Outcomes after a cursor (0: from the first that is kept), oldest first.
    Result<std::vector<JobOutcome>> try_outcomes(std::int64_t after, std::size_t limit = 100);

    /// How the windows of a quota stand: what is left, and when they renew. What is under way
    /// counts as used. Those that OutboxOptions::quota_rates counts come last, and are asked for
    /// there. As QuotasOptions says; without them, an error.
    Result<std::vector<QuotaState>> try_quota(std::string_view quota);
    std::vector<QuotaState> quota(std::string_view quota);
    /// What jobs have used of it on each day (UTC) that begins in `from <= day < to`; days on which
    /// nothing was used are left out.
    Result<std::vector<QuotaDay>> try_quota_by_day(std::string_view quota, TimePoint from,
                                                   TimePoint to);

    /// Called for each outcome after it is on the disk, in order. Of all processes that work on the
    /// storage and have a handler one is told, which goes on with it; when it stops or its handler
    /// throws another takes over at once, and 10 seconds after it died. At least once: again if it
    /// throws, and where a process dies, or stands still for longer than that, before it is noted
    /// that it was told. By the thread of `start`, or in `run_until_idle`.
    void on_outcome(std::function<void(const JobOutcome&)> handler);

    // ---- Deciding. Each says whether the job was one that it applies to.

    Result<bool> try_resolve(const JobId& id, const Resolution& resolution);
    bool resolve(const JobId& id, const Resolution& resolution);
    /// All suspects that are held; returns how many.
    Result<std::int64_t> try_resolve_suspects(const Resolution& resolution);
    /// Sends again what is dead and certainly was not sent, as long as its message is kept.
    Result<bool> try_retry(const JobId& id);
    bool retry(const JobId& id);
    /// What has not left yet does not leave. Of what has left only a further attempt is prevented.
    Result<bool> try_cancel(const JobId& id);
    bool cancel(const JobId& id);
    /// Everything that is not final and was enqueued or may have been sent since `since` may have
    /// been sent by a later state of this storage: it is looked for first. Returns how many.
    Result<std::int64_t> try_suspect(TimePoint since);

    /// What is held because its quota is used up, and what waits for it to renew, is tried at once:
    /// for who has taken a larger plan. Returns how many jobs.
    Result<std::int64_t> try_resume_quota(std::string_view quota);

    Result<void> try_pause(const Pause& pause);
    void pause(const Pause& pause);
    Result<void> try_resume(Pause::Of of, std::string_view name = {});
    void resume(Pause::Of of, std::string_view name = {});
    Result<std::vector<Pause>> try_pauses();
    /// Removes final jobs that have not changed since; with `keys`, what they were known by, too:
    /// then they may be handed over, and sent, again, and a late callback about them looks like
    /// that of a storage which went back in time. What `on_outcome` is yet to be told of stays.
    Result<std::int64_t> try_purge(TimePoint unchanged_since, bool keys = false);

    /// Seals anew with the newest key what an older one, or none, has sealed; returns how many
    /// jobs. Keys and markers of jobs that are gone stay as they are: an older key may leave the
    /// ring when OutboxOptions::keys_kept has passed.
    Result<std::int64_t> try_reseal();

    // ---- Customers who ask what is kept of them.

    /// The part of this outbox in `Customers::forget` and `export_of`: with
    /// OutboxOptions::customers it is one, else give it to `Customers::add_part`. Forgetting erases
    /// the texts of jobs that are final, and who they were for; of others it answers "not yet".
    /// Lives on when the outbox has gone, as long as its storage.
    std::shared_ptr<const PersonalData> personal_data() const;

    // ---- Running.

    /// Begins to send. @throws InvalidRequestError without OutboxOptions::client.
    void start();
    /// Takes no new job, waits for what is under way, at most that long; says whether all ended.
    bool drain(std::chrono::milliseconds at_most);
    /// Ends at once: what is under way is cancelled, and unknown if it may have left; a transport
    /// that does not end what is cancelled is waited for 5 seconds at most. Idempotent.
    /// By `on_outcome` itself: returns before the end, which the next `stop` or the destructor
    /// waits for.
    void stop();

    /// Does everything that is due now, in this thread and without waiting: sends, looks, outcomes.
    /// For tests, with FakeTwilio and its clock; not beside `start`.
    IdleReport run_until_idle();
    Result<IdleReport> try_run_until_idle();

private:
    friend struct detail::OutboxParts;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Adds to a scrape what docs/metrics.md lists of an outbox: its jobs by state, how long the oldest
/// of them has been due, and what is paused. Throws as `Outbox::oldest_due` does.
///
/// @code
/// const auto source = metrics->add_source([&](auto& samples) { add_samples(samples, outbox); });
/// @endcode
void add_samples(MetricSamples& samples, Outbox& outbox);

}  // namespace twiliowa
