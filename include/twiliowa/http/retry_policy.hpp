/// @file
/// When a call is tried again.
#pragma once

#include <chrono>

#include <twiliowa/http/defaults.hpp>

namespace twiliowa {

/// The numbers of the retry rules; the rules themselves are fixed:
///
/// | failure                                                            | idempotent   | not
/// idempotent   |
/// |--------------------------------------------------------------------|--------------|------------------|
/// | resolve, connect, TLS, proxy, HTTP/2 refusal before our stream     | retry        | retry | |
/// 429 with code 20429                                                | retry        | retry | |
/// 429 with another code or none                                      | retry, unless 63038 | no |
/// | any other 4xx                                                      | no           | no | |
/// 5xx, reset, timeout, unreadable answer after the request left      | retry        | no:
/// OutcomeUnknownError |
///
/// Back-off is full jitter: a uniformly random time up to base * 2^n, at most cap; Retry-After is
/// honoured instead where Twilio sends it. A retry that could not start before the call's deadline
/// is not waited for. Each client has a budget of retries, so that an outage is not amplified.
struct RetryPolicy {
    int max_attempts = defaults::max_attempts;  ///< 1 switches retries off.
    std::chrono::milliseconds backoff_base = defaults::backoff_base;
    std::chrono::milliseconds backoff_cap = defaults::backoff_cap;
    std::chrono::milliseconds retry_after_cap = defaults::retry_after_cap;
    int budget = defaults::retry_budget;                   ///< Retries that can be saved up.
    double budget_refill = defaults::retry_budget_refill;  ///< Retries earned by each call.
    /// Try a create again even when the first may have been carried out. THE CUSTOMER MAY GET THE
    /// MESSAGE TWICE. Off unless you say so.
    bool retry_may_duplicate = false;
};

}  // namespace twiliowa
