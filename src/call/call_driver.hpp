/// @file
/// Drives the call machine: with the caller's thread, or on an asynchronous transport.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/http/retry_policy.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/observer.hpp>

#include "call/api_host.hpp"
#include "call/call_machine.hpp"

namespace twiliowa::detail {

/// What all calls of a client share, but for the transport: a call under way must not keep that
/// alive, so that destroying the last client ends the call.
struct CallEnvironment {
    CallEnvironment(RetryPolicy policy, std::uint64_t seed)
        : retry(policy), budget(policy.budget, policy.budget_refill), random_state(seed) {}

    ApiOrigin origin = {};
    ApiOrigin messaging_origin = {};  ///< Of the product "messaging".
    CredentialsProvider provider = {};
    std::shared_ptr<Clock> clock = {};
    std::function<double()> random = {};
    std::shared_ptr<Observer> observer = {};
    std::shared_ptr<RateLimiter> rate_limiter = {};
    std::function<void(std::function<void()>)> executor = {};
    std::chrono::milliseconds timeout{0};
    std::size_t max_response_bytes = 0;
    RetryPolicy retry;
    mutable RetryBudget budget;
    mutable std::atomic<std::uint64_t> random_state;

    /// The provider's; an error if they are none. One that fails, however it does, has kept
    /// everything from leaving.
    Result<Credentials> credentials() const;
    /// Tells the observer of a call that was refused before it began.
    void tell_refused(std::string_view operation, const Error& error) const noexcept;
    /// In [0, 1).
    double jitter() const;
};

/// When a call that begins `now` is over; not later than the clock can say.
MonotonicTime deadline_of(const CallEnvironment& environment, const CallOptions& options,
                          MonotonicTime now) noexcept;
/// `options` with the time that is left until `deadline`.
CallOptions until(const CallEnvironment& environment, MonotonicTime deadline, CallOptions options);

/// One call to the API.
struct Operation {
    std::string_view name = {};  ///< For the observer; a literal.
    HttpMethod method = HttpMethod::get;
    Repeat repeat = Repeat::harmless;
    std::string url = {};
    std::string body = {};      ///< Form encoded.
    std::string rate_key = {};  ///< Empty: no rate limit.
    /// Where it goes, if not to the environment's `origin`; a member of that environment.
    const ApiOrigin* origin = nullptr;
    /// The operation's own word on trying again after the attempt of that number (from 1) failed;
    /// nullopt leaves it to the retry table.
    std::function<std::optional<RepeatVerdict>(const Error&, int)> verdict = {};
};

/// Makes sense of a 2xx answer, or says why it cannot.
using AnswerReader = std::function<std::optional<Error>(HttpResponse&)>;
using CallDone = std::function<void(std::optional<Error>)>;

/// Runs the call in this thread.
std::optional<Error> run_blocking(const CallEnvironment& environment, HttpTransport& transport,
                                  const Credentials& credentials, Operation operation,
                                  const CallOptions& options, const AnswerReader& read);

Error transport_is_not_asynchronous();

/// Starts the call. `done` runs once: on the transport's thread or the executor, or, when the
/// transport is not asynchronous, at once with an error.
void run_async(std::shared_ptr<const CallEnvironment> environment,
               const std::shared_ptr<HttpTransport>& transport, const Credentials& credentials,
               Operation operation, CallOptions options, AnswerReader read, CallDone done);

/// Hands a result that is known already to a callback, never inside the initiating call where the
/// transport is asynchronous.
void complete_later(const CallEnvironment& environment,
                    const std::shared_ptr<HttpTransport>& transport, std::function<void()> done);

}  // namespace twiliowa::detail
