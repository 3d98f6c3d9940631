#include <twiliowa/metrics_observer.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include <twiliowa/state/store.hpp>
#include <twiliowa/types/error.hpp>

#include "metrics/event_metrics.hpp"
#include "metrics/metric_aliases.hpp"
#include "metrics/metric_text.hpp"

namespace twiliowa {

namespace {

/// Of a gauge that was not told yet.
constexpr int not_told = -1;

void append_gauge_told(std::string& out, std::string_view name, std::string_view help, int value) {
    detail::append_metric_head(out, name, help, detail::MetricType::gauge);
    if (value != not_told) detail::append_metric_sample(out, name, {}, value);
}

}  // namespace

/// The samples of one scrape, of all sources so far.
struct MetricSamples::State {
    /// One value, or a histogram.
    struct Sample {
        double value = 0;
        MetricHistogram histogram = {};
    };
    struct Family {
        std::string help = {};
        detail::MetricType type = detail::MetricType::gauge;
        std::map<std::string, Sample> series = {};  ///< By the labels' text.
    };

    /// Takes what the present source has added.
    void accept() { added.clear(); }
    /// Forgets it.
    void reject() {
        for (const auto& [name, labels] : added) {
            const auto family = families.find(name);
            family->second.series.erase(labels);
            if (family->second.series.empty()) families.erase(family);
        }
        added.clear();
    }
    void add(std::string_view name, std::string_view help, detail::MetricType type, Sample sample,
             std::vector<MetricLabel> labels) {
        if (!detail::is_metric_name(name)) {
            Error::invalid_request(name.empty() ? "name" : name, "is no name of a metric").raise();
        }
        if (is_known(name)) {
            Error::invalid_request(name, "is a metric that the observer itself gives").raise();
        }
        auto text = detail::metric_label_text(name, std::move(labels));
        const auto found = families.find(name);
        if (found != families.end()) {
            if (found->second.type != type) {
                Error::invalid_request(name, "is a metric of another type").raise();
            }
            if (found->second.series.contains(text)) {
                Error::invalid_request(name, "was given before, with the same labels",
                                       "give each source a label of its own")
                    .raise();
            }
        }
        added.emplace_back(name, text);
        auto& family = families[std::string{name}];
        if (family.series.empty()) {
            family.help = help;
            family.type = type;
        }
        family.series.emplace(std::move(text), std::move(sample));
    }
    void append_to(std::string& out) const {
        for (const auto& [name, family] : families) {
            detail::append_metric_head(out, name, family.help, family.type);
            for (const auto& [labels, sample] : family.series) {
                if (family.type == detail::MetricType::histogram) {
                    detail::append_metric_histogram(out, name, labels, sample.histogram);
                } else {
                    detail::append_metric_sample(out, name, labels, sample.value);
                }
            }
        }
    }

    std::function<bool(std::string_view)> is_known = {};
    std::map<std::string, Family, std::less<>> families = {};
    std::vector<std::pair<std::string, std::string>> added = {};
};

void MetricSamples::gauge(std::string_view name, std::string_view help, double value,
                          std::vector<MetricLabel> labels) {
    state_->add(name, help, detail::MetricType::gauge, {.value = value}, std::move(labels));
}

void MetricSamples::counter(std::string_view name, std::string_view help, double value,
                            std::vector<MetricLabel> labels) {
    if (!name.ends_with("_total")) {
        Error::invalid_request(name.empty() ? "name" : name, "is no name of a counter",
                               "let it end with _total")
            .raise();
    }
    state_->add(name, help, detail::MetricType::counter, {.value = value}, std::move(labels));
}

void MetricSamples::histogram(std::string_view name, std::string_view help,
                              const MetricHistogram& value, std::vector<MetricLabel> labels) {
    const auto& bounds = value.bounds;
    const bool ascends =
        std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>{}) == bounds.end();
    const bool is_finite = std::all_of(bounds.begin(), bounds.end(),
                                       [](double bound) { return std::isfinite(bound); });
    if (!ascends || !is_finite || value.counts.size() != bounds.size() + 1) {
        Error::invalid_request(name.empty() ? "name" : name, "is no histogram",
                               "give it bounds that ascend, and a count more than bounds")
            .raise();
    }
    state_->add(name, help, detail::MetricType::histogram, {.histogram = value}, std::move(labels));
}

/// Shared by the observer and the MetricSource, either of which may go first.
struct MetricSource::Entry {
    std::mutex mutex = {};  ///< Held while it is called.
    std::function<void(MetricSamples&)> source = {};
    std::atomic<bool> has_ended{false};
};

MetricSource::MetricSource() noexcept = default;
MetricSource::MetricSource(std::shared_ptr<Entry> entry) noexcept : entry_(std::move(entry)) {}
MetricSource::MetricSource(MetricSource&&) noexcept = default;
MetricSource& MetricSource::operator=(MetricSource&& other) noexcept {
    MetricSource former{std::move(entry_)};
    entry_ = std::move(other.entry_);
    return *this;
}
MetricSource::~MetricSource() {
    if (!entry_) return;
    entry_->has_ended = true;
    const std::lock_guard lock{entry_->mutex};
    entry_->source = nullptr;
}

