/// @file
/// Seeing what clients, the webhook handler and the state do. No event carries a secret, a phone
/// number or message text.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/error.hpp>

namespace twiliowa {

/// What all events of one call say of it. The views are valid during the event only.
struct CallInfo {
    /// Joins the events of one call. Never 0; another for every call, of whatever client.
    std::uint64_t id = 0;
    std::string_view operation = {};  ///< "messages.create", ...
    std::string_view method = {};     ///< "GET", "POST", "PUT" or "DELETE"
    std::string_view scheme = {};     ///< "https" or "http"
    std::string_view host = {};
    int port = 0;  ///< 443, unless `base_url` says another.
    /// The path with names in place of its values, such as
    /// "/2010-04-01/Accounts/{AccountSid}/Messages.json". No event tells the URL, which may hold
    /// phone numbers.
    std::string_view path_template = {};
    /// On whose behalf (AC...); empty if the call was refused before that was known.
    std::string_view account_sid = {};
    /// The program's own name for what the call is part of (CallOptions::correlation_id); empty if
    /// it gave none. Of an outbox's calls for one job it is the job's id. `id` tells the calls
    /// apart that share one.
    std::string_view correlation_id = {};
};

// Events grow at their end with a minor release; only the library makes them.

/// A call begins: its arguments are checked, and who makes it is known. In the thread of the
/// caller. Of a call that is refused at its checks it tells right before its ResultEvent.
struct CallEvent {
    const CallInfo& call;
};

/// One HTTP request was answered, or failed.
struct AttemptEvent {
    const CallInfo& call;
    int attempt = 0;      ///< From 1.
    int http_status = 0;  ///< 0 without an answer.
    std::string_view request_id = {};
    /// Why it was no success: null if it was one. As in ResultEvent.
    const Error* error = nullptr;
    std::chrono::microseconds duration{0};
    /// How long it waited before, for a slot of the client's rate limiter.
    std::chrono::microseconds slot_wait{0};
};

/// The call will be tried again.
struct RetryEvent {
    const CallInfo& call;
    int attempt = 0;  ///< The attempt that failed.
    int http_status = 0;
    int code = 0;
    std::chrono::milliseconds delay{0};
};

/// The call has ended, or was refused before it began.
struct ResultEvent {
    const CallInfo& call;
    int attempts = 0;  ///< 0: nothing was sent.
    std::string_view request_id = {};
    const Error* error =
        nullptr;  ///< Null on success. Log `what()`; `message()` may hold a number.
    std::chrono::microseconds duration{0};
};

/// How the handling of a webhook ended. More values may come with a minor release.
enum class WebhookOutcome {
    handled,         ///< 200: the handler ran, or none was for it.
    duplicate,       ///< 200: was handled before.
    running,         ///< 503: is being handled, by another request.
    bad_method,      ///< 405: not the method of WebhookOptions.
    too_many,        ///< 429: the peer's requests are limited.
    too_large,       ///< 413: the body, the URL or the number of parameters is over the limit.
    bad_signature,   ///< 403: not signed by Twilio, as far as can be told.
    unreadable,      ///< 400: its URL or its body cannot be read.
    handler_failed,  ///< 500: the handler threw, or its answer is no TwiML that Twilio takes.
    store_failed,    ///< 503: what was handled cannot be looked up, or the handler threw a store's
                     ///< error.
    unverified,      ///< 503: the signature could not be checked; the key lookup failed.
    recut,           ///< 403: its signature is another event's; somebody has cut that one anew.
    lease_lost,      ///< 200: the handler ran (or threw), but another had taken the event from it.
    taken_in,        ///< 200: it is written down in the inbox, which handles it from there.
    inbox_full,      ///< 503: as many events wait in the inbox as may, in all or of its account.
    switched_off,    ///< 200: its account is switched off, and nothing of it was kept.
};
TWILIOWA_EXPORT std::string_view to_string(WebhookOutcome outcome) noexcept;

/// A webhook was answered. The views are valid during the call only.
struct WebhookResultEvent {
    WebhookOutcome outcome = WebhookOutcome::handled;
    int http_status = 0;
    std::string_view kind = {};         ///< `message`, `status`, `unknown`; empty if not read.
    std::string_view message_sid = {};  ///< Empty if not read, or no SID.
    /// The account that the request names (AC...); empty if it names none, or was refused before
    /// its signature was looked at. Proven by the signature if the outcome is `handled`,
    /// `duplicate`, `running`, `handler_failed`, `store_failed`, `recut`, `lease_lost`, `taken_in`,
    /// `inbox_full` or `switched_off`; otherwise anybody may say it.
    std::string_view account_sid = {};
    std::string_view reason = {};  ///< Why, in full; not told to the outside.
    std::string_view hint = {};    ///< The way out.
    std::chrono::microseconds duration{0};
    /// Of a status callback: what the message has reached (`delivered`); else empty. Proven as
    /// `account_sid` is.
    std::string_view message_status = {};
    int error_code = 0;  ///< That came with the status; 0 when nothing did.
};

/// How a try to handle an event of an inbox ended. More values may come with a minor release.
enum class InboxOutcome {
    handled,     ///< Its handler ran, and what it asked for is written down.
    failed,      ///< It will be tried again.
    dead,        ///< It is a dead letter: a person decides.
    lease_lost,  ///< Another had taken it meanwhile: nothing was written down.
};
TWILIOWA_EXPORT std::string_view to_string(InboxOutcome outcome) noexcept;

/// An inbox has tried to handle an event. The views are valid during the call only.
struct InboxResultEvent {
    InboxOutcome outcome = InboxOutcome::handled;  ///< How it ended.
    std::string_view kind = {};                    ///< `message`, `status`, `unknown`.
    std::string_view message_sid = {};             ///< Empty if it has none.
    std::string_view account_sid = {};             ///< Empty if it has none.
    int tries = 0;                                 ///< With this one.
    std::string_view reason = {};                  ///< Why it was not handled.
    std::chrono::microseconds duration{0};         ///< Of the handler; 0 if it did not run here.
    std::chrono::microseconds since_arrival{0};    ///< Until this try has ended.
};

/// A template was used as it was known last, since Twilio could not be asked (see Templates).
struct StaleTemplateEvent {
    std::string_view content_sid = {};
    std::chrono::milliseconds age{0};  ///< Since it was fetched.
    const Error& error;                ///< Why Twilio could not be asked.
};

/// A phone number has appeared with another WhatsApp user id than before: it has changed hands, and
/// what was linked with the former holder is so no more (Customers). Told once for each of your
/// senders and messaging services that see it. The views are valid during the call only, and hold
/// no number: each is `Customers::key` of an address.
struct NumberChangedHandsEvent {
    std::string_view scope = {};        ///< CustomersOptions::scope.
    std::string_view number_key = {};   ///< Of the number.
    std::string_view former_key = {};   ///< Of the id that had it.
    std::string_view present_key = {};  ///< Of the id that has it now.
};

/// A limit that processes share (LeasedLimiter) is shared from now on, or is not: told when it
/// begins, and when that changes.
struct LimiterEvent {
    bool shared = false;           ///< False: each process keeps to its share by itself.
    int processes = 0;             ///< That share it, as far as is known; 0: it is not.
    double share_per_second = 0;   ///< Of each sender, while it is not shared.
    const Error* error = nullptr;  ///< Why it is not; null if it is. Valid during the call only.
};

/// The use of a quota has reached a level of QuotasOptions::warn_at: once for each window, or at
/// the first refusal for what is left over. The views are valid during the call only.
struct QuotaLevelEvent {
    std::string_view quota = {};   ///< Its key, as the program chose it.
    std::string_view window = {};  ///< `minute`, `hour`, `day`, `month`, `90 s`; `all`: for ever.
    bool is_plan = false;          ///< QuotaWindow::is_plan.
    int percent = 0;               ///< The level.
    std::int64_t used = 0;         ///< In thousandths, with what is reserved.
    std::int64_t limit = 0;        ///< In thousandths.
    std::chrono::system_clock::time_point renews = {};  ///< When the next window begins.
};

/// A quota has refused a send. The views are valid during the call only.
struct QuotaRefusedEvent {
    std::string_view quota = {};   ///< Its key, as the program chose it.
    std::string_view window = {};  ///< The one that refused: as QuotaLevelEvent::window.
    bool is_plan = false;          ///< QuotaWindow::is_plan.
    std::int64_t left = 0;         ///< In thousandths; less than was asked for.
    std::int64_t limit = 0;        ///< In thousandths.
    std::chrono::system_clock::time_point renews = {};  ///< When the next window begins.
};

/// What has become of a job of an outbox. More values may come with a minor release.
enum class JobChange {
    enqueued,     ///< It is handed over, and on the disk.
    adopted,      ///< Another program has put it in; it is whole, and waits as any other.
    sending,      ///< From here on it may have left.
    not_sent,     ///< The attempt certainly did nothing; what follows is told, too.
    postponed,    ///< It waits for a time: a limit, quiet hours, a pause after an attempt.
    unknown,      ///< It may have been sent, or not; evidence is looked for.
    looked,       ///< Twilio's list was looked at, which has not told what became of it.
    held,         ///< A person decides.
    accepted,     ///< Twilio has it.
    delivered,    ///< It has arrived.
    read,         ///< It was read.
    undelivered,  ///< Twilio could not deliver it.
    doubled,      ///< It went twice, as is certain now.
    dead,         ///< It was not sent, or nobody will know: see `reason`.
    cancelled,    ///< It was cancelled before anything left.
    requeued,     ///< Of what was dead, held or unknown: it waits to be sent again.
};
TWILIOWA_EXPORT std::string_view to_string(JobChange change) noexcept;

/// Something has happened to a job of an outbox, and is on the disk. Told by the process that did
/// it, once; what a transaction of the program's own has inserted is not told as enqueued. The
/// views are valid during the call only, and hold nothing of whom the job is for, unless the
/// program's own tag does.
struct JobEvent {
    JobChange change = JobChange::enqueued;  ///< What has happened.
    std::string_view job = {};               ///< Its id: the correlation_id of the requests for it.
    std::string_view before = {};       ///< Its state before, as to_string(JobState); empty: new.
    std::string_view state = {};        ///< Its state now.
    std::string_view reason = {};       ///< Why it is dead (DeadReason); empty if it is not.
    std::string_view evidence = {};     ///< What shows that it was sent; empty: nothing does.
    std::string_view problem = {};      ///< Why, in the library's words.
    std::string_view account = {};      ///< JobOptions::account.
    std::string_view tag = {};          ///< JobOptions::tag.
    std::string_view campaign = {};     ///< The id of its campaign; empty: none.
    std::string_view lane = {};         ///< JobOptions::lane.
    std::string_view message_sid = {};  ///< Empty as long as it is not known.
    int error_code = 0;                 ///< Twilio's; 0 when there was none.
    int attempts = 0;                   ///< That were made so far.
    int looks = 0;                      ///< At Twilio's list, since it is unknown.
    std::chrono::milliseconds since_created{0};  ///< Since it was handed over.
    /// Of `postponed`, and of `requeued` and `not_sent` that are ready again: until it is due.
    std::chrono::milliseconds wait{0};
};

/// An outbox has refused a job, since as many wait as may.
struct OutboxFullEvent {
    bool of_tenant = false;    ///< Whether one tenant's jobs are too many, and not all of them.
    std::int64_t limit = 0;    ///< OutboxOptions::max_waiting or `max_waiting_per_tenant`.
    std::int64_t waiting = 0;  ///< Jobs that wait.
};

/// The storage of an outbox went back in time, or may have: jobs that it calls unsent are looked
/// for before they go. The views are valid during the call only.
struct SuspectJobsEvent {
    std::int64_t jobs = 0;          ///< That are suspect from now on.
    std::string_view problem = {};  ///< How that was noticed.
};

/// Jobs of an outbox are held back from now on, or no more. The views are valid during the call
/// only.
struct PauseEvent {
    bool paused = false;       ///< False: it is over.
    std::string_view of = {};  ///< `outbox`, `account`, `sender` or `tenant`.
    /// Which one, as the program names it. Empty of a sender, unless it is a messaging service: a
    /// number is not told.
    std::string_view name = {};
    std::string_view reason = {};  ///< As given with it; the outbox's own words if `by_itself`.
    /// Whether the outbox has done so: Twilio refused the account, its day's limit is reached, or
    /// its credentials are others.
    bool by_itself = false;
    /// When it ends by itself, which is not told then; the epoch: it does not.
    std::chrono::system_clock::time_point until = {};
};

/// What the breaker of a sender has done. More values may come with a minor release.
enum class BreakerChange {
    opened,      ///< Three sends in a row had no outcome: the others wait for the first answer.
    still_open,  ///< One has tried, and had none.
    closed,      ///< One was answered; or the outbox has stopped.
};
TWILIOWA_EXPORT std::string_view to_string(BreakerChange change) noexcept;

/// An outage holds back the jobs of a sender, or is over. Told by each process of its own breaker.
struct BreakerEvent {
    BreakerChange change = BreakerChange::opened;  ///< What it has done.
    std::string_view account = {};                 ///< JobOptions::account.
    std::string_view sender = {};  ///< A messaging service; a number is not told, and empty.
    std::chrono::milliseconds next_try{0};  ///< Until one job tries again; 0: it is closed.
};

/// The handler of outcomes (`Outbox::on_outcome`) was called. The views are valid during the call
/// only.
struct OutcomeToldEvent {
    std::string_view job = {};                   ///< Its id.
    std::string_view outcome = {};               ///< As to_string(Outcome).
    bool handled = false;                        ///< False: the handler threw, and is called again.
    std::chrono::microseconds duration{0};       ///< Of the handler.
    std::chrono::milliseconds since_outcome{0};  ///< Since it was so, until the handler ended.
};

/// A thread of an outbox or an inbox could not do its work, and tries again within a second or so.
struct QueueFailedEvent {
    std::string_view queue = {};  ///< `outbox`, `outcomes` (which are told), `inbox`.
    const Error& error;           ///< Why: mostly its storage's. Valid during the call only.
};

/// A campaign is in another phase. That it is finished, or no more, is told by one of the
/// processes that look once a job has ended. The views are valid during the call only.
struct CampaignEvent {
    std::string_view campaign = {};  ///< Its id.
    std::string_view before = {};    ///< Its phase before, as to_string(CampaignPhase); empty: new.
    std::string_view phase = {};     ///< Its phase now.
    std::string_view problem = {};   ///< Why it is paused; empty: nobody said.
};

/// Override what you need. Called from whatever thread works on the call; must be thread-safe and
/// must not throw (an exception ends the program).
class TWILIOWA_EXPORT Observer {
public:
    virtual ~Observer() = default;
    virtual void on_call(const CallEvent&) noexcept {}
    virtual void on_attempt(const AttemptEvent&) noexcept {}
    virtual void on_retry(const RetryEvent&) noexcept {}
    virtual void on_result(const ResultEvent&) noexcept {}
    virtual void on_webhook(const WebhookResultEvent&) noexcept {}
    virtual void on_stale_template(const StaleTemplateEvent&) noexcept {}
    virtual void on_number_changed_hands(const NumberChangedHandsEvent&) noexcept {}
    /// An inbox has tried to handle an event.
    virtual void on_inbox(const InboxResultEvent&) noexcept {}
    /// A limit is shared from now on, or is not.
    virtual void on_limiter(const LimiterEvent&) noexcept {}
    /// A quota is used up to a level.
    virtual void on_quota_level(const QuotaLevelEvent&) noexcept {}
    /// A quota has refused a send.
    virtual void on_quota_refused(const QuotaRefusedEvent&) noexcept {}
    /// Something has happened to a job of an outbox.
    virtual void on_job(const JobEvent&) noexcept {}
    /// An outbox has refused a job for want of room.
    virtual void on_outbox_full(const OutboxFullEvent&) noexcept {}
    /// The storage of an outbox went back in time.
    virtual void on_suspect_jobs(const SuspectJobsEvent&) noexcept {}
    /// Jobs are held back from now on, or no more.
    virtual void on_pause(const PauseEvent&) noexcept {}
    /// An outage holds back a sender's jobs, or is over.
    virtual void on_breaker(const BreakerEvent&) noexcept {}
    /// The handler of outcomes was called.
    virtual void on_outcome_told(const OutcomeToldEvent&) noexcept {}
    /// A thread of an outbox or an inbox could not do its work.
    virtual void on_queue_failed(const QueueFailedEvent&) noexcept {}
    /// A campaign is in another phase.
    virtual void on_campaign(const CampaignEvent&) noexcept {}
};

/// Tells several observers of every event, in the order given.
class TWILIOWA_EXPORT CompositeObserver final : public Observer {
public:
    /// @throws InvalidRequestError if one is null.
    explicit CompositeObserver(std::vector<std::shared_ptr<Observer>> observers);
    void on_call(const CallEvent& event) noexcept override;
    void on_attempt(const AttemptEvent& event) noexcept override;
    void on_retry(const RetryEvent& event) noexcept override;
    void on_result(const ResultEvent& event) noexcept override;
    void on_webhook(const WebhookResultEvent& event) noexcept override;
    void on_stale_template(const StaleTemplateEvent& event) noexcept override;
    void on_number_changed_hands(const NumberChangedHandsEvent& event) noexcept override;
    /// As of Observer.
    void on_inbox(const InboxResultEvent& event) noexcept override;
    /// As of Observer.
    void on_limiter(const LimiterEvent& event) noexcept override;
    /// As of Observer.
    void on_quota_level(const QuotaLevelEvent& event) noexcept override;
    /// As of Observer.
    void on_quota_refused(const QuotaRefusedEvent& event) noexcept override;
    /// As of Observer.
    void on_job(const JobEvent& event) noexcept override;
    /// As of Observer.
    void on_outbox_full(const OutboxFullEvent& event) noexcept override;
    /// As of Observer.
    void on_suspect_jobs(const SuspectJobsEvent& event) noexcept override;
    /// As of Observer.
    void on_pause(const PauseEvent& event) noexcept override;
    /// As of Observer.
    void on_breaker(const BreakerEvent& event) noexcept override;
    /// As of Observer.
    void on_outcome_told(const OutcomeToldEvent& event) noexcept override;
    /// As of Observer.
    void on_queue_failed(const QueueFailedEvent& event) noexcept override;
    /// As of Observer.
    void on_campaign(const CampaignEvent& event) noexcept override;

private:
    std::vector<std::shared_ptr<Observer>> observers_;
};

}  // namespace twiliowa
