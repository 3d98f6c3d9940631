/// @file
/// What comes in is written down before Twilio gets its 200, and handled from there:
/// `DurableInbox`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <twiliowa/inbox.hpp>
#include <twiliowa/messages_client.hpp>
#include <twiliowa/outbox/inbox_storage.hpp>
#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/outbox/turn.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/text_field.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>

namespace twiliowa {

/// What a program says of an account whose events come in.
enum class InboxAccount {
    here,     ///< Its events are handled.
    not_now,  ///< As while its token cannot be had: its events are taken in, and wait.
    /// Its webhooks are answered 200 and not kept. What was kept before waits.
    switched_off,
    unknown,  ///< Its events are taken in, and are dead letters, by name.
};

/// Whose lists of messages `DurableInbox::catch_up` reads: clients, one for each account, or a
/// function that gives those of the moment. Made from either without further words.
class InboxClients {
public:
    /// Must be safe to call from any thread. What it throws fails what asked for it.
    using Function = std::function<std::vector<MessagesClient>()>;

    InboxClients() = default;  ///< None.
    /// The same at any time.
    InboxClients(std::vector<MessagesClient> clients);  // NOLINT: without further words
    /// The same at any time.
    InboxClients(std::initializer_list<MessagesClient> clients);  // NOLINT: without further words
    /// Those of the moment.
    template <class F>
    requires std::is_invocable_r_v<std::vector<MessagesClient>, F&> InboxClients(F function)
        : function_(std::move(function)) {}  // NOLINT: without further words

