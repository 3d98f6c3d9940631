#include <twiliowa/metrics_observer.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace metrics_observer_test {

using namespace twiliowa;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t telling_threads = 16;
constexpr int events_of_each = 2'000;

void tell(MetricsObserver& metrics, int i) {
    const CallInfo call{.operation = i % 2 == 0 ? "messages.create" : "messages.fetch"};
    metrics.on_attempt({.call = call, .attempt = 1, .http_status = 201, .slot_wait = 1us});
    metrics.on_retry({.call = call});
    metrics.on_result({.call = call, .attempts = 1, .duration = 1ms});
    metrics.on_webhook(
        {.outcome = WebhookOutcome::taken_in, .kind = "status", .message_status = "delivered"});
    metrics.on_inbox({.kind = "message", .duration = 1ms, .since_arrival = 1s});
    metrics.on_limiter({.shared = i % 3 == 0, .processes = i});
    metrics.on_quota_level({.window = "day", .percent = 80});
    metrics.on_number_changed_hands({});
    metrics.on_job({.change = JobChange::accepted, .before = "sending"});
    metrics.on_breaker({.change = i % 2 == 0 ? BreakerChange::opened : BreakerChange::closed});
}

bool has_line(const std::string& text, const std::string& line) {
    return text.find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("16 threads tell metrics of events, while others scrape and sources come and go") {
    MetricsObserver metrics{{.aliases = {{.name = "sent_total", .of = "twiliowa_calls_total"}}}};
    std::atomic<bool> done{false};
    std::vector<std::thread> scrapes;
    for (int i = 0; i < 2; ++i) {
        scrapes.emplace_back([&] {
            while (!done) CHECK(metrics.text().find("sent_total ") != std::string::npos);
        });
    }
    scrapes.emplace_back([&] {
        while (!done) {
            // What a function refers to is there for as long as it is called.
            std::optional<int> answer{42};
            {
                const auto source = metrics.add_source([&answer](MetricSamples& samples) {
                    samples.gauge("answer", "The answer.", answer.value());
                });
                static_cast<void>(metrics.text());
            }
            answer.reset();
        }
    });
    std::vector<std::thread> telling;
    for (std::size_t i = 0; i < telling_threads; ++i) {
        telling.emplace_back([&] {
            for (int event = 0; event < events_of_each; ++event) tell(metrics, event);
        });
    }
    for (auto& thread : telling) thread.join();
    done = true;
    for (auto& thread : scrapes) thread.join();

    const auto text = metrics.text();
    const auto all = std::to_string(telling_threads * events_of_each);
    CHECK(has_line(text, "sent_total " + all));
    CHECK(has_line(text, R"(twiliowa_webhooks_total{outcome="taken_in"} )" + all));
    CHECK(has_line(text, "twiliowa_limiter_wait_seconds_count " + all));
    CHECK(has_line(text,
                   R"(twiliowa_inbox_handler_seconds_bucket{kind="message",le="0.005"} )" + all));
    CHECK(has_line(text, R"(twiliowa_outbox_attempts_total{outcome="sent"} )" + all));
    CHECK(has_line(text, "twiliowa_outbox_breakers_open 0"));
    CHECK(has_line(text, "twiliowa_scrape_source_errors_total 0"));
}

}  // namespace metrics_observer_test
