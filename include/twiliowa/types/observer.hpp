/// @file
/// Seeing what clients and the webhook handler do. No event carries a secret, a phone number or
/// message text.
#pragma once

#include <chrono>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/types/error.hpp>

namespace twiliowa {

/// One HTTP request was answered, or failed. The views are valid during the call only.
struct AttemptEvent {
    std::string_view operation = {};  ///< "messages.create", ...
    std::string_view host = {};
    int attempt = 0;      ///< From 1.
    int http_status = 0;  ///< 0 without an answer.
    std::string_view request_id = {};
    std::chrono::microseconds duration{0};
};

/// The call will be tried again.
struct RetryEvent {
    std::string_view operation = {};
    int attempt = 0;  ///< The attempt that failed.
    int http_status = 0;
    int code = 0;
    std::chrono::milliseconds delay{0};
};

/// The call has ended, or was refused before it began.
struct ResultEvent {
    std::string_view operation = {};
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
    store_failed,    ///< 503: what was handled cannot be looked up.
    unverified,      ///< 503: the signature could not be checked; the key lookup failed.
    recut,           ///< 403: its signature is another event's; somebody has cut that one anew.
    lease_lost,      ///< 200: the handler ran (or threw), but another had taken the event from it.
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
    /// `duplicate`, `running`, `handler_failed`, `store_failed`, `recut` or `lease_lost`; otherwise
    /// anybody may say it.
    std::string_view account_sid = {};
    std::string_view reason = {};  ///< Why, in full; not told to the outside.
    std::string_view hint = {};    ///< The way out.
    std::chrono::microseconds duration{0};
};

/// Override what you need. Called from whatever thread works on the call; must be thread-safe and
/// must not throw (an exception ends the program).
class TWILIOWA_EXPORT Observer {
public:
    virtual ~Observer() = default;
    virtual void on_attempt(const AttemptEvent&) noexcept {}
    virtual void on_retry(const RetryEvent&) noexcept {}
    virtual void on_result(const ResultEvent&) noexcept {}
    virtual void on_webhook(const WebhookResultEvent&) noexcept {}
};

}  // namespace twiliowa
