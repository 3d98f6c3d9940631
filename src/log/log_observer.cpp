#include <twiliowa/log_observer.hpp>

#include <mutex>
#include <string>
#include <utility>

#include <twiliowa/types/error.hpp>
#include <twiliowa/types/error_advice.hpp>

#include "log/log_line.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// What a thread writes its lines into.
struct LogBuffer {
    std::string line = {};
    bool in_use = false;  ///< An event of the sink's own would overwrite it.
};

LogBuffer& log_buffer() {
    thread_local LogBuffer buffer;
    return buffer;
}

/// Whatever is thrown while a line is written, the next one is written, too.
class LineInUse {
public:
    explicit LineInUse(bool& in_use) noexcept : in_use_(in_use) {}
    ~LineInUse() { in_use_ = false; }
    LineInUse(const LineInUse&) = delete;
    LineInUse& operator=(const LineInUse&) = delete;

private:
    bool& in_use_;
};

LogLevel level_of_error(const Error& error) noexcept {
    if (error.effect() == Effect::unknown) return LogLevel::error;
    if (error.code() == 0) {
        return error.kind() == ErrorKind::authentication ? LogLevel::error : LogLevel::warning;
    }
    switch (error.advice().category) {
        case ErrorCategory::authentication:
        case ErrorCategory::account:
        case ErrorCategory::sender:
        case ErrorCategory::daily_limit:
            return LogLevel::error;
        default:
            return LogLevel::warning;
    }
}

LogLevel level_of_webhook(WebhookOutcome outcome) noexcept {
    switch (outcome) {
        case WebhookOutcome::too_many:  // A flood does not fill the log.
            return LogLevel::debug;
        case WebhookOutcome::handled:
        case WebhookOutcome::duplicate:
        case WebhookOutcome::running:
        case WebhookOutcome::taken_in:
        case WebhookOutcome::switched_off:
            return LogLevel::info;
        case WebhookOutcome::handler_failed:
        case WebhookOutcome::store_failed:
        case WebhookOutcome::unverified:
        case WebhookOutcome::inbox_full:
            return LogLevel::error;
        default:
            return LogLevel::warning;
    }
}

/// Whether what a webhook says of itself is Twilio's, as its signature shows.
bool is_signed(WebhookOutcome outcome) noexcept {
    switch (outcome) {
        case WebhookOutcome::handled:
        case WebhookOutcome::duplicate:
        case WebhookOutcome::running:
        case WebhookOutcome::handler_failed:
        case WebhookOutcome::store_failed:
        case WebhookOutcome::recut:
        case WebhookOutcome::lease_lost:
        case WebhookOutcome::taken_in:
        case WebhookOutcome::inbox_full:
        case WebhookOutcome::switched_off:
            return true;
        default:
            return false;
    }
}

LogLevel level_of_inbox(InboxOutcome outcome) noexcept {
    switch (outcome) {
        case InboxOutcome::handled:
            return LogLevel::info;
        case InboxOutcome::dead:
            return LogLevel::error;
        default:
            return LogLevel::warning;
    }
}

LogLevel level_of_job(const JobEvent& event) noexcept {
    switch (event.change) {
        case JobChange::enqueued:
        case JobChange::adopted:
        case JobChange::sending:
        case JobChange::looked:
        case JobChange::postponed:
            return LogLevel::debug;
        case JobChange::accepted:
        case JobChange::delivered:
        case JobChange::read:
        case JobChange::cancelled:
        case JobChange::requeued:
            return LogLevel::info;
        case JobChange::held:
        case JobChange::doubled:
            return LogLevel::error;
        case JobChange::dead:
            return event.reason == "unknown" ? LogLevel::error : LogLevel::warning;
        default:
            return LogLevel::warning;
    }
}

/// What to do: for whom the log wakes at night.
void write_advice(LogLine& line, int code) {
    if (code != 0) line.sentence("advice", advise(code).advice);
}

