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
    inbox_full,      ///< 503: as many events wait in the inbox as may.
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
    /// `duplicate`, `running`, `handler_failed`, `store_failed`, `recut`, `lease_lost`, `taken_in`
    /// or `inbox_full`; otherwise anybody may say it.
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
    std::string_view window = {};  ///< `minute`, `hour`, `day`, `month`, or `90 s`.
    bool is_plan = false;          ///< QuotaWindow::is_plan.
    int percent = 0;               ///< The level.
    std::int64_t used = 0;         ///< In thousandths, with what is reserved.
    std::int64_t limit = 0;        ///< In thousandths.
    std::chrono::system_clock::time_point renews = {};  ///< When the next window begins.
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

private:
    std::vector<std::shared_ptr<Observer>> observers_;
};

}  // namespace twiliowa
