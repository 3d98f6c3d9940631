/// @file
/// What the library does, as lines of a log: `LogObserver`.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/observer.hpp>

namespace twiliowa {

/// How much a line matters. docs/logs.md says which event has which.
enum class LogLevel {
    debug,    ///< Every step: for who looks for something.
    info,     ///< What was done.
    warning,  ///< It went wrong, and goes on by itself.
    error,    ///< Somebody should look.
};
TWILIOWA_EXPORT std::string_view to_string(LogLevel level) noexcept;

/// How a line is written.
enum class LogFormat {
    json,  ///< One JSON object: for programs.
    text,  ///< `2026-11-21T06:10:00.123Z info result operation=messages.create`: for people.
};

/// Takes one line, without its end. Called by one thread at a time; the line is valid during the
/// call only. What it throws is dropped, and the line with it.
using LogSink = std::function<void(LogLevel level, std::string_view line)>;

/// Options of LogObserver.
struct LogOptions {
    LogLevel level = LogLevel::info;  ///< Lines below it are not written, and cost next to nothing.
    LogFormat format = LogFormat::json;  ///< How lines are written.
    std::shared_ptr<Clock> clock = {};   ///< Whose time lines have. Default: the machine's.
    /// What the calling thread works on, as the program names it, such as the id of an HTTP
    /// request: every line that the thread writes has it as `request`. Empty: the line has none.
    /// Called before each line that is written; the view is valid until the line is. A line is
    /// dropped if it throws.
    std::function<std::string_view()> request = {};
};

/// Writes one line for each event. Give one to `ClientOptions::observer`, `OutboxOptions::observer`
/// and whatever else takes an observer; with others by a CompositeObserver.
///
/// @code
/// const auto log = std::make_shared<LogObserver>([](LogLevel, std::string_view line) {
///     std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
/// });
/// options.observer = log;
/// @endcode
///
/// docs/logs.md lists the events, their members and units: they are an interface, as the names of
/// metrics are. No line holds a URL, a phone number, a text or a token; an id that events hold is
/// written if it is a SID. Lines are ASCII: everything else, and what is not printed, is escaped.
///
/// Thread-safe. A line waits for the one before to be written: a slow sink holds up the sends, so
/// let it put lines by. An event that the sink itself causes is not written. Memory for a line is
/// kept by each thread, and nothing is allocated once it is large enough.
class TWILIOWA_EXPORT LogObserver final : public Observer {
public:
    /// @throws InvalidRequestError if the sink is empty.
    explicit LogObserver(LogSink sink, const LogOptions& options = {});
    ~LogObserver() override;
    LogObserver(const LogObserver&) = delete;
    LogObserver& operator=(const LogObserver&) = delete;

    /// Name and value.
    using Field = std::pair<std::string_view, std::string_view>;
    /// A line of the program's own, in the same form: `event` and the names are letters, digits
    /// and `_`. Fields without a value are left out. What is private the program leaves out itself.
    void write(LogLevel level, std::string_view event,
               std::initializer_list<Field> fields = {}) noexcept;
    /// The same, of something that failed: after the fields `http_status`, and the members that the
    /// library's own lines have of an error. Twilio's own words are left out.
    void write(LogLevel level, std::string_view event, std::initializer_list<Field> fields,
               const Error& error) noexcept;

    /// As of Observer.
    void on_call(const CallEvent& event) noexcept override;
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
    void on_outbox_full(const OutboxFullEvent& event) noexcept override;
    /// As of Observer.
    void on_suspect_jobs(const SuspectJobsEvent& event) noexcept override;
    /// As of Observer.
    void on_pause(const PauseEvent& event) noexcept override;
    /// As of Observer.
    void on_breaker(const BreakerEvent& event) noexcept override;
    /// As of Observer.
    void on_outcome_told(const OutcomeToldEvent& event) noexcept override;
    /// As of Observer.
    void on_queue_failed(const QueueFailedEvent& event) noexcept override;
    /// As of Observer.
    void on_campaign(const CampaignEvent& event) noexcept override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