/// Not `message()`: that is Twilio's, and may name a number.
void write_error(LogLine& line, const Error* error) {
    if (error == nullptr) return;
    line.text("error", to_string(error->kind()));
    line.text("effect", to_string(error->effect()));
    line.count("error_code", error->code());
    if (error->code() != 0) line.text("category", to_string(error->advice().category));
    line.sentence("problem", error->what());
    write_advice(line, error->code());
}

void write_call(LogLine& line, const CallInfo& call) {
    line.id("call_id", call.id);
    line.text("operation", call.operation);
    line.sid("account_sid", call.account_sid);
    line.text("correlation_id", call.correlation_id);
}

}  // namespace
}  // namespace detail

std::string_view to_string(LogLevel level) noexcept {
    switch (level) {
        case LogLevel::debug:
            return "debug";
        case LogLevel::info:
            return "info";
        case LogLevel::warning:
            return "warning";
        case LogLevel::error:
            break;
    }
    return "error";
}

struct LogObserver::State {
    State(LogSink chosen, LogOptions asked) : sink(std::move(chosen)), options(std::move(asked)) {}

    /// @param fill  `void(LogLine&)`: writes the members.
    template <class Fill>
    void write(LogLevel level, std::string_view event, Fill fill) noexcept {
        if (level < options.level) return;
        try {
            auto& buffer = detail::log_buffer();
            if (std::exchange(buffer.in_use, true)) return;
            const detail::LineInUse in_use{buffer.in_use};
            buffer.line.clear();
            detail::LogLine line{buffer.line, options.format == LogFormat::json};
            line.begin(options.clock->now(), to_string(level), event);
            if (options.request) line.text("request", options.request());
            fill(line);
            line.end();
            const std::lock_guard lock{mutex};
            sink(level, buffer.line);
        } catch (...) {
            // A log that cannot be written keeps nothing from going on.
            return;
        }
    }

    const LogSink sink;
    const LogOptions options;
    std::mutex mutex = {};  ///< Held while the sink has a line.
};

LogObserver::LogObserver(LogSink sink, const LogOptions& options) {
    if (!sink) Error::invalid_request("sink", "is empty").raise();
    auto whole = options;
    if (!whole.clock) whole.clock = system_clock();
    state_ = std::make_unique<State>(std::move(sink), std::move(whole));
}
LogObserver::~LogObserver() = default;

void LogObserver::write(LogLevel level, std::string_view event,
                        std::initializer_list<Field> fields) noexcept {
    state_->write(level, event, [&](detail::LogLine& line) {
        for (const auto& [name, value] : fields) line.sentence(name, value);
    });
}

void LogObserver::write(LogLevel level, std::string_view event, std::initializer_list<Field> fields,
                        const Error& error) noexcept {
    state_->write(level, event, [&](detail::LogLine& line) {
        for (const auto& [name, value] : fields) line.sentence(name, value);
        line.count("http_status", error.http_status());
        detail::write_error(line, &error);
    });
}

// ---- Calls

void LogObserver::on_call(const CallEvent& event) noexcept {
    state_->write(LogLevel::debug, "call",
                  [&](detail::LogLine& line) { detail::write_call(line, event.call); });
}

void LogObserver::on_attempt(const AttemptEvent& event) noexcept {
    state_->write(LogLevel::debug, "attempt", [&](detail::LogLine& line) {
        detail::write_call(line, event.call);
        line.number("attempt", event.attempt);
        line.count("http_status", event.http_status);
        line.text("request_id", event.request_id);
        detail::write_error(line, event.error);
        line.milliseconds("duration_ms", event.duration);
        line.milliseconds("slot_wait_ms", event.slot_wait);
    });
}

void LogObserver::on_retry(const RetryEvent& event) noexcept {
    state_->write(LogLevel::info, "retry", [&](detail::LogLine& line) {
        detail::write_call(line, event.call);
        line.number("attempt", event.attempt);
        line.count("http_status", event.http_status);
        line.count("error_code", event.code);
        line.milliseconds("delay_ms", event.delay);
    });
}

