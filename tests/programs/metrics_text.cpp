// Prints what a MetricsObserver says that was told everything, with hostile words among it, and
// that has aliases and a source. metrics.sh reads it.
#include <chrono>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>

#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/state/store.hpp>

namespace {

namespace wa = twiliowa;
using namespace std::chrono_literals;

const std::string hostile = "a\"} 1\nb{c=\"\\\xff" + std::string(1, '\0') + "\xc3\xa9\r\t\x7f";

void tell_of_calls(wa::MetricsObserver& metrics, std::string_view operation) {
    const wa::CallInfo call{.operation = operation};
    metrics.on_result({.call = call, .attempts = 1, .duration = 30ms});
    for (int kind = 0; kind < 12; ++kind) {
        for (const int status : {0, 100, 201, 304, 404, 503, 999}) {
            const wa::Error error{{.kind = static_cast<wa::ErrorKind>(kind),
                                   .http_status = status,
                                   .code = 20'000 + kind * 4'000 + status}};
            metrics.on_attempt(
                {.call = call, .http_status = status, .error = &error, .slot_wait = 20ms});
            metrics.on_result({.call = call, .attempts = 1, .error = &error, .duration = 2s});
        }
    }
    metrics.on_retry({.call = call});
}

void tell_of_events(wa::MetricsObserver& metrics, std::string_view kind) {
    for (int outcome = 0; outcome < 17; ++outcome) {
        metrics.on_webhook(
            {.outcome = static_cast<wa::WebhookOutcome>(outcome), .kind = kind, .duration = 12ms});
    }
    for (const auto& advice : wa::error_catalogue()) {
        for (const std::string_view status : {"delivered", "failed", "read", hostile.c_str()}) {
            metrics.on_webhook({.kind = kind, .message_status = status, .error_code = advice.code});
        }
    }
    for (int outcome = 0; outcome < 6; ++outcome) {
        metrics.on_inbox({.outcome = static_cast<wa::InboxOutcome>(outcome),
                          .kind = kind,
                          .duration = 3s,
                          .since_arrival = 100h});
    }
}

}  // namespace

int main() {
    wa::MetricsObserver metrics{{.aliases = {{.name = "webhook_requests_total",
                                              .help = "Webhooks.",
                                              .of = "twiliowa_webhooks_total",
                                              .labels = {{"source", hostile}}},
                                             {.name = "handled_seconds",
                                              .help = hostile,
                                              .of = "twiliowa_inbox_until_handled_seconds",
                                              .labels = {{"source", "twilio"}}}}}};
    for (const std::string_view word :
         {std::string_view{hostile}, std::string_view{}, std::string_view{"messages.create"}}) {
        tell_of_calls(metrics, word);
    }
    for (const std::string_view word :
         {std::string_view{hostile}, std::string_view{}, std::string_view{"message"},
          std::string_view{"status"}, std::string_view{"unknown"}}) {
        tell_of_events(metrics, word);
        metrics.on_quota_level({.quota = word, .window = word, .percent = 80});
        metrics.on_quota_refused({.quota = word, .window = word});
        for (const std::string_view phase : {word, std::string_view{"finished"}}) {
            metrics.on_campaign({.campaign = word, .before = word, .phase = phase});
        }
        for (int change = 0; change < 18; ++change) {
            for (const std::string_view before : {std::string_view{"sending"}, word}) {
                metrics.on_job({.change = static_cast<wa::JobChange>(change),
                                .before = before,
                                .evidence = word,
                                .lane = word});
            }
        }
    }
    metrics.on_limiter({.shared = true, .processes = 2});
    const auto away = wa::store_error("is away");
    metrics.on_stale_template({.error = away});
    metrics.on_number_changed_hands({});
    metrics.on_breaker({.change = wa::BreakerChange::opened});
    metrics.on_queue_failed({.queue = "outbox", .error = away});
    const auto source = metrics.add_source([](wa::MetricSamples& samples) {
        samples.gauge("shop_baskets", hostile, 3, {{"state", hostile}});
        samples.gauge("shop_load", "Load.", std::numeric_limits<double>::infinity());
        samples.gauge("shop_depth", "Depth.", -1e-300);
        samples.counter("shop_orders_total", "Orders.", 1e18);
        samples.histogram("shop_basket_price", hostile,
                          {.bounds = {-1, 0.0005, 1e300}, .counts = {1, 2, 0, 3}, .sum = 1e-300},
                          {{"state", hostile}});
    });
    const auto text = metrics.text();
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