    /// Whether there are none, now and ever.
    bool empty() const noexcept { return clients_.empty() && !function_; }
    /// Those of this moment.
    std::vector<MessagesClient> now() const { return function_ ? function_() : clients_; }

private:
    std::vector<MessagesClient> clients_ = {};
    Function function_ = {};
};

/// How an inbox is set up. Everything has a default.
struct InboxOptions {
    /// Handlers that run at once, each in a thread of its own; of two or more, one is always left
    /// to what is no message. Handlers wait more than they reckon (for a language model, for a
    /// database): more than the machine has processors is right.
    int workers = 8;
    /// How long a worker has an event without a sign of life: so long the events of a process that
    /// died wait. Renewed while the handler runs.
    std::chrono::milliseconds lease{10'000};
    /// How often an event is tried before it is a dead letter. Counted when it is taken up.
    int max_tries = 5;
    /// What the pauses between the tries of one event add up to, at most: so long a failing event
    /// keeps back others of its customer. Each pause is three times the one before.
    std::chrono::milliseconds pauses{std::chrono::minutes{2}};
    /// Events that may wait; further ones are answered 503. Counted once a second, so that several
    /// processes may take in a second's more. 0: no limit.
    std::int64_t max_waiting = 100'000;
    /// The same for one account: those of others are taken in. 0: no limit.
    std::int64_t max_waiting_per_account = 0;
    /// Handlers that run at once for one account's events, so that others find some free; of two or
    /// more, one is left to what is no message. 0: half of `workers` once this inbox has seen
    /// events of two accounts, and all of them before.
    int workers_per_account = 0;
    /// What the jobs of answers have: account, tenant, lane and the like, for the message that they
    /// answer. Without a key: `<MessageSid>/1`, `/2` ... are the keys. What it throws fails the
    /// try.
    std::function<JobOptions(const InboundMessage&)> reply_options = {};
    /// What is known of an account, by its AccountSid: asked for each webhook, whose answer waits
    /// for it, and before each try, in the threads of both. What waits for it costs no try, and
    /// holds up no other account; it is asked again after a second, and less and less often, up to
    /// once a minute. What it throws is `not_now`. Default: all are here.
    std::function<InboxAccount(std::string_view account_sid)> account = {};
    /// Whose lists of messages `catch_up` reads: one client for each account.
    InboxClients clients = {};
    /// Of which of your senders `catch_up` reads them: their numbers, as a message's `from` is
    /// written. Each is one list more of each of `clients`. Empty: of all, which is the account's
    /// whole list, other programs' messages and what is sent included.
    TextList catch_up_senders = {};
    /// How long the text is kept of an event that is done or dropped, and whom it names. Of this
    /// and the next two, `milliseconds::max()` is for ever.
    std::chrono::milliseconds payload_kept{std::chrono::hours{24 * 7}};
    /// How long the event itself is kept then.
    std::chrono::milliseconds events_kept{std::chrono::hours{24 * 30}};
    /// How long its key is kept after that: so long a duplicate is known.
    std::chrono::milliseconds keys_kept{std::chrono::hours{24 * 90}};
    /// Seals what came in, and hashes whom it names.
    std::optional<Sealer> sealer = {};
    /// As OutboxOptions::customers. May be null.
    std::shared_ptr<const Customers> customers = {};
    /// Told of every try (`on_inbox`), and when its threads cannot work (`on_queue_failed`).
    std::shared_ptr<Observer> observer = {};
    std::shared_ptr<Clock> clock = {};    ///< Default: the machine's.
    std::function<double()> random = {};  ///< In [0, 1), for jitter. Must be thread-safe.
};

/// What is known of an event.
struct InboxEvent {
    /// Its number in this inbox; grows with every event.
    std::int64_t sequence = 0;
    std::string account_sid = {};            ///< The account (AC...); empty if it is unknown.
    std::string kind = {};                   ///< `message`, `status`, `unknown`.
    std::string message_sid = {};            ///< The message's SID; empty if it is unknown.
    InboxState state = InboxState::waiting;  ///< Where it is.
    int tries = 0;                           ///< How often it was taken up.
    std::string problem = {};   ///< Why its last try failed: our words, free of people.
    bool caught_up = false;     ///< Read from Twilio's list, and not from a webhook.
    bool out_of_order = false;  ///< A person has tried it again.
    TimePoint arrived_at = {};  ///< When it came in, or was sent.
    TimePoint updated_at = {};  ///< When it changed last.
    TimePoint not_before = {};  ///< When it is due, if it waits.
    /// What came in; nullopt once it was erased, or if it cannot be opened.
    std::optional<WebhookEvent> event = {};
};

/// What `DurableInbox::counts` tells.
struct InboxCounts {
    std::map<InboxState, std::int64_t> by_state = {};  ///< What is left out: none.
    std::optional<TimePoint> oldest_waiting = {};      ///< When it arrived.
    TimePoint now = {};                                ///< When this was so, by the storage's time.
    /// How many are in that state.
    std::int64_t of(InboxState state) const {
        const auto found = by_state.find(state);
        return found == by_state.end() ? 0 : found->second;
    }
};

/// What `DurableInbox::run_until_idle` did.
struct InboxIdleReport {
    int handled = 0;  ///< Events whose handler has run.
    int failed = 0;   ///< Tries that failed, those that made dead letters, too.
    /// When something is due next; nullopt: nothing is.
    std::optional<TimePoint> next_due = {};
};

/// What `DurableInbox::catch_up` found.
struct CatchUpReport {
    int taken = 0;   ///< Messages whose webhook had not come.
    int listed = 0;  ///< Inbound messages that Twilio lists since then.
};

/// Events of webhooks in a storage: what was answered 200 is handled, or is a dead letter that
/// somebody sees; whatever dies meanwhile. Events of one customer (per account and sender of yours)
/// are handled one at a time, in order of arrival; those of others beside them. Statuses go by
/// their MessageSid, wait for no message, and reach the outbox before they are answered 200.
///
/// A handler that fails is tried again, up to `max_tries` in all, after pauses; then the event is
/// dead, and the customer's next one goes on. Handlers run at least once; what is committed with
/// the event happens once: what they answer, enqueue and give to `at_commit` (Turn). docs/inbox.md
/// says what is guaranteed, and what is not.
///
/// @code
/// Outbox outbox{storage, {.client = client_of}};
/// const auto inbox = std::make_shared<DurableInbox>(outbox);
/// WebhookHandler handler{RequestValidator{auth_token}, {.public_url = url, .inbox = inbox}};
/// handler.on_text([](const InboundMessage& m) { return MessagingResponse{"Thank you"}; });
/// outbox.start();
/// inbox->start();
/// @endcode
///
/// Threads: none until `start`, which begins `workers` that call handlers, and one that takes
/// events up, renews leases and removes what is kept no longer. Everything may be called from any
/// thread; calls wait for the disk. A WebhookHandler attaches itself, and when it goes it waits for
/// its handlers that are under way.
///
/// Errors: InvalidRequestError for what is refused by name; those of the storage (`store_error`).
/// Each verb throws, and its `try_` twin does not.
class DurableInbox final : public Inbox {
public:
    /// On the storage of `outbox`, which has to live longer: it sends what handlers answer.
    /// @throws InvalidRequestError naming the option that is wrong, or a storage that keeps no
    /// events.
    explicit DurableInbox(Outbox& outbox, InboxOptions options = {});
    /// Without an outbox: handlers answer nothing.
    explicit DurableInbox(std::shared_ptr<OutboxStorage> storage, InboxOptions options = {});
    ~DurableInbox() override;
    DurableInbox(const DurableInbox&) = delete;
    DurableInbox& operator=(const DurableInbox&) = delete;

