/// @file
/// When a call is tried again.
#pragma once

#include <chrono>

#include <twiliowa/http/defaults.hpp>

namespace twiliowa {

/// The numbers of the retry rules. The rules themselves are fixed:
///
/// - A connection that could not be made (name, TCP, TLS, proxy), or a server that refused to take
///   the request: every call is tried again.
/// - 429 with code 20429: every call is tried again.
/// - 429 with another code or none: only what is no create, and not after 63038.
/// - Any other 4xx: nothing is tried again, but for MediaClient, which asks a few times for a file
///   that is not there yet (404). One in Twilio's words is an ApiError. One in other words (a
///   gateway's) may have been passed on: a create ends as OutcomeUnknownError.
/// - 5xx, a redirect, a reset, an unreadable answer, once the request has left: only what may be
///   repeated (reading, changing, deleting). A create ends as OutcomeUnknownError.
/// - The call's deadline, or cancellation: nothing is tried again. A create that has left ends as
///   OutcomeUnknownError.
///
/// Back-off is full jitter: a uniformly random time up to base * 2^n, at most cap; Retry-After is
/// honoured instead where Twilio sends it. A retry that could not start before the call's deadline
/// is not waited for. Each client has a budget of retries, so that an outage is not amplified.
struct RetryPolicy {
    int max_attempts = defaults::max_attempts;  ///< 1 switches retries off.
    std::chrono::milliseconds backoff_base = defaults::backoff_base;
    std::chrono::milliseconds backoff_cap = defaults::backoff_cap;
    std::chrono::milliseconds retry_after_cap = defaults::retry_after_cap;
    /// A create is not attempted with less of the call's time left, or half of it if that is less:
    /// whether it was sent would not be learnt. Matters where a rate limiter or a retry makes it
    /// wait.
    std::chrono::milliseconds min_attempt_time = defaults::min_attempt_time;
    int budget = defaults::retry_budget;                   ///< Retries that can be saved up.
    double budget_refill = defaults::retry_budget_refill;  ///< Retries earned by each call.
    /// Try a create again even when the first may have been carried out. THE CUSTOMER MAY GET THE
    /// MESSAGE TWICE. Off unless you say so.
    bool retry_may_duplicate = false;
};

}  // namespace twiliowa