void LogObserver::on_result(const ResultEvent& event) noexcept {
    const auto level =
        event.error == nullptr ? LogLevel::info : detail::level_of_error(*event.error);
    state_->write(level, "result", [&](detail::LogLine& line) {
        detail::write_call(line, event.call);
        line.number("attempts", event.attempts);
        if (event.error != nullptr) line.count("http_status", event.error->http_status());
        line.text("request_id", event.request_id);
        detail::write_error(line, event.error);
        line.milliseconds("duration_ms", event.duration);
    });
}

void LogObserver::on_stale_template(const StaleTemplateEvent& event) noexcept {
    state_->write(LogLevel::warning, "stale_template", [&](detail::LogLine& line) {
        line.sid("content_sid", event.content_sid);
        line.milliseconds("age_ms", event.age);
        detail::write_error(line, &event.error);
    });
}

void LogObserver::on_limiter(const LimiterEvent& event) noexcept {
    const auto level = event.shared ? LogLevel::info : LogLevel::warning;
    state_->write(level, "limiter", [&](detail::LogLine& line) {
        line.flag("shared", event.shared);
        line.count("processes", event.processes);
        if (!event.shared && event.share_per_second > 0 && event.share_per_second < 1e9) {
            line.thousandths("share_per_second",
                             static_cast<std::int64_t>(event.share_per_second * 1'000));
        }
        detail::write_error(line, event.error);
    });
}

// ---- What comes in

void LogObserver::on_webhook(const WebhookResultEvent& event) noexcept {
    const auto level = detail::level_of_webhook(event.outcome);
    state_->write(level, "webhook", [&](detail::LogLine& line) {
        line.text("outcome", to_string(event.outcome));
        line.count("http_status", event.http_status);
        line.text("kind", event.kind);
        line.sid("message_sid", event.message_sid);
        line.sid("account_sid", event.account_sid);
        // Of what is not signed by Twilio somebody else may have written it.
        if (detail::is_signed(event.outcome)) {
            line.text("message_status", event.message_status);
            line.count("error_code", event.error_code);
            detail::write_advice(line, event.error_code);
        }
        line.sentence("problem", event.reason);
        line.sentence("hint", event.hint);
        line.milliseconds("duration_ms", event.duration);
    });
}

void LogObserver::on_inbox(const InboxResultEvent& event) noexcept {
    const auto level = detail::level_of_inbox(event.outcome);
    state_->write(level, "inbox", [&](detail::LogLine& line) {
        line.text("outcome", to_string(event.outcome));
        line.text("kind", event.kind);
        line.sid("message_sid", event.message_sid);
        line.sid("account_sid", event.account_sid);
        line.number("tries", event.tries);
        line.sentence("problem", event.reason);
        line.milliseconds("duration_ms", event.duration);
        line.milliseconds("since_arrival_ms", event.since_arrival);
    });
}

void LogObserver::on_number_changed_hands(const NumberChangedHandsEvent& event) noexcept {
    state_->write(LogLevel::info, "number_changed_hands", [&](detail::LogLine& line) {
        line.text("scope", event.scope);
        line.text("number_key", event.number_key);
        line.text("former_key", event.former_key);
        line.text("present_key", event.present_key);
    });
}

// ---- Quotas

void LogObserver::on_quota_level(const QuotaLevelEvent& event) noexcept {
    state_->write(LogLevel::warning, "quota_level", [&](detail::LogLine& line) {
        line.text("quota", event.quota);
        line.text("window", event.window);
        line.flag("is_plan", event.is_plan);
        line.number("percent", event.percent);
        line.thousandths("used", event.used);
        line.thousandths("limit", event.limit);
        line.time("renews", event.renews);
    });
}

void LogObserver::on_quota_refused(const QuotaRefusedEvent& event) noexcept {
    state_->write(LogLevel::warning, "quota_refused", [&](detail::LogLine& line) {
        line.text("quota", event.quota);
        line.text("window", event.window);
        line.flag("is_plan", event.is_plan);
        line.thousandths("left", event.left);
        line.thousandths("limit", event.limit);
        line.time("renews", event.renews);
    });
}

// ---- Outboxes and campaigns

void LogObserver::on_job(const JobEvent& event) noexcept {
    state_->write(detail::level_of_job(event), "job", [&](detail::LogLine& line) {
        line.text("change", to_string(event.change));
        line.text("job", event.job);
        line.text("before", event.before);
        line.text("state", event.state);
        line.text("reason", event.reason);
        line.text("evidence", event.evidence);
        line.sid("message_sid", event.message_sid);
        line.count("error_code", event.error_code);
        line.sentence("problem", event.problem);
        detail::write_advice(line, event.error_code);
        line.text("account", event.account);
        line.text("tag", event.tag);
        line.text("campaign", event.campaign);
        line.text("lane", event.lane);
        line.count("attempts", event.attempts);
        line.count("looks", event.looks);
        line.milliseconds("since_created_ms", event.since_created);
        line.milliseconds("wait_ms", event.wait);
    });
}

void LogObserver::on_outbox_full(const OutboxFullEvent& event) noexcept {
    state_->write(LogLevel::error, "outbox_full", [&](detail::LogLine& line) {
        line.flag("of_tenant", event.of_tenant);
        line.number("limit", event.limit);
        line.number("waiting", event.waiting);
    });
}

void LogObserver::on_suspect_jobs(const SuspectJobsEvent& event) noexcept {
    state_->write(LogLevel::error, "suspect_jobs", [&](detail::LogLine& line) {
        line.number("jobs", event.jobs);
        line.sentence("problem", event.problem);
    });
}

void LogObserver::on_pause(const PauseEvent& event) noexcept {
    const auto level = event.paused && event.by_itself ? LogLevel::error : LogLevel::info;
    state_->write(level, "pause", [&](detail::LogLine& line) {
        line.flag("paused", event.paused);
        line.text("of", event.of);
        line.text("name", event.name);
        line.sentence("problem", event.reason);
        line.flag("by_itself", event.by_itself);
        line.time("until", event.until);
    });
}

void LogObserver::on_breaker(const BreakerEvent& event) noexcept {
    auto level = LogLevel::warning;
    if (event.change == BreakerChange::opened) level = LogLevel::error;
    if (event.change == BreakerChange::closed) level = LogLevel::info;
    state_->write(level, "breaker", [&](detail::LogLine& line) {
        line.text("change", to_string(event.change));
        line.text("account", event.account);
        line.sid("sender", event.sender);
        line.milliseconds("next_try_ms", event.next_try);
    });
}

void LogObserver::on_outcome_told(const OutcomeToldEvent& event) noexcept {
    const auto level = event.handled ? LogLevel::debug : LogLevel::error;
    state_->write(level, "outcome_told", [&](detail::LogLine& line) {
        line.text("job", event.job);
        line.text("outcome", event.outcome);
        line.flag("handled", event.handled);
        line.milliseconds("duration_ms", event.duration);
        line.milliseconds("since_outcome_ms", event.since_outcome);
    });
}

void LogObserver::on_queue_failed(const QueueFailedEvent& event) noexcept {
    state_->write(LogLevel::error, "queue_failed", [&](detail::LogLine& line) {
        line.text("queue", event.queue);
        detail::write_error(line, &event.error);
    });
}

void LogObserver::on_campaign(const CampaignEvent& event) noexcept {
    const bool stopped = event.phase == "paused" && !event.problem.empty();
    state_->write(stopped ? LogLevel::warning : LogLevel::info, "campaign",
                  [&](detail::LogLine& line) {
                      line.text("campaign", event.campaign);
                      line.text("before", event.before);
                      line.text("phase", event.phase);
                      line.sentence("problem", event.problem);
                  });
}

}  // namespace twiliowa
