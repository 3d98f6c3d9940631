/// @file
/// What all calls of a client share, made of its ClientOptions.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include <twiliowa/client_options.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/credentials.hpp>

#include "call/api_host.hpp"
#include "call/call_machine.hpp"

namespace twiliowa::detail {

/// What all calls of a client share, but for the transport: a call under way must not keep that
/// alive, so that destroying the last client ends the call.
struct ClientCore {
    ClientCore(RetryPolicy policy, std::uint64_t seed)
        : retry(policy),
          budget(policy.budget, policy.budget_refill),
          random_state(seed),
          last_call_id(~seed) {}

    std::array<ApiOrigin, api_products.size()> origins = {};  ///< In the order of ApiProduct.
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
    mutable std::atomic<std::uint64_t> last_call_id;

    /// The provider's; an error if they are none. One that fails, however it does, has kept
    /// everything from leaving.
    Result<Credentials> credentials() const;
    const ApiOrigin& origin_of(ApiProduct product) const noexcept {
        return origins[static_cast<std::size_t>(product)];
    }
    /// Never 0, and as good as certainly no other call's of any client.
    std::uint64_t next_call_id() const noexcept;
    /// In [0, 1).
    double jitter() const;
};

/// Checks the options that every client has, and takes them over; the refusal names the option.
Result<std::shared_ptr<const ClientCore>> make_client_core(CredentialsProvider provider,
                                                           const ClientOptions& options);

/// When a call that begins `now` is over; not later than the clock can say.
MonotonicTime deadline_of(const ClientCore& core, const CallOptions& options,
                          MonotonicTime now) noexcept;
/// `options` with the time that is left until `deadline`.
CallOptions options_until(const ClientCore& core, MonotonicTime deadline, CallOptions options);

}  // namespace twiliowa::detail