    // ---- For WebhookHandler.

    Result<InboxLook> look(const EventKey& key) override;
    Result<InboxAnswer> take(const InboxDelivery& delivery) override;
    bool can_reply() const noexcept override;
    bool is_running() const noexcept override;
    Result<void> attach(InboxHandler& handler) override;
    void detach(InboxHandler& handler) noexcept override;

    // ---- Looking.

    /// By their numbers, from the one after `InboxFilter::after`.
    std::vector<InboxEvent> list(const InboxFilter& filter = {});
    Result<std::vector<InboxEvent>> try_list(const InboxFilter& filter = {});
    /// By its number; nullopt: it is not there.
    std::optional<InboxEvent> find(std::int64_t sequence);
    Result<std::optional<InboxEvent>> try_find(std::int64_t sequence);
    /// How many events are in each state.
    InboxCounts counts();
    Result<InboxCounts> try_counts();

    // ---- Deciding. Each says whether the event was one that it applies to.

    /// Tries a dead letter again, out of its order: later events of its customer may have been
    /// handled.
    bool retry(std::int64_t sequence);
    Result<bool> try_retry(std::int64_t sequence);
    /// Nobody handles what is dead or waits.
    bool drop(std::int64_t sequence);
    Result<bool> try_drop(std::int64_t sequence);
    /// Removes events that are done or dropped and have not changed since; with `keys`, what they
    /// were known by, too: then a duplicate is handled again.
    Result<std::int64_t> try_purge(TimePoint unchanged_since, bool keys = false);
    /// Seals anew with the newest key what an older one, or none, has sealed; returns how many.
    Result<std::int64_t> try_reseal();

    /// Takes in inbound messages that Twilio lists since then and no webhook brought, under the key
    /// that their webhook has: one that comes late is a duplicate. Twilio's list may lag: ask again
    /// after a while. One GET for each 1000 messages of each of InboxOptions::clients, out and in
    /// (with InboxOptions::catch_up_senders: for each 1000 that one of them received), and one for
    /// each message with files that is taken in.
    /// Accounts that are switched off are left out.
    /// @throws InvalidRequestError without clients, or without a WebhookHandler; that it was
    /// cancelled; what a list or the storage fails with first, after the other accounts were read.
    /// What was taken in until then stays.
    CatchUpReport catch_up(TimePoint since, const CancelToken& cancel = {});
    Result<CatchUpReport> try_catch_up(TimePoint since, const CancelToken& cancel = {});

    /// The part of this inbox in `Customers::forget` and `export_of`: with InboxOptions::customers
    /// it is one, else give it to `Customers::add_part`. Forgetting erases events that are done,
    /// and dead letters; of others it answers "not yet". Lives on when the inbox has gone, as long
    /// as its storage.
    std::shared_ptr<const PersonalData> personal_data() const;

    // ---- Running.

    /// Begins to handle events. @throws InvalidRequestError before a WebhookHandler was given this
    /// inbox.
    void start();
    /// Takes up no more, waits for handlers that run, at most that long; says whether all ended.
    bool drain(std::chrono::milliseconds at_most);
    /// Takes up no more and waits for handlers that run. Idempotent. By a handler itself: returns
    /// before the end, which the next `stop` or the destructor waits for.
    void stop();

    /// Handles everything that is due now, in this thread and without waiting. For tests, with
    /// FakeTwilio and its clock; not beside `start`.
    InboxIdleReport run_until_idle();
    Result<InboxIdleReport> try_run_until_idle();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Adds to a scrape what docs/metrics.md lists of an inbox: its events by state, and how long the
/// oldest of them has waited. Throws as `DurableInbox::counts` does.
void add_samples(MetricSamples& samples, DurableInbox& inbox);

}  // namespace twiliowa
