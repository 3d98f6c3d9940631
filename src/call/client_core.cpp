#include "call/client_core.hpp"

#include <random>
#include <string>
#include <utility>

#include "types/duration_bound.hpp"

namespace twiliowa::detail {

namespace {

constexpr double most_refill = 1e6;

std::optional<Error> wrong_client_option(const ClientOptions& options) {
    const auto& retry = options.retry;
    if (auto wrong = wrong_duration("timeout", options.timeout)) return wrong;
    if (retry.max_attempts < 1) {
        return Error::invalid_request("retry.max_attempts",
                                      "is less than 1; 1 switches retries off");
    }
    if (retry.budget < 0) return Error::invalid_request("retry.budget", "is negative");
    if (!(retry.budget_refill >= 0 && retry.budget_refill <= most_refill)) {
        return Error::invalid_request("retry.budget_refill", "is not between 0 and 1000000");
    }
    const std::pair<const char*, std::chrono::milliseconds> durations[] = {
        {"retry.backoff_base", retry.backoff_base},
        {"retry.backoff_cap", retry.backoff_cap},
        {"retry.retry_after_cap", retry.retry_after_cap},
        {"retry.min_attempt_time", retry.min_attempt_time},
    };
    for (const auto& [field, duration] : durations) {
        if (auto wrong = wrong_duration(field, duration, std::chrono::milliseconds{0})) {
            return wrong;
        }
    }
    return std::nullopt;
}

}  // namespace

Result<std::shared_ptr<const CallEnvironment>> make_call_environment(CredentialsProvider provider,
                                                                     const ClientOptions& options) {
    auto origin = api_origin("api", options.edge, options.region, options.base_url);
    if (!origin) return origin.error();
    auto messaging = api_origin("messaging", options.edge, options.region, options.base_url);
    if (!messaging) return messaging.error();
    if (auto wrong = wrong_client_option(options)) return std::move(*wrong);
    if (!provider) return Error::invalid_request("credentials", "has no provider");

    const auto seed = (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}();
    auto environment = std::make_shared<CallEnvironment>(options.retry, seed);
    environment->origin = std::move(*origin);
    environment->messaging_origin = std::move(*messaging);
    environment->provider = std::move(provider);
    environment->clock = options.clock ? options.clock : system_clock();
    environment->random = options.random;
    environment->observer = options.observer;
    environment->rate_limiter = options.rate_limiter;
    environment->executor = options.executor;
    environment->timeout = options.timeout;
    environment->max_response_bytes = options.max_response_bytes;
    return std::shared_ptr<const CallEnvironment>(std::move(environment));
}

}  // namespace twiliowa::detail
