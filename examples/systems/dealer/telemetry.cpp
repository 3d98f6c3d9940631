#include "telemetry.hpp"

#include <cstdio>
#include <utility>

namespace dealer {

namespace wa = twiliowa;

namespace {

std::string number_or_nothing(int number) {
    return number == 0 ? std::string{} : std::to_string(number);
}

}  // namespace

Telemetry::Telemetry(wa::Sealer sealer) : sealer_(std::move(sealer)) {}

void Telemetry::line(std::string_view event, std::initializer_list<Field> fields) const {
    std::string text{event};
    for (const auto& [name, value] : fields) {
        if (value.empty()) continue;
        const bool quoted = value.find(' ') != std::string::npos;
        text.append(" ").append(name).append(quoted ? "='" : "=").append(value);
        if (quoted) text += '\'';
    }
    text += '\n';
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

std::string Telemetry::hash(std::string_view number) const {
    const auto index = sealer_.blind_index(number, "log/number");
    return index ? *index : std::string{};
}

void Telemetry::count_post(bool is_taken) {
    ++(is_taken ? posts_ : failed_posts_);
}

void Telemetry::set_redis_up(bool is_up) {
    redis_up_ = is_up;
}

void Telemetry::add_to(wa::MetricSamples& samples) const {
    samples.counter("dealer_help_desk_posts_total", "Entries that the help desk has taken.",
                    static_cast<double>(posts_));
    samples.counter("dealer_help_desk_failures_total", "Entries that it did not take.",
                    static_cast<double>(failed_posts_));
    samples.gauge("dealer_redis_up", "Whether Redis answered last.", redis_up_ ? 1 : 0);
}

void Telemetry::on_attempt(const wa::AttemptEvent& event) noexcept {
    if (event.error == nullptr) return;
    line("call failed", {{"operation", std::string{event.call.operation}},
                         {"attempt", std::to_string(event.attempt)},
                         {"http", number_or_nothing(event.http_status)},
                         {"code", number_or_nothing(event.error->code())},
                         {"problem", event.error->what()},
                         {"advice", std::string{event.error->advice().advice}}});
}

void Telemetry::on_webhook(const wa::WebhookResultEvent& event) noexcept {
    // A flood does not fill the log.
    if (event.http_status == 200 || event.outcome == wa::WebhookOutcome::too_many) return;
    line("webhook refused", {{"http", std::to_string(event.http_status)},
                             {"outcome", std::string{to_string(event.outcome)}},
                             {"problem", std::string{event.reason}}});
}

void Telemetry::on_inbox(const wa::InboxResultEvent& event) noexcept {
    if (event.outcome == wa::InboxOutcome::handled) return;
    line("webhook not handled", {{"sid", std::string{event.message_sid}},
                                 {"outcome", std::string{to_string(event.outcome)}},
                                 {"tries", std::to_string(event.tries)},
                                 {"problem", std::string{event.reason}}});
}

void Telemetry::on_limiter(const wa::LimiterEvent& event) noexcept {
    line(event.shared ? "the limit is shared" : "the limit is not shared",
         {{"processes", std::to_string(event.processes)},
          {"problem", event.error == nullptr ? std::string{} : event.error->what()}});
}

}  // namespace dealer
