#include "metrics/event_metrics.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/types/error_advice.hpp>
#include <twiliowa/types/message.hpp>

namespace twiliowa::detail {

namespace {

constexpr const char* other_value = "other";

/// Every name that a call's CallKind has; the first is the most frequent.
constexpr std::string_view operations[] = {
    "messages.create",  "messages.fetch",  "messages.list",     "messages.cancel",
    "messages.redact",  "messages.remove", "messages.feedback", "messages.typing",
    "media.list",       "media.download",  "media.remove",      "content.create",
    "content.fetch",    "content.update",  "content.remove",    "content.submit",
    "content.approval", "content.list",    "content.search",    "accounts.fetch",
    "accounts.balance", "senders.fetch",   "senders.list"};

constexpr std::string_view event_kinds[] = {"message", "status", "unknown", "none"};
constexpr std::size_t kind_none = 3;

constexpr std::string_view message_statuses_known[] = {
    MessageStatus::delivered, MessageStatus::read,
    MessageStatus::sent,      MessageStatus::undelivered,
    MessageStatus::failed,    MessageStatus::queued,
    MessageStatus::accepted,  MessageStatus::scheduled,
    MessageStatus::sending,   MessageStatus::partially_delivered,
    MessageStatus::canceled,  MessageStatus::receiving,
    MessageStatus::received};

constexpr std::string_view quota_windows[] = {"minute", "hour", "day", "month", "all"};

constexpr std::string_view lanes[] = {"urgent", "high", "normal", "bulk"};
constexpr std::string_view evidences[] = {"list", "person", "callback", "answer"};
constexpr std::string_view campaign_phases_known[] = {"draft",  "scheduled", "running",
                                                      "paused", "cancelled", "finished"};
constexpr JobChange outbox_outcomes_known[] = {
    JobChange::accepted, JobChange::delivered, JobChange::read,    JobChange::undelivered,
    JobChange::dead,     JobChange::held,      JobChange::doubled, JobChange::cancelled};

// The classes of answers; before them, that there was none.
constexpr std::string_view status_classes[] = {"none", "2xx", "3xx", "4xx", "5xx"};
constexpr std::size_t status_class_2xx = 1;

constexpr std::size_t most_percent = 100;

// How many values the enumerations have. One that is added later counts as `other` until it is
// counted here; a test notices.
constexpr std::size_t error_kinds = 10;
constexpr std::size_t error_categories = 21;
constexpr std::size_t webhook_outcomes = 16;
constexpr std::size_t inbox_outcomes = 4;

template <std::size_t Count>
std::size_t place_in(const std::string_view (&known)[Count], std::string_view value) noexcept {
    return static_cast<std::size_t>(std::find(known, known + Count, value) - known);
}

template <class Enum>
std::size_t place_of_enumerator(Enum value, std::size_t count) noexcept {
    return std::min(static_cast<std::size_t>(value), count);
}

template <std::size_t Count>
MetricDimension dimension_of(const char* label, const std::string_view (&known)[Count]) {
    MetricDimension dimension{label, {known, known + Count}};
    dimension.values.emplace_back(other_value);
    return dimension;
}

/// @param first  a value before the enumerators; null: none
template <class Enum>
MetricDimension dimension_of(const char* label, std::size_t count, const char* first = nullptr) {
    MetricDimension dimension{label, {}};
    if (first != nullptr) dimension.values.emplace_back(first);
    for (std::size_t i = 0; i < count; ++i) {
        dimension.values.emplace_back(to_string(static_cast<Enum>(i)));
    }
    dimension.values.emplace_back(other_value);
    return dimension;
}

MetricDimension by_operation() {
    return dimension_of("operation", operations);
}

MetricDimension by_outcome() {
    return dimension_of<ErrorKind>("outcome", error_kinds, "success");
}

MetricDimension by_status_class() {
    return dimension_of("status", status_classes);
}

MetricDimension by_category() {
    return dimension_of<ErrorCategory>("category", error_categories, "none");
}

MetricDimension by_kind() {
    return dimension_of("kind", event_kinds);
}

MetricDimension by_outbox_outcome() {
    MetricDimension dimension{"outcome", {}};
    for (const auto change : outbox_outcomes_known) {
        dimension.values.emplace_back(to_string(change));
    }
    return dimension;
}

MetricDimension by_percent() {
    MetricDimension dimension{"percent", {}};
    for (std::size_t i = 0; i <= most_percent; ++i) {
        dimension.values.push_back(std::to_string(i));
    }
    dimension.values.emplace_back(other_value);
    return dimension;
}

/// The answer that an outcome of a send usually has.
std::size_t usual_status_class(std::size_t outcome) noexcept {
    if (outcome == 0) return status_class_2xx;
    switch (static_cast<ErrorKind>(outcome - 1)) {
        case ErrorKind::api:
        case ErrorKind::authentication:
        case ErrorKind::not_found:
        case ErrorKind::rate_limit:
            return status_class_place(400);
        case ErrorKind::response:
            return status_class_2xx;
        default:
            return status_class_place(0);
    }
}

}  // namespace

EventMetrics::EventMetrics()
    : calls{"twiliowa_calls_total",
            "Calls of the API that have ended, or were refused before they began.",
            {by_operation(), by_outcome(), by_status_class()}},
      call_seconds{"twiliowa_call_seconds",
                   "How long calls took that sent something, with their repetitions.",
                   short_metric_bounds,
                   {by_operation()}},
      call_errors{"twiliowa_call_errors_total",
                  "Calls that failed, by what Twilio's code is about.",
                  {by_category()}},
      attempts{"twiliowa_attempts_total",
               "HTTP requests that were answered, or failed.",
               {by_operation(), by_outcome(), by_status_class()}},
      retries{
          "twiliowa_retries_total", "Attempts that were followed by another.", {by_operation()}},
      store_errors{"twiliowa_store_errors_total",
                   "Calls, webhooks and steps of an outbox or inbox that failed since a store did.",
                   {{"user", {"call", "webhook", "outbox", "inbox"}}}},
      limiter_wait_seconds{"twiliowa_limiter_wait_seconds",
                           "How long attempts waited for a slot of their sender's rate limit; "
                           "those that did not are not counted.",
                           short_metric_bounds},
      limiter_fallbacks{"twiliowa_limiter_fallbacks_total",
                        "How often a limit of several processes was found not to be shared."},
      webhooks{"twiliowa_webhooks_total",
               "Webhooks that were answered.",
               {dimension_of<WebhookOutcome>("outcome", webhook_outcomes)}},
      webhook_seconds{"twiliowa_webhook_seconds",
                      "How long webhooks took to answer, with their handler unless there is an "
                      "inbox.",
                      short_metric_bounds,
                      {by_kind()}},
      message_statuses{"twiliowa_message_statuses_total",
                       "Statuses of messages that webhooks told, each once.",
                       {dimension_of("status", message_statuses_known), by_category()}},
      inbox_tries{"twiliowa_inbox_tries_total",
                  "Tries to handle an event of an inbox.",
                  {by_kind(), dimension_of<InboxOutcome>("outcome", inbox_outcomes)}},
      inbox_handler_seconds{"twiliowa_inbox_handler_seconds",
                            "How long handlers of an inbox ran.",
                            short_metric_bounds,
                            {by_kind()}},
      inbox_until_handled_seconds{"twiliowa_inbox_until_handled_seconds",
                                  "From the arrival of an inbox's event until it was handled.",
                                  long_metric_bounds,
                                  {by_kind()}},
      quota_levels{"twiliowa_quota_levels_total",
                   "Levels that the use of a quota has reached.",
                   {dimension_of("window", quota_windows), by_percent()}},
      quota_refusals{"twiliowa_quota_refusals_total",
                     "Sends that a quota refused.",
                     {dimension_of("window", quota_windows)}},
      outbox_enqueued{"twiliowa_outbox_enqueued_total",
                      "Jobs that were handed over to an outbox.",
                      {dimension_of("lane", lanes)}},
      outbox_attempts{"twiliowa_outbox_attempts_total",
                      "Attempts of an outbox to send.",
                      {{"outcome", {"sent", "not_sent", "unknown"}}}},
      outbox_outcomes{"twiliowa_outbox_outcomes_total",
                      "What became of jobs of an outbox.",
                      {by_outbox_outcome()}},
      outbox_resolved{"twiliowa_outbox_resolved_total",
                      "Unknown outcomes that became known: the message was sent.",
                      {dimension_of("evidence", evidences)}},
      outbox_doubles{"twiliowa_outbox_doubles_total", "Messages that were sent twice."},
      campaign_phases{"twiliowa_campaign_phases_total",
                      "How often campaigns came to a phase.",
                      {dimension_of("phase", campaign_phases_known)}},
      stale_templates{"twiliowa_stale_templates_total",
                      "Templates that were used as they were known, as Twilio could not be asked."},
      numbers_changed_hands{"twiliowa_numbers_changed_hands_total",
                            "Numbers that have appeared with another user id."},
      scrape_source_errors{"twiliowa_scrape_source_errors_total",
                           "Sources whose samples are not in a scrape, as they failed."} {
    // The sends; what else a program calls is shown when it does.
    for (std::size_t outcome = 0; outcome <= error_kinds; ++outcome) {
        const auto series = calls.series(std::size_t{0}, outcome, usual_status_class(outcome));
        calls.show(series);
        attempts.show(series);
    }
    call_seconds.show(0);
    retries.show(0);
    for (auto* metric : {&call_errors, &store_errors, &webhooks, &outbox_attempts, &outbox_outcomes,
                         &outbox_doubles}) {
        metric->show_all();
    }
    for (const std::size_t kind : {std::size_t{0}, std::size_t{1}}) {
        webhook_seconds.show(kind);
        inbox_handler_seconds.show(kind);
        inbox_until_handled_seconds.show(kind);
        for (std::size_t outcome = 0; outcome < inbox_outcomes; ++outcome) {
            inbox_tries.show(inbox_tries.series(kind, outcome));
        }
    }
    // No code, in the first five: the ends, and that it was sent.
    constexpr std::size_t frequent_statuses = 5;
    for (std::size_t status = 0; status < frequent_statuses; ++status) {
        message_statuses.show(message_statuses.series(status, std::size_t{0}));
    }
}

std::array<EventMetric*, 25> EventMetrics::all() {
    return {&calls,
            &call_seconds,
            &call_errors,
            &attempts,
            &retries,
            &store_errors,
            &limiter_wait_seconds,
            &limiter_fallbacks,
            &webhooks,
            &webhook_seconds,
            &message_statuses,
            &inbox_tries,
            &inbox_handler_seconds,
            &inbox_until_handled_seconds,
            &quota_levels,
            &quota_refusals,
            &outbox_enqueued,
            &outbox_attempts,
            &outbox_outcomes,
            &outbox_resolved,
            &outbox_doubles,
            &campaign_phases,
            &stale_templates,
            &numbers_changed_hands,
            &scrape_source_errors};
}

std::size_t operation_place(std::string_view operation) noexcept {
    return place_in(operations, operation);
}

std::size_t outcome_place(const Error* error) noexcept {
    return error == nullptr ? 0 : 1 + place_of_enumerator(error->kind(), error_kinds);
}

std::size_t status_class_place(int http_status) noexcept {
    if (http_status == 0) return 0;
    const bool is_known = http_status >= 200 && http_status <= 599;
    return is_known ? static_cast<std::size_t>(http_status / 100 - 1) : std::size(status_classes);
}

std::size_t category_place(int code) noexcept {
    if (code == 0) return 0;
    return 1 + place_of_enumerator(advise(code).category, error_categories);
}

std::size_t webhook_outcome_place(WebhookOutcome outcome) noexcept {
    return place_of_enumerator(outcome, webhook_outcomes);
}

std::size_t inbox_outcome_place(InboxOutcome outcome) noexcept {
    return place_of_enumerator(outcome, inbox_outcomes);
}

std::size_t event_kind_place(std::string_view kind) noexcept {
    return kind.empty() ? kind_none : place_in(event_kinds, kind);
}

std::size_t message_status_place(std::string_view status) noexcept {
    return place_in(message_statuses_known, status);
}

std::size_t quota_window_place(std::string_view window) noexcept {
    return place_in(quota_windows, window);
}

std::size_t lane_place(std::string_view lane) noexcept {
    return place_in(lanes, lane);
}

std::size_t evidence_place(std::string_view evidence) noexcept {
    return place_in(evidences, evidence);
}

std::size_t campaign_phase_place(std::string_view phase) noexcept {
    return place_in(campaign_phases_known, phase);
}

std::optional<std::size_t> outbox_outcome_place(JobChange change) noexcept {
    const auto* const end = std::end(outbox_outcomes_known);
    const auto* const found = std::find(std::begin(outbox_outcomes_known), end, change);
    if (found == end) return std::nullopt;
    return static_cast<std::size_t>(found - std::begin(outbox_outcomes_known));
}

std::size_t percent_place(int percent) noexcept {
    const bool is_known = percent >= 0 && percent <= static_cast<int>(most_percent);
    return is_known ? static_cast<std::size_t>(percent) : most_percent + 1;
}

}  // namespace twiliowa::detail