struct MetricsObserver::State {
    explicit State(const MetricsOptions& options)
        : all(metrics.all()), aliases(options.aliases, all) {}

    bool has(std::string_view name) const {
        return aliases.has(name) || name == detail::limiter_shared_name ||
               name == detail::limiter_processes_name || name == detail::breakers_open_name ||
               std::any_of(all.begin(), all.end(), [&](const detail::EventMetric* metric) {
                   return metric->name() == name;
               });
    }

    /// What the sources add, those that fail left out.
    std::string ask_sources();
    void append_events(std::string& out) const;
    void append_gauges(std::string& out) const;

    detail::EventMetrics metrics = {};
    const decltype(metrics.all()) all;
    const detail::MetricAliases aliases;
    std::atomic<int> limiter_shared{not_told};
    std::atomic<int> limiter_processes{not_told};
    std::atomic<int> breakers_open{0};
    std::mutex mutex = {};  ///< Of `sources`.
    std::vector<std::shared_ptr<MetricSource::Entry>> sources = {};
};

std::string MetricsObserver::State::ask_sources() {
    decltype(sources) asked;
    {
        const std::lock_guard lock{mutex};
        std::erase_if(sources, [](const auto& entry) { return entry->has_ended.load(); });
        asked = sources;
    }
    MetricSamples::State added;
    added.is_known = [this](std::string_view name) { return has(name); };
    MetricSamples samples{added};
    for (const auto& entry : asked) {
        const std::lock_guard lock{entry->mutex};
        if (!entry->source) continue;
        try {
            entry->source(samples);
            added.accept();
        } catch (...) {
            added.reject();
            metrics.scrape_source_errors.count(0);
        }
    }
    std::string text;
    added.append_to(text);
    return text;
}

void MetricsObserver::State::append_events(std::string& out) const {
    for (const auto* metric : all) {
        detail::append_metric_head(out, metric->name(), metric->help(), metric->type());
        for (std::size_t series = 0; series < metric->series_count(); ++series) {
            const auto cells = metric->read(series);
            const bool is_counted =
                std::any_of(cells.begin(), cells.end(), [](auto cell) { return cell != 0; });
            if (!is_counted && !metric->is_shown(series)) continue;
            std::vector<MetricLabel> labels;
            const auto places = metric->places_of(series);
            for (std::size_t i = 0; i < places.size(); ++i) {
                const auto& dimension = metric->dimensions()[i];
                labels.push_back({dimension.label, dimension.values[places[i]]});
            }
            detail::append_metric_series(
                out, metric->name(), detail::metric_label_text(metric->name(), std::move(labels)),
                metric->bounds(), cells);
        }
    }
}

void MetricsObserver::State::append_gauges(std::string& out) const {
    append_gauge_told(out, detail::limiter_shared_name,
                      "Whether the limit of several processes is shared, as was told last.",
                      limiter_shared);
    append_gauge_told(out, detail::limiter_processes_name,
                      "How many processes share a limit, as was told last.", limiter_processes);
    append_gauge_told(out, detail::breakers_open_name,
                      "Senders whose sends are halted after unknown outcomes.", breakers_open);
}

MetricsObserver::MetricsObserver(const MetricsOptions& options)
    : state_(std::make_unique<State>(options)) {}
MetricsObserver::~MetricsObserver() = default;

std::string MetricsObserver::text() const {
    // First, as it may count a failure.
    const auto samples = state_->ask_sources();
    std::string out;
    state_->append_events(out);
    state_->append_gauges(out);
    state_->aliases.append_to(out);
    return out + samples;
}

MetricSource MetricsObserver::add_source(std::function<void(MetricSamples&)> source) {
    if (!source) Error::invalid_request("source", "is empty").raise();
    auto entry = std::make_shared<MetricSource::Entry>();
    entry->source = std::move(source);
    const std::lock_guard lock{state_->mutex};
    state_->sources.push_back(entry);
    return MetricSource{std::move(entry)};
}

void MetricsObserver::on_attempt(const AttemptEvent& event) noexcept {
    auto& metrics = state_->metrics;
    metrics.attempts.count(metrics.attempts.series(detail::operation_place(event.call.operation),
                                                   detail::outcome_place(event.error),
                                                   detail::status_class_place(event.http_status)));
    if (event.slot_wait.count() > 0) metrics.limiter_wait_seconds.observe(0, event.slot_wait);
}

void MetricsObserver::on_retry(const RetryEvent& event) noexcept {
    state_->metrics.retries.count(detail::operation_place(event.call.operation));
}

