#include "call/client_core.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>

#include "types/duration_bound.hpp"
#include "types/unsent_error.hpp"

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

/// The error of something that came before the call, which may be another call's.
Error nothing_left(const Error& error) {
    if (error.effect() == Effect::none && error.kind() != ErrorKind::outcome_unknown) return error;
    return error.with([](ErrorData& data) {
        data.effect = Effect::none;
        data.stage = Stage::prepare;
        if (data.kind == ErrorKind::outcome_unknown) data.kind = ErrorKind::transport;
    });
}

}  // namespace

Result<std::shared_ptr<const ClientCore>> make_client_core(CredentialsProvider provider,
                                                           const ClientOptions& options) {
    std::array<ApiOrigin, api_products.size()> origins;
    for (std::size_t i = 0; i < origins.size(); ++i) {
        auto origin = api_origin(api_products[i], options.edge, options.region, options.base_url);
        if (!origin) return origin.error();
        origins[i] = std::move(*origin);
    }
    if (auto wrong = wrong_client_option(options)) return std::move(*wrong);
    if (!provider) return Error::invalid_request("credentials", "has no provider");

    const auto seed = (std::uint64_t{std::random_device{}()} << 32) | std::random_device{}();
    auto core = std::make_shared<ClientCore>(options.retry, seed);
    core->origins = std::move(origins);
    core->provider = std::move(provider);
    core->clock = options.clock ? options.clock : system_clock();
    core->random = options.random;
    core->observer = options.observer;
    core->rate_limiter = options.rate_limiter;
    core->executor = options.executor;
    core->timeout = options.timeout;
    core->max_response_bytes = options.max_response_bytes;
    return std::shared_ptr<const ClientCore>(std::move(core));
}

MonotonicTime deadline_of(const ClientCore& core, const CallOptions& options,
                          MonotonicTime now) noexcept {
    const auto timeout = options.timeout.value_or(core.timeout);
    return time_after(now, std::max(timeout, std::chrono::milliseconds{0}));
}

CallOptions options_until(const ClientCore& core, MonotonicTime deadline, CallOptions options) {
    options.timeout = std::chrono::milliseconds::max();
    if (deadline != MonotonicTime::max()) {
        options.timeout =
            std::chrono::floor<std::chrono::milliseconds>(deadline - core.clock->monotonic_now());
    }
    return options;
}

Result<Credentials> ClientCore::credentials() const {
    try {
        auto credentials = provider();
        if (!credentials) return nothing_left(credentials.error());
        if (!credentials->account_sid().empty()) return credentials;
        return Error::invalid_request("credentials", "are missing",
                                      "Credentials::from_environment() reads them");
    } catch (const TwilioError& error) {
        return nothing_left(error.error());
    } catch (...) {
        return unsent_error(ErrorKind::transport, "the credentials' provider threw an exception")
            .with([](ErrorData& data) { data.field = "credentials"; });
    }
}

std::uint64_t ClientCore::next_call_id() const noexcept {
    const auto id = ++last_call_id;
    return id != 0 ? id : ++last_call_id;
}

double ClientCore::jitter() const {
    if (random) return random();
    // SplitMix64: no lock, no global.
    auto z = random_state.fetch_add(0x9e3779b97f4a7c15ULL) + 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
}

}  // namespace twiliowa::detail
