#include <twiliowa/metrics_observer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "metrics/event_metrics.hpp"
#include "support/show.hpp"
#include "support/webhook_service.hpp"

namespace metrics_observer_test {

using namespace twiliowa;
using namespace std::chrono_literals;

namespace {

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

/// The value of a series, as it is written; empty if it is not there.
std::string value_of(const MetricsObserver& metrics, const std::string& series) {
    const auto text = "\n" + metrics.text();
    const auto at = text.find("\n" + series + " ");
    if (at == std::string::npos) return {};
    const auto begin = at + series.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
}

std::size_t lines_of(const std::string& text, std::string_view name) {
    std::size_t count = 0;
    const auto start = "\n" + std::string{name};
    for (auto at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
        ++count;
    }
    return count;
}

Error failed(ErrorKind kind, int http_status, int code = 0) {
    return Error{{.kind = kind, .http_status = http_status, .code = code}};
}

void tell_result(MetricsObserver& metrics, std::string_view operation, const Error* error = nullptr,
                 std::chrono::microseconds duration = 1ms, int attempts = 1) {
    const CallInfo call{.operation = operation};
    metrics.on_result({.call = call, .attempts = attempts, .error = error, .duration = duration});
}

void tell_attempt(MetricsObserver& metrics, std::string_view operation, int http_status,
                  const Error* error = nullptr, std::chrono::microseconds slot_wait = 0us) {
    const CallInfo call{.operation = operation};
    metrics.on_attempt({.call = call,
                        .attempt = 1,
                        .http_status = http_status,
                        .error = error,
                        .slot_wait = slot_wait});
}

template <class Action>
std::string refused(Action action) {
    try {
        action();
    } catch (const InvalidRequestError& error) {
        return error.field();
    }
    return "was taken";
}

}  // namespace

TEST_CASE("metrics: calls are counted by operation, outcome and class of the status") {
    MetricsObserver metrics;
    tell_result(metrics, "messages.create", nullptr, 40ms);
    tell_result(metrics, "messages.create", nullptr, 3s);
    const auto busy = failed(ErrorKind::rate_limit, 429, 20429);
    tell_result(metrics, "messages.create", &busy, 90s);
    const auto lost = failed(ErrorKind::outcome_unknown, 0);
    tell_result(metrics, "content.list", &lost);
    const auto refusal = failed(ErrorKind::invalid_request, 0);
    tell_result(metrics, "messages.create", &refusal, 0us, 0);

    const std::string calls = "twiliowa_calls_total";
    CHECK(value_of(metrics,
                   calls + R"({operation="messages.create",outcome="success",status="2xx"})") ==
          "2");
    CHECK(value_of(metrics,
                   calls + R"({operation="messages.create",outcome="rate_limit",status="4xx"})") ==
          "1");
    CHECK(
        value_of(metrics,
                 calls + R"({operation="content.list",outcome="outcome_unknown",status="none"})") ==
        "1");
    CHECK(value_of(
              metrics,
              calls + R"({operation="messages.create",outcome="invalid_request",status="none"})") ==
          "1");
    CHECK(value_of(metrics, R"(twiliowa_call_errors_total{category="throttled"})") == "1");
    CHECK(value_of(metrics, R"(twiliowa_call_errors_total{category="none"})") == "2");
    // What was refused here took no time of Twilio's.
    CHECK(value_of(metrics, R"(twiliowa_call_seconds_count{operation="messages.create"})") == "3");
    CHECK(value_of(metrics, R"(twiliowa_call_seconds_sum{operation="messages.create"})") ==
          "93.04");
    CHECK(value_of(metrics,
                   R"(twiliowa_call_seconds_bucket{operation="messages.create",le="0.05"})") ==
          "1");
    CHECK(value_of(metrics,
                   R"(twiliowa_call_seconds_bucket{operation="messages.create",le="2.5"})") == "1");
    CHECK(value_of(metrics,
                   R"(twiliowa_call_seconds_bucket{operation="messages.create",le="5"})") == "2");
    CHECK(value_of(metrics,
                   R"(twiliowa_call_seconds_bucket{operation="messages.create",le="60"})") == "2");
    CHECK(value_of(metrics,
                   R"(twiliowa_call_seconds_bucket{operation="messages.create",le="+Inf"})") ==
          "3");
}

TEST_CASE("metrics: what lies on a bound of a histogram is in its bucket") {
    MetricsObserver metrics;
    tell_result(metrics, "messages.create", nullptr, 500ms);
    tell_result(metrics, "messages.create", nullptr, 500'001us);
    tell_result(metrics, "messages.create", nullptr, -1s);
    const auto bucket = [&](const char* bound) {
        return value_of(
            metrics,
            std::string{R"(twiliowa_call_seconds_bucket{operation="messages.create",le=")"} +
                bound + "\"}");
    };
    CHECK(bucket("0.005") == "1");
    CHECK(bucket("0.25") == "1");
    CHECK(bucket("0.5") == "2");
    CHECK(bucket("1") == "3");
}

TEST_CASE("metrics: attempts, retries and waits for a slot") {
    MetricsObserver metrics;
    tell_attempt(metrics, "messages.create", 201);
    const auto busy = failed(ErrorKind::rate_limit, 429, 20429);
    tell_attempt(metrics, "messages.create", 429, &busy, 700ms);
    const auto strange = failed(ErrorKind::response, 304);
    tell_attempt(metrics, "media.list", 304, &strange);
    const CallInfo call{.operation = "messages.create"};
    metrics.on_retry({.call = call});
    CHECK(
        value_of(
            metrics,
            R"(twiliowa_attempts_total{operation="messages.create",outcome="success",status="2xx"})") ==
        "1");
    CHECK(
        value_of(
            metrics,
            R"(twiliowa_attempts_total{operation="messages.create",outcome="rate_limit",status="4xx"})") ==
        "1");
    CHECK(
        value_of(
            metrics,
            R"(twiliowa_attempts_total{operation="media.list",outcome="response",status="3xx"})") ==
        "1");
    CHECK(value_of(metrics, R"(twiliowa_retries_total{operation="messages.create"})") == "1");
    CHECK(value_of(metrics, "twiliowa_limiter_wait_seconds_count") == "1");
    CHECK(value_of(metrics, "twiliowa_limiter_wait_seconds_sum") == "0.7");
}

TEST_CASE("metrics: webhooks by outcome, statuses by the category of their code") {
    MetricsObserver metrics;
    metrics.on_webhook({.outcome = WebhookOutcome::taken_in, .kind = "message", .duration = 30ms});
    metrics.on_webhook({.outcome = WebhookOutcome::bad_signature, .duration = 1ms});
    const WebhookResultEvent undelivered{.outcome = WebhookOutcome::taken_in,
                                         .kind = "status",
                                         .duration = 2ms,
                                         .message_status = "undelivered",
                                         .error_code = 63024};
    metrics.on_webhook(undelivered);
    // What comes again, and what anybody may have written, is no news of a message.
    for (const auto outcome : {WebhookOutcome::duplicate, WebhookOutcome::recut,
                               WebhookOutcome::store_failed, WebhookOutcome::running}) {
        auto again = undelivered;
        again.outcome = outcome;
        metrics.on_webhook(again);
    }
    metrics.on_webhook(
        {.outcome = WebhookOutcome::handled, .kind = "status", .message_status = "delivered"});

    CHECK(value_of(metrics, R"(twiliowa_webhooks_total{outcome="taken_in"})") == "2");
    CHECK(value_of(metrics, R"(twiliowa_webhooks_total{outcome="bad_signature"})") == "1");
    CHECK(value_of(metrics, R"(twiliowa_webhooks_total{outcome="too_many"})") == "0");
    CHECK(value_of(metrics, R"(twiliowa_webhook_seconds_sum{kind="message"})") == "0.03");
    CHECK(value_of(metrics, R"(twiliowa_webhook_seconds_count{kind="none"})") == "1");
    CHECK(
        value_of(metrics,
                 R"(twiliowa_message_statuses_total{category="recipient",status="undelivered"})") ==
        "1");
    CHECK(value_of(metrics,
                   R"(twiliowa_message_statuses_total{category="none",status="delivered"})") ==
          "1");
    CHECK(value_of(metrics, R"(twiliowa_store_errors_total{user="webhook"})") == "1");
}

TEST_CASE("metrics: the inbox, the limiter, quotas, templates, numbers and stores") {
    MetricsObserver metrics;
    CHECK(value_of(metrics, "twiliowa_limiter_shared").empty());
    metrics.on_inbox({.kind = "message", .duration = 3s, .since_arrival = 20s});
    metrics.on_inbox(
        {.outcome = InboxOutcome::dead, .kind = "status", .duration = 1s, .since_arrival = 120s});
    metrics.on_limiter({.shared = true, .processes = 3});
    CHECK(value_of(metrics, "twiliowa_limiter_shared") == "1");
    CHECK(value_of(metrics, "twiliowa_limiter_processes") == "3");
    metrics.on_limiter({.shared = false, .processes = 2});
    metrics.on_quota_level({.quota = "org-17", .window = "month", .percent = 80});
    metrics.on_quota_level({.quota = "budget/campaign/spring", .window = "all", .percent = 80});
    metrics.on_quota_level({.quota = "org-18", .window = "90 s", .percent = 1'000});
    const auto away = store_error("is away");
    metrics.on_stale_template({.error = away});
    metrics.on_number_changed_hands({});
    tell_result(metrics, "messages.create", &away, 0us, 0);

    CHECK(value_of(metrics, R"(twiliowa_inbox_tries_total{kind="message",outcome="handled"})") ==
          "1");
    CHECK(value_of(metrics, R"(twiliowa_inbox_tries_total{kind="status",outcome="dead"})") == "1");
    CHECK(value_of(metrics, R"(twiliowa_inbox_tries_total{kind="message",outcome="dead"})") == "0");
    CHECK(value_of(metrics, R"(twiliowa_inbox_handler_seconds_sum{kind="message"})") == "3");
    CHECK(value_of(metrics, R"(twiliowa_inbox_until_handled_seconds_sum{kind="message"})") == "20");
    CHECK(value_of(metrics, R"(twiliowa_inbox_until_handled_seconds_count{kind="status"})") == "0");
    CHECK(value_of(metrics, "twiliowa_limiter_shared") == "0");
    CHECK(value_of(metrics, "twiliowa_limiter_fallbacks_total") == "1");
    CHECK(value_of(metrics, R"(twiliowa_quota_levels_total{percent="80",window="month"})") == "1");
    CHECK(value_of(metrics, R"(twiliowa_quota_levels_total{percent="80",window="all"})") == "1");
    CHECK(value_of(metrics, R"(twiliowa_quota_levels_total{percent="other",window="other"})") ==
          "1");
    CHECK(value_of(metrics, "twiliowa_stale_templates_total") == "1");
    CHECK(value_of(metrics, "twiliowa_numbers_changed_hands_total") == "1");
    CHECK(value_of(metrics, R"(twiliowa_store_errors_total{user="call"})") == "1");
}

TEST_CASE("metrics: jobs of an outbox, and how each attempt ended, once") {
    MetricsObserver metrics;
    const auto attempts = [&](const std::string& outcome) {
        return value_of(metrics, "twiliowa_outbox_attempts_total{outcome=\"" + outcome + "\"}");
    };
    const auto outcomes = [&](const std::string& outcome) {
        return value_of(metrics, "twiliowa_outbox_outcomes_total{outcome=\"" + outcome + "\"}");
    };
    CHECK(attempts("unknown") == "0");
    metrics.on_job({.change = JobChange::enqueued, .lane = "bulk"});
    metrics.on_job({.change = JobChange::adopted, .lane = "bulk"});
    metrics.on_job({.change = JobChange::sending, .before = "ready"});
    metrics.on_job({.change = JobChange::not_sent, .before = "sending"});
    // It was unknown, and what shows that it was sent came later.
    metrics.on_job({.change = JobChange::unknown, .before = "sending"});
    metrics.on_job({.change = JobChange::accepted, .before = "unknown", .evidence = "callback"});
    metrics.on_job({.change = JobChange::accepted, .before = "sending", .evidence = "answer"});
    metrics.on_job({.change = JobChange::unknown, .before = "accepted"});
    metrics.on_job({.change = JobChange::doubled, .before = "accepted"});
    CHECK(value_of(metrics, R"(twiliowa_outbox_enqueued_total{lane="bulk"})") == "2");
    CHECK(attempts("sent") == "1");
    CHECK(attempts("not_sent") == "1");
    CHECK(attempts("unknown") == "1");
    CHECK(outcomes("accepted") == "2");
    CHECK(outcomes("doubled") == "1");
    CHECK(value_of(metrics, R"(twiliowa_outbox_resolved_total{evidence="callback"})") == "1");
    CHECK(value_of(metrics, R"(twiliowa_outbox_resolved_total{evidence="answer"})").empty());
    CHECK(value_of(metrics, "twiliowa_outbox_doubles_total") == "1");

    const auto away = store_error("is away");
    const auto late = failed(ErrorKind::timeout, 0);
    metrics.on_queue_failed({.queue = "inbox", .error = away});
    metrics.on_queue_failed({.queue = "outcomes", .error = away});
    metrics.on_queue_failed({.queue = "outbox", .error = late});
    CHECK(value_of(metrics, R"(twiliowa_store_errors_total{user="inbox"})") == "1");
    CHECK(value_of(metrics, R"(twiliowa_store_errors_total{user="outbox"})") == "1");
    metrics.on_quota_refused({.quota = "org-17", .window = "day"});
    CHECK(value_of(metrics, R"(twiliowa_quota_refusals_total{window="day"})") == "1");
    metrics.on_campaign({.campaign = "spring", .before = "running", .phase = "finished"});
    metrics.on_campaign({.campaign = "autumn", .before = "running", .phase = "finished"});
    CHECK(value_of(metrics, R"(twiliowa_campaign_phases_total{phase="finished"})") == "2");
    metrics.on_breaker({.change = BreakerChange::opened});
    metrics.on_breaker({.change = BreakerChange::still_open});
    CHECK(value_of(metrics, "twiliowa_outbox_breakers_open") == "1");
    metrics.on_breaker({.change = BreakerChange::closed});
    CHECK(value_of(metrics, "twiliowa_outbox_breakers_open") == "0");
}

TEST_CASE("metrics: whatever an event says, it makes no new label value") {
    MetricsObserver metrics;
    const auto tell_strange = [&](int i) {
        const auto word = "+4477009" + std::to_string(i) + "\"\n\\";
        tell_result(metrics, word);
        const auto error = failed(static_cast<ErrorKind>(i + 100), i, i);
        tell_result(metrics, word, &error);
        tell_attempt(metrics, word, i % 100, &error);
        const CallInfo call{.operation = word};
        metrics.on_retry({.call = call});
        metrics.on_webhook({.outcome = static_cast<WebhookOutcome>(i + 100), .kind = word});
        metrics.on_webhook({.kind = word, .message_status = word, .error_code = -i});
        metrics.on_inbox({.outcome = static_cast<InboxOutcome>(-i), .kind = word, .duration = 1us});
        metrics.on_quota_level({.quota = word, .window = word, .percent = -i});
        metrics.on_quota_refused({.quota = word, .window = word});
        metrics.on_job({.change = static_cast<JobChange>(i), .before = word, .lane = word});
        metrics.on_job({.change = JobChange::enqueued, .lane = word});
        metrics.on_job({.change = JobChange::accepted, .evidence = word});
    };
    for (int i = 1'000; i < 1'600; ++i) tell_strange(i);
    const auto before = metrics.text();
    for (int i = 1'600; i < 3'000; ++i) tell_strange(i);
    const auto after = metrics.text();
    CHECK(lines_of(before, "twiliowa_") == lines_of(after, "twiliowa_"));
    CHECK(lines_of(after, "twiliowa_") < 500);
    CHECK(after.find("447700") == std::string::npos);
    CHECK(value_of(metrics, R"(twiliowa_retries_total{operation="other"})") == "2000");
    CHECK(value_of(metrics, R"(twiliowa_webhooks_total{outcome="other"})") == "2000");
    CHECK(value_of(metrics,
                   R"(twiliowa_calls_total{operation="other",outcome="success",status="2xx"})") ==
          "2000");
}

TEST_CASE("metrics: every value of the enumerations has a label value of its own") {
    // After the last that is counted comes none.
    const auto is_last = [](auto enumerator) { return to_string(enumerator) == "unknown"; };
    const auto text = MetricsObserver{}.text();
    CHECK(detail::webhook_outcome_place(WebhookOutcome::switched_off) + 1 ==
          detail::webhook_outcome_place(static_cast<WebhookOutcome>(1'000)));
    CHECK(is_last(static_cast<WebhookOutcome>(
        detail::webhook_outcome_place(static_cast<WebhookOutcome>(1'000)))));
    CHECK(is_last(
        static_cast<InboxOutcome>(detail::inbox_outcome_place(static_cast<InboxOutcome>(1'000)))));
    detail::EventMetrics metrics;
    // Besides its enumerators each has a value before them, and `other`.
    CHECK(is_last(static_cast<ErrorKind>(metrics.calls.dimensions()[1].values.size() - 2)));
    CHECK(
        is_last(static_cast<ErrorCategory>(metrics.call_errors.dimensions()[0].values.size() - 2)));
    CHECK(metrics.call_errors.dimensions()[0].values.back() == "other");
    CHECK(metrics.call_errors.dimensions()[0].values[detail::category_place(63016)] == "window");
    CHECK(metrics.calls.dimensions()[2].values[detail::status_class_place(100)] == "other");
}

TEST_CASE("metrics: an alias gives a sum of series by another name and with constant labels") {
    MetricsObserver metrics{
        {.aliases = {{.name = "webhook_requests_total",
                      .help = "Webhooks.",
                      .of = "twiliowa_webhooks_total",
                      .labels = {{"source", "twilio"}}},
                     {.name = "webhook_signature_errors_total",
                      .help = "Not signed.",
                      .of = "twiliowa_webhooks_total",
                      .only = {{"outcome", "bad_signature"}, {"outcome", "recut"}},
                      .labels = {{"source", "twilio"}}},
                     {.name = "too_much_total",
                      .help = "Too much.",
                      .of = "twiliowa_attempts_total",
                      .only = {{"outcome", "rate_limit"}},
                      .labels = {{"side", "send"}}},
                     {.name = "too_much_total",
                      .of = "twiliowa_webhooks_total",
                      .only = {{"outcome", "too_many"}},
                      .labels = {{"side", "webhook"}}},
                     {.name = "failures_total",
                      .help = "Failures.",
                      .of = "twiliowa_calls_total",
                      .only = {{"operation", "messages.create"}},
                      .except = {{"outcome", "success"}, {"outcome", "outcome_unknown"}}},
                     {.name = "failures_total",
                      .of = "twiliowa_message_statuses_total",
                      .only = {{"status", "failed"}, {"status", "undelivered"}}},
                     {.name = "handling_seconds",
                      .help = "Until handled.",
                      .of = "twiliowa_inbox_until_handled_seconds",
                      .labels = {{"source", "twilio"}}}}}};
    CHECK(value_of(metrics, "failures_total") == "0");
    for (const auto outcome : {WebhookOutcome::bad_signature, WebhookOutcome::recut,
                               WebhookOutcome::too_many, WebhookOutcome::handled}) {
        metrics.on_webhook({.outcome = outcome});
    }
    const auto busy = failed(ErrorKind::rate_limit, 429);
    const auto lost = failed(ErrorKind::outcome_unknown, 500);
    tell_attempt(metrics, "messages.create", 429, &busy);
    tell_attempt(metrics, "messages.fetch", 429, &busy);
    tell_result(metrics, "messages.create", &busy);
    tell_result(metrics, "messages.create", &lost);
    tell_result(metrics, "messages.create");
    tell_result(metrics, "messages.fetch", &busy);
    metrics.on_webhook({.kind = "status", .message_status = "failed", .error_code = 63024});
    metrics.on_inbox({.kind = "message", .since_arrival = 3s});
    metrics.on_inbox({.kind = "status", .since_arrival = 4s});

    const auto text = metrics.text();
    CHECK(has_line(text, R"(webhook_requests_total{source="twilio"} 5)"));
    CHECK(has_line(text, R"(webhook_signature_errors_total{source="twilio"} 2)"));
    CHECK(has_line(text, R"(too_much_total{side="send"} 2)"));
    CHECK(has_line(text, R"(too_much_total{side="webhook"} 1)"));
    CHECK(lines_of(text, "# TYPE too_much_total counter") == 1);
    CHECK(has_line(text, "# HELP too_much_total Too much."));
    CHECK(has_line(text, "failures_total 2"));
    CHECK(has_line(text, "# TYPE handling_seconds histogram"));
    CHECK(has_line(text, R"(handling_seconds_bucket{source="twilio",le="5"} 2)"));
    CHECK(has_line(text, R"(handling_seconds_sum{source="twilio"} 7)"));
    CHECK(has_line(text, R"(handling_seconds_count{source="twilio"} 2)"));
}

TEST_CASE("metrics: an alias that is wrong is refused by its name") {
    const auto alias = [](MetricAlias each) {
        return refused([&] { MetricsObserver metrics{{.aliases = {each}}}; });
    };
    const std::string calls = "twiliowa_calls_total";
    CHECK(alias({.name = "a_total", .of = calls}) == "was taken");
    CHECK(alias({.of = calls}) == "aliases");
    CHECK(alias({.name = "a-b", .of = calls}) == "a-b");
    CHECK(alias({.name = "twiliowa_mine_total", .of = calls}) == "twiliowa_mine_total");
    CHECK(alias({.name = "a_total", .of = "twiliowa_none_total"}) == "a_total");
    CHECK(alias({.name = "a_total", .of = "twiliowa_limiter_shared"}) == "a_total");
    CHECK(alias({.name = "a_total", .of = calls, .only = {{"kind", "message"}}}) == "a_total");
    CHECK(alias({.name = "a_total", .of = calls, .only = {{"outcome", "sucess"}}}) == "a_total");
    CHECK(alias({.name = "a_total", .of = calls, .except = {{"outcome", ""}}}) == "a_total");
    CHECK(alias({.name = "a_total", .of = calls, .labels = {{"le", "1"}}}) == "a_total");
    CHECK(alias({.name = "a_total", .of = calls, .labels = {{"b", "1"}, {"b", "2"}}}) == "a_total");
    CHECK(refused([&] {
              MetricsObserver{{.aliases = {{.name = "a", .of = calls},
                                           {.name = "a", .of = "twiliowa_call_seconds"}}}};
          }) == "a");
    CHECK(refused([&] {
              MetricsObserver{
                  {.aliases = {{.name = "a", .of = "twiliowa_webhook_seconds"},
                               {.name = "a", .of = "twiliowa_inbox_until_handled_seconds"}}}};
          }) == "a");
}

TEST_CASE("metrics: sources add samples at each scrape, as long as they are held") {
    MetricsObserver metrics;
    int scrapes = 0;
    auto held = metrics.add_source([&](MetricSamples& samples) {
        ++scrapes;
        samples.gauge("twiliowa_outbox_jobs", "Jobs.", 3, {{"state", "waiting"}});
        samples.gauge("twiliowa_outbox_jobs", "Jobs.", 0.5, {{"state", "held"}});
        samples.counter("posts_total", "Posts.", scrapes);
        samples.gauge("load", "Load.", std::numeric_limits<double>::infinity());
        samples.gauge("nothing", "None.", std::numeric_limits<double>::quiet_NaN());
    });
    CHECK(scrapes == 0);
    const auto text = metrics.text();
    CHECK(has_line(text, R"(twiliowa_outbox_jobs{state="waiting"} 3)"));
    CHECK(has_line(text, R"(twiliowa_outbox_jobs{state="held"} 0.5)"));
    CHECK(has_line(text, "# TYPE twiliowa_outbox_jobs gauge"));
    CHECK(has_line(text, "posts_total 1"));
    CHECK(has_line(text, "# TYPE posts_total counter"));
    CHECK(has_line(text, "load +Inf"));
    CHECK(has_line(text, "nothing NaN"));
    CHECK(value_of(metrics, "posts_total") == "2");

    auto moved = std::move(held);
    CHECK(value_of(metrics, "posts_total") == "3");
    moved = metrics.add_source([](MetricSamples& samples) { samples.gauge("other", "Other.", 1); });
    CHECK(value_of(metrics, "posts_total").empty());
    CHECK(value_of(metrics, "other") == "1");
    moved = {};
    CHECK(value_of(metrics, "other").empty());
    CHECK(scrapes == 3);
    CHECK(refused([&] { static_cast<void>(metrics.add_source({})); }) == "source");
}

TEST_CASE("metrics: a source gives a histogram, whose buckets are added up") {
    MetricsObserver metrics;
    const auto source = metrics.add_source([](MetricSamples& samples) {
        samples.histogram("work_seconds", "Work.",
                          {.bounds = {-1, 0.0005, 2, 1000}, .counts = {1, 0, 3, 2, 4}, .sum = 0.25},
                          {{"of", "a"}});
        samples.histogram("work_seconds", "Work.", {.counts = {7}}, {{"of", "b"}});
    });
    const auto text = metrics.text();
    CHECK(has_line(text, "# TYPE work_seconds histogram"));
    CHECK(has_line(text, R"(work_seconds_bucket{of="a",le="-1"} 1)"));
    CHECK(has_line(text, R"(work_seconds_bucket{of="a",le="0.0005"} 1)"));
    CHECK(has_line(text, R"(work_seconds_bucket{of="a",le="2"} 4)"));
    CHECK(has_line(text, R"(work_seconds_bucket{of="a",le="1000"} 6)"));
    CHECK(has_line(text, R"(work_seconds_bucket{of="a",le="+Inf"} 10)"));
    CHECK(has_line(text, R"(work_seconds_sum{of="a"} 0.25)"));
    CHECK(has_line(text, R"(work_seconds_count{of="a"} 10)"));
    CHECK(has_line(text, R"(work_seconds_bucket{of="b",le="+Inf"} 7)"));
    CHECK(has_line(text, R"(work_seconds_count{of="b"} 7)"));
}

TEST_CASE("metrics: a source may outlive the observer") {
    std::optional<MetricsObserver> metrics{std::in_place};
    const auto source = metrics->add_source([](MetricSamples&) {});
    metrics.reset();
}

TEST_CASE("metrics: the samples of a source that fails are left out, and that is counted") {
    MetricsObserver metrics;
    const auto good = metrics.add_source([](MetricSamples& samples) {
        samples.gauge("a", "A.", 1, {{"of", "good"}});
    });
    bool fails = true;
    const auto bad = metrics.add_source([&](MetricSamples& samples) {
        samples.gauge("a", "A.", 2, {{"of", "bad"}});
        samples.gauge("b", "B.", 3);
        if (fails) throw std::runtime_error("the database is away");
    });
    const auto after =
        metrics.add_source([](MetricSamples& samples) { samples.gauge("c", "C.", 4); });
    const auto text = metrics.text();
    CHECK(has_line(text, R"(a{of="good"} 1)"));
    CHECK_FALSE(has_line(text, R"(a{of="bad"} 2)"));
    CHECK(lines_of(text, "# TYPE b ") == 0);
    CHECK(has_line(text, "c 4"));
    CHECK(has_line(text, "twiliowa_scrape_source_errors_total 1"));
    fails = false;
    CHECK(value_of(metrics, R"(a{of="bad"})") == "2");
    CHECK(value_of(metrics, "twiliowa_scrape_source_errors_total") == "1");
}

TEST_CASE("metrics: a sample that Prometheus would refuse is refused by its name") {
    MetricsObserver metrics{{.aliases = {{.name = "sent_total", .of = "twiliowa_calls_total"}}}};
    std::string said;
    const auto add = [&](const std::function<void(MetricSamples&)>& samples) {
        const auto source = metrics.add_source([&](MetricSamples& all) {
            all.gauge("good", "Good.", 1, {{"x", "1"}, {"y", "2"}});
            said = refused([&] { samples(all); });
        });
        static_cast<void>(metrics.text());
        return said;
    };
    CHECK(add([](auto& s) { s.gauge("", "", 1); }) == "name");
    CHECK(add([](auto& s) { s.gauge("1a", "", 1); }) == "1a");
    CHECK(add([](auto& s) { s.gauge("a b", "", 1); }) == "a b");
    CHECK(add([](auto& s) { s.counter("a", "", 1); }) == "a");
    CHECK(add([](auto& s) { s.gauge("a", "", 1, {{"a-b", ""}}); }) == "a");
    CHECK(add([](auto& s) { s.gauge("a", "", 1, {{"__a", ""}}); }) == "a");
    CHECK(add([](auto& s) { s.gauge("good", "", 1, {{"y", "2"}, {"x", "1"}}); }) == "good");
    CHECK(add([](auto& s) { s.counter("sent_total", "", 1); }) == "sent_total");
    CHECK(add([](auto& s) { s.gauge("twiliowa_webhooks_total", "", 1); }) ==
          "twiliowa_webhooks_total");
    CHECK(add([](auto& s) { s.gauge("twiliowa_limiter_shared", "", 1); }) ==
          "twiliowa_limiter_shared");
    CHECK(add([](auto& s) {
              s.gauge("a_total", "", 1);
              s.counter("a_total", "", 1, {{"x", "1"}});
          }) == "a_total");
    CHECK(add([](auto& s) { s.histogram("a", "", {}); }) == "a");
    CHECK(add([](auto& s) { s.histogram("a", "", {.bounds = {1}, .counts = {1}}); }) == "a");
    CHECK(add([](auto& s) {
              s.histogram("a", "", {.bounds = {1, 1}, .counts = {1, 1, 1}});
          }) == "a");
    CHECK(add([](auto& s) {
              s.histogram(
                  "a", "",
                  {.bounds = {1, std::numeric_limits<double>::infinity()}, .counts = {1, 1, 1}});
          }) == "a");
    CHECK(add([](auto& s) { s.histogram("good", "", {.counts = {1}}, {{"z", "1"}}); }) == "good");
    CHECK(add([](auto& s) { s.gauge("good", "", 1, {{"x", "1"}}); }) == "was taken");
}

TEST_CASE("metrics: a hostile label value or help stays in its place") {
    MetricsObserver metrics;
    const std::string hostile = "a\"} 1\nb{c=\"\\\xff" + std::string(1, '\0') + "\xc3\xa9";
    const auto source = metrics.add_source([&](MetricSamples& samples) {
        samples.gauge("a", hostile, 1, {{"x", hostile}});
    });
    const auto text = metrics.text();
    const std::string replaced = "\xEF\xBF\xBD";
    CHECK(has_line(text, R"(a{x="a\"} 1\nb{c=\"\\)" + replaced + replaced + "\xc3\xa9\"} 1"));
    CHECK(has_line(text, R"(# HELP a a"} 1\nb{c="\\)" + replaced + replaced + "\xc3\xa9"));
}

TEST_CASE(
    "metrics: a client tells how long an attempt waited for its slot, a handler what a status is") {
    struct Slots final : RateLimiter {
        MonotonicTime reserve(std::string_view, MonotonicTime now) override { return now + 2s; }
    };
    const auto metrics = std::make_shared<MetricsObserver>();
    const auto transport = std::make_shared<twiliowa::testing::ScriptedTransport>();
    ClientOptions options;
    options.from = "+14155238886";
    options.transport = transport;
    options.clock = std::make_shared<twiliowa::testing::ManualClock>();
    options.rate_limiter = std::make_shared<Slots>();
    options.observer = metrics;
    transport->respond(201, R"({"sid":"SM)" + std::string(32, 'a') + R"(","status":"queued"})");
    const MessagesClient client{Credentials::auth_token("AC" + std::string(32, '0'), "t"), options};
    CHECK(client.try_send_text({.to = "+447700900123", .body = "Hi"}));
    CHECK(value_of(*metrics, "twiliowa_limiter_wait_seconds_sum") == "2");
    CHECK(
        value_of(
            *metrics,
            R"(twiliowa_calls_total{operation="messages.create",outcome="success",status="2xx"})") ==
        "1");

    test::Service service{[&](WebhookOptions& o) { o.observer = metrics; }};
    CHECK(service.handler.handle(test::status("undelivered", "63016")).status == 200);
    CHECK(service.handler.handle(test::status("undelivered", "63016")).status == 200);
    CHECK(service.handler.handle(test::text("delivered")).status == 200);
    CHECK(value_of(*metrics,
                   R"(twiliowa_message_statuses_total{category="window",status="undelivered"})") ==
          "1");
    CHECK(value_of(*metrics,
                   R"(twiliowa_message_statuses_total{category="none",status="delivered"})") ==
          "0");
    CHECK(value_of(*metrics, R"(twiliowa_webhooks_total{outcome="duplicate"})") == "1");
    CHECK(metrics->text().find("447700900123") == std::string::npos);
}

}  // namespace metrics_observer_test
