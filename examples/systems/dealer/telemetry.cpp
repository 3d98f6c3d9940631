#include "telemetry.hpp"

#include <cstdio>
#include <limits>
#include <sstream>

namespace dealer {

namespace wa = twiliowa;

namespace {

std::string number_or_nothing(int number) {
    return number == 0 ? std::string{} : std::to_string(number);
}

constexpr std::pair<double, const char*> buckets[] = {
    {2, "2"}, {5, "5"}, {10, "10"}, {30, "30"}, {std::numeric_limits<double>::infinity(), "+Inf"}};

std::string bucket(const char* bound) {
    return std::string("dealer_processing_seconds_bucket{le=\"") + bound + "\"}";
}

constexpr std::string_view processing = "dealer_processing_seconds";

std::string_view family_of(std::string_view name) {
    return name.starts_with(processing) ? processing : name.substr(0, name.find('{'));
}

const char* type_of(std::string_view family) {
    if (family == processing) return "histogram";
    return family.ends_with("_total") ? "counter" : "gauge";
}

}  // namespace

Telemetry::Telemetry(wa::Sealer sealer) : sealer_(std::move(sealer)) {
    // From the start, so that a rate has something to begin from.
    for (const char* name :
         {"webhook_requests_total{source=\"twilio\"}",
          "webhook_signature_errors_total{source=\"twilio\"}", "twilio_messages_sent_total",
          "twilio_send_failures_total", "twilio_rate_limit_exceeded_total{side=\"send\"}",
          "twilio_rate_limit_exceeded_total{side=\"webhook\"}", "dealer_dead_letters_total",
          "dealer_processing_seconds_count", "dealer_processing_seconds_sum"}) {
        values_[name] = 0;
    }
    for (const auto& [bound, text] : buckets) values_[bucket(text)] = 0;
}

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

void Telemetry::count(const std::string& name) {
    const std::lock_guard lock{mutex_};
    ++values_[name];
}

void Telemetry::set(const std::string& name, double value) {
    const std::lock_guard lock{mutex_};
    values_[name] = value;
}

std::string Telemetry::metrics() const {
    std::ostringstream text;
    text.precision(15);
    std::string_view before;
    const std::lock_guard lock{mutex_};
    for (const auto& [name, value] : values_) {
        const auto family = family_of(name);
        if (family != before) text << "# TYPE " << family << ' ' << type_of(family) << '\n';
        before = family;
        text << name << ' ' << value << '\n';
    }
    return text.str();
}

void Telemetry::processed(std::chrono::microseconds since_arrival) {
    const double seconds = std::chrono::duration<double>(since_arrival).count();
    const std::lock_guard lock{mutex_};
    for (const auto& [bound, text] : buckets) {
        if (seconds <= bound) ++values_[bucket(text)];
    }
    ++values_["dealer_processing_seconds_count"];
    values_["dealer_processing_seconds_sum"] += seconds;
}

void Telemetry::on_attempt(const wa::AttemptEvent& event) noexcept {
    if (event.error == nullptr) return;
    if (event.http_status == 429) count("twilio_rate_limit_exceeded_total{side=\"send\"}");
    line("call failed", {{"operation", std::string{event.call.operation}},
                         {"attempt", std::to_string(event.attempt)},
                         {"http", number_or_nothing(event.http_status)},
                         {"code", number_or_nothing(event.error->code())},
                         {"problem", event.error->what()},
                         {"advice", std::string{event.error->advice().advice}}});
}

void Telemetry::on_webhook(const wa::WebhookResultEvent& event) noexcept {
    count("webhook_requests_total{source=\"twilio\"}");
    if (event.outcome == wa::WebhookOutcome::bad_signature ||
        event.outcome == wa::WebhookOutcome::recut) {
        count("webhook_signature_errors_total{source=\"twilio\"}");
    }
    if (event.outcome == wa::WebhookOutcome::too_many) {
        count("twilio_rate_limit_exceeded_total{side=\"webhook\"}");
        return;  // A flood does not fill the log, too.
    }
    if (event.http_status == 200) return;
    line("webhook refused", {{"http", std::to_string(event.http_status)},
                             {"outcome", std::string{to_string(event.outcome)}},
                             {"problem", std::string{event.reason}}});
}

void Telemetry::on_inbox(const wa::InboxResultEvent& event) noexcept {
    if (event.outcome == wa::InboxOutcome::handled) {
        if (event.kind == "message") processed(event.since_arrival);
        return;
    }
    if (event.outcome == wa::InboxOutcome::dead) count("dealer_dead_letters_total");
    line("webhook not handled", {{"sid", std::string{event.message_sid}},
                                 {"outcome", std::string{to_string(event.outcome)}},
                                 {"tries", std::to_string(event.tries)},
                                 {"problem", std::string{event.reason}}});
}

void Telemetry::on_limiter(const wa::LimiterEvent& event) noexcept {
    set("dealer_limit_is_shared", event.shared ? 1 : 0);
    line(event.shared ? "the limit is shared" : "the limit is not shared",
         {{"processes", std::to_string(event.processes)},
          {"problem", event.error == nullptr ? std::string{} : event.error->what()}});
}

}  // namespace dealer
