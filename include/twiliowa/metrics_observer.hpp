/// @file
/// What the library does, in numbers, for Prometheus: `MetricsObserver`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/observer.hpp>

namespace twiliowa {

/// A label of a series: `outcome="success"`.
struct MetricLabel {
    std::string name = {};   ///< A letter or `_`, then letters, digits and `_`.
    std::string value = {};  ///< Any text; what is no UTF-8 is replaced.
};

/// Another name under which what is counted is given, besides its own:
///
/// @code
/// {.name = "webhook_signature_errors_total",
///  .help = "Webhooks that are not signed by Twilio.",
///  .of = "twiliowa_webhooks_total",
///  .only = {{"outcome", "bad_signature"}, {"outcome", "recut"}},
///  .labels = {{"source", "twilio"}}}
/// @endcode
///
/// Several with the same name and the same labels are added up; those of one name with other labels
/// are series of one metric.
struct MetricAlias {
    std::string name = {};  ///< A metric's name; one of `twiliowa_...` is refused.
    std::string help = {};  ///< What it is, in a line. Of several with one name the first's.
    /// A counter or a histogram of this observer. Its series are added up.
    std::string of = {};
    /// Which of its series: those that have each label that is named here, with one of the values
    /// that are named for it. Empty: all of them.
    std::vector<MetricLabel> only = {};
    /// Which not: those that have one of these.
    std::vector<MetricLabel> except = {};
    /// What the series has in place of the labels that were added up.
    std::vector<MetricLabel> labels = {};
};

/// What a histogram has counted so far: for `MetricSamples::histogram`.
struct MetricHistogram {
    /// The upper bounds of its buckets, ascending; what lies on one is in its bucket.
    std::vector<double> bounds = {};
    /// How many are in each bucket, not added up, and behind them how many are above all bounds.
    std::vector<std::uint64_t> counts = {};
    double sum = 0;  ///< Of all that was counted.
};

/// What else is told at a scrape: handed to the functions of `MetricsObserver::add_source`.
///
/// Names are Prometheus': `[a-zA-Z_][a-zA-Z0-9_]*`. All verbs throw InvalidRequestError, naming the
/// metric, for a name or a label that is none; a name of the observer's own events; a name that
/// is a metric of another type; and a series, which is a name with its labels, that was there
/// before in this scrape.
class MetricSamples {
public:
    /// What may go up and down: how many jobs wait, for how many seconds the oldest does.
    TWILIOWA_EXPORT void gauge(std::string_view name, std::string_view help, double value,
                               std::vector<MetricLabel> labels = {});
    /// What only grows, from 0 at the beginning of the process. Its name ends with `_total`.
    TWILIOWA_EXPORT void counter(std::string_view name, std::string_view help, double value,
                                 std::vector<MetricLabel> labels = {});
    /// What was counted by its size, from the beginning of the process. Refused by its name are
    /// bounds that do not ascend or are none, and counts that are not one more than they.
    TWILIOWA_EXPORT void histogram(std::string_view name, std::string_view help,
                                   const MetricHistogram& value,
                                   std::vector<MetricLabel> labels = {});
    MetricSamples(const MetricSamples&) = delete;
    MetricSamples& operator=(const MetricSamples&) = delete;
    ~MetricSamples() = default;

private:
    friend class MetricsObserver;
    struct State;
    explicit MetricSamples(State& state) noexcept : state_(&state) {}
    State* state_;
};

/// A function that adds samples, as long as this lives. Movable; a moved-from one holds none.
class TWILIOWA_EXPORT MetricSource {
public:
    /// Holds none.
    MetricSource() noexcept;
    /// Waits for a scrape that is under way, so that the function is not called any more. So it
    /// must not be destroyed by the function itself.
    ~MetricSource();
    /// Takes over the other.
    MetricSource(MetricSource&& other) noexcept;
    /// Takes over the other; what this held has ended then.
    MetricSource& operator=(MetricSource&& other) noexcept;
    MetricSource(const MetricSource&) = delete;
    MetricSource& operator=(const MetricSource&) = delete;

private:
    friend class MetricsObserver;
    struct Entry;
    explicit MetricSource(std::shared_ptr<Entry> entry) noexcept;
    std::shared_ptr<Entry> entry_;
};

/// Options of MetricsObserver.
struct MetricsOptions {
    std::vector<MetricAlias> aliases = {};  ///< Other names, besides the library's own.
};

/// Counts what it is told, and gives it in Prometheus' text form. Give one to
/// `ClientOptions::observer`, `WebhookOptions::observer` and whatever else takes an observer; with
/// others by a CompositeObserver.
///
/// @code
/// const auto metrics = std::make_shared<MetricsObserver>();
/// options.observer = metrics;
/// ...
/// server.Get("/metrics", [metrics](const auto&, auto& response) {
///     response.set_content(metrics->text(), MetricsObserver::content_type);
/// });
/// @endcode
///
/// docs/metrics.md lists the metrics, their labels and the bounds of the histograms. No label holds
/// a number, a SID, a text or a name of the program's: each has one of a few values that are known
/// beforehand, and what is none of them counts as `other`. So memory does not grow: the counters,
/// about 50 kB, are made with the observer.
///
/// Thread-safe: events are counted without a lock and allocate nothing; a scrape holds up none.
class TWILIOWA_EXPORT MetricsObserver final : public Observer {
public:
    /// The Content-Type of `text`.
    static constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

    /// @throws InvalidRequestError naming the alias whose name is none or the library's, whose `of`
    ///     is no counter or histogram of it, that names labels or values which that does not have,
    ///     or adds up metrics of two types.
    explicit MetricsObserver(const MetricsOptions& options = {});
    ~MetricsObserver() override;
    MetricsObserver(const MetricsObserver&) = delete;
    MetricsObserver& operator=(const MetricsObserver&) = delete;

    /// Everything counted so far, and what the sources add: text format 0.0.4. Sources are called
    /// in this thread, one after the other, in one scrape at a time. The samples of a source that
    /// throws are left out, and `twiliowa_scrape_source_errors_total` says so.
    std::string text() const;

    /// Has `source` called at each scrape, until what is returned is destroyed, which may outlive
    /// the observer.
    /// @throws InvalidRequestError if it is empty.
    [[nodiscard]] MetricSource add_source(std::function<void(MetricSamples&)> source);

    /// As of Observer.
    void on_attempt(const AttemptEvent& event) noexcept override;
    /// As of Observer.
    void on_retry(const RetryEvent& event) noexcept override;
    /// As of Observer.
    void on_result(const ResultEvent& event) noexcept override;
    /// As of Observer.
    void on_webhook(const WebhookResultEvent& event) noexcept override;
    /// As of Observer.
    void on_stale_template(const StaleTemplateEvent& event) noexcept override;
    /// As of Observer.
    void on_number_changed_hands(const NumberChangedHandsEvent& event) noexcept override;
    /// As of Observer.
    void on_inbox(const InboxResultEvent& event) noexcept override;
    /// As of Observer.
    void on_limiter(const LimiterEvent& event) noexcept override;
    /// As of Observer.
    void on_quota_level(const QuotaLevelEvent& event) noexcept override;
    /// As of Observer.
    void on_quota_refused(const QuotaRefusedEvent& event) noexcept override;
    /// As of Observer.
    void on_job(const JobEvent& event) noexcept override;
    /// As of Observer.
    void on_breaker(const BreakerEvent& event) noexcept override;
    /// As of Observer.
    void on_queue_failed(const QueueFailedEvent& event) noexcept override;
    /// As of Observer.
    void on_campaign(const CampaignEvent& event) noexcept override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