void MetricsObserver::on_result(const ResultEvent& event) noexcept {
    auto& metrics = state_->metrics;
    const auto operation = detail::operation_place(event.call.operation);
    const int http_status = event.error == nullptr ? 200 : event.error->http_status();
    metrics.calls.count(metrics.calls.series(operation, detail::outcome_place(event.error),
                                             detail::status_class_place(http_status)));
    if (event.attempts > 0) metrics.call_seconds.observe(operation, event.duration);
    if (event.error == nullptr) return;
    metrics.call_errors.count(detail::category_place(event.error->code()));
    if (is_store_error(*event.error)) metrics.store_errors.count(detail::store_user_call);
}

void MetricsObserver::on_webhook(const WebhookResultEvent& event) noexcept {
    auto& metrics = state_->metrics;
    metrics.webhooks.count(detail::webhook_outcome_place(event.outcome));
    metrics.webhook_seconds.observe(detail::event_kind_place(event.kind), event.duration);
    if (event.outcome == WebhookOutcome::store_failed) {
        metrics.store_errors.count(detail::store_user_webhook);
    }
    // Others are counted when they come again, or were before; or are not Twilio's.
    const bool is_news =
        event.outcome == WebhookOutcome::handled || event.outcome == WebhookOutcome::taken_in;
    if (!is_news || event.message_status.empty()) return;
    metrics.message_statuses.count(
        metrics.message_statuses.series(detail::message_status_place(event.message_status),
                                        detail::category_place(event.error_code)));
}

void MetricsObserver::on_stale_template(const StaleTemplateEvent&) noexcept {
    state_->metrics.stale_templates.count(0);
}

void MetricsObserver::on_number_changed_hands(const NumberChangedHandsEvent&) noexcept {
    state_->metrics.numbers_changed_hands.count(0);
}

void MetricsObserver::on_inbox(const InboxResultEvent& event) noexcept {
    auto& metrics = state_->metrics;
    const auto kind = detail::event_kind_place(event.kind);
    metrics.inbox_tries.count(
        metrics.inbox_tries.series(kind, detail::inbox_outcome_place(event.outcome)));
    if (event.duration.count() > 0) metrics.inbox_handler_seconds.observe(kind, event.duration);
    if (event.outcome == InboxOutcome::handled) {
        metrics.inbox_until_handled_seconds.observe(kind, event.since_arrival);
    }
}

void MetricsObserver::on_limiter(const LimiterEvent& event) noexcept {
    if (!event.shared) state_->metrics.limiter_fallbacks.count(0);
    state_->limiter_shared.store(event.shared ? 1 : 0, std::memory_order_relaxed);
    state_->limiter_processes.store(event.processes, std::memory_order_relaxed);
}

void MetricsObserver::on_quota_level(const QuotaLevelEvent& event) noexcept {
    auto& metrics = state_->metrics;
    metrics.quota_levels.count(metrics.quota_levels.series(detail::quota_window_place(event.window),
                                                           detail::percent_place(event.percent)));
}

void MetricsObserver::on_quota_refused(const QuotaRefusedEvent& event) noexcept {
    state_->metrics.quota_refusals.count(detail::quota_window_place(event.window));
}

void MetricsObserver::on_job(const JobEvent& event) noexcept {
    auto& metrics = state_->metrics;
    // What was unknown already ended as an attempt when it became so.
    const bool ends_attempt = event.before == "sending";
    switch (event.change) {
        case JobChange::enqueued:
        case JobChange::adopted:
            metrics.outbox_enqueued.count(detail::lane_place(event.lane));
            break;
        case JobChange::accepted:
            if (ends_attempt) {
                metrics.outbox_attempts.count(detail::outbox_attempt_sent);
            } else {
                metrics.outbox_resolved.count(detail::evidence_place(event.evidence));
            }
            break;
        case JobChange::not_sent:
            if (ends_attempt) metrics.outbox_attempts.count(detail::outbox_attempt_not_sent);
            break;
        case JobChange::unknown:
            if (ends_attempt) metrics.outbox_attempts.count(detail::outbox_attempt_unknown);
            break;
        case JobChange::doubled:
            metrics.outbox_doubles.count(0);
            break;
        default:
            break;
    }
    if (const auto outcome = detail::outbox_outcome_place(event.change)) {
        metrics.outbox_outcomes.count(*outcome);
    }
}

void MetricsObserver::on_breaker(const BreakerEvent& event) noexcept {
    if (event.change == BreakerChange::opened) ++state_->breakers_open;
    if (event.change == BreakerChange::closed) --state_->breakers_open;
}

void MetricsObserver::on_queue_failed(const QueueFailedEvent& event) noexcept {
    if (!is_store_error(event.error)) return;
    state_->metrics.store_errors.count(event.queue == "inbox" ? detail::store_user_inbox
                                                              : detail::store_user_outbox);
}

void MetricsObserver::on_campaign(const CampaignEvent& event) noexcept {
    state_->metrics.campaign_phases.count(detail::campaign_phase_place(event.phase));
}

}  // namespace twiliowa
