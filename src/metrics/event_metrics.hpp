/// @file
/// All that MetricsObserver counts of what it is told.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include <twiliowa/types/error.hpp>
#include <twiliowa/types/observer.hpp>

#include "metrics/event_metric.hpp"

namespace twiliowa::detail {

/// A name here is in docs/metrics.md, too. Each label's values are listed once, beside the function
/// that finds the place of an event's.
struct EventMetrics {
    EventMetrics();

    EventMetric calls;
    EventMetric call_seconds;
    EventMetric call_errors;
    EventMetric attempts;
    EventMetric retries;
    EventMetric store_errors;
    EventMetric limiter_wait_seconds;
    EventMetric limiter_fallbacks;
    EventMetric webhooks;
    EventMetric webhook_seconds;
    EventMetric message_statuses;
    EventMetric inbox_tries;
    EventMetric inbox_handler_seconds;
    EventMetric inbox_until_handled_seconds;
    EventMetric quota_levels;
    EventMetric quota_refusals;
    EventMetric outbox_enqueued;
    EventMetric outbox_attempts;
    EventMetric outbox_outcomes;
    EventMetric outbox_resolved;
    EventMetric outbox_doubles;
    EventMetric campaign_phases;
    EventMetric stale_templates;
    EventMetric numbers_changed_hands;
    EventMetric scrape_source_errors;

    /// In the order in which they are shown.
    std::array<EventMetric*, 25> all();
};

/// Gauges, which are no EventMetric: they hold what was told last.
inline constexpr std::string_view limiter_shared_name = "twiliowa_limiter_shared";
inline constexpr std::string_view limiter_processes_name = "twiliowa_limiter_processes";
inline constexpr std::string_view breakers_open_name = "twiliowa_outbox_breakers_open";

// ---- The place of an event's value among those of its label. What is none of them has the last.

std::size_t operation_place(std::string_view operation) noexcept;
/// `error` is null on success.
std::size_t outcome_place(const Error* error) noexcept;
/// 0: there was no answer.
std::size_t status_class_place(int http_status) noexcept;
std::size_t category_place(int code) noexcept;
std::size_t webhook_outcome_place(WebhookOutcome outcome) noexcept;
std::size_t inbox_outcome_place(InboxOutcome outcome) noexcept;
/// Empty if it was not read.
std::size_t event_kind_place(std::string_view kind) noexcept;
std::size_t message_status_place(std::string_view status) noexcept;
std::size_t quota_window_place(std::string_view window) noexcept;
std::size_t percent_place(int percent) noexcept;
std::size_t lane_place(std::string_view lane) noexcept;
std::size_t evidence_place(std::string_view evidence) noexcept;
std::size_t campaign_phase_place(std::string_view phase) noexcept;
/// Nullopt: it is no outcome.
std::optional<std::size_t> outbox_outcome_place(JobChange change) noexcept;
// For whom a store has failed.
inline constexpr std::size_t store_user_call = 0;
inline constexpr std::size_t store_user_webhook = 1;
inline constexpr std::size_t store_user_outbox = 2;
inline constexpr std::size_t store_user_inbox = 3;
// What an attempt of an outbox came to.
inline constexpr std::size_t outbox_attempt_sent = 0;
inline constexpr std::size_t outbox_attempt_not_sent = 1;
inline constexpr std::size_t outbox_attempt_unknown = 2;

}  // namespace twiliowa::detail
