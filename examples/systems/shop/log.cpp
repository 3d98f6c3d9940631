#include "log.hpp"

#include <cstdio>

#include <twiliowa/types/address.hpp>
#include <twiliowa/types/error_advice.hpp>

namespace shop {

namespace wa = twiliowa;

namespace {

std::string number_or_nothing(int number) {
    return number == 0 ? std::string{} : std::to_string(number);
}

}  // namespace

void Log::line(std::string_view event, std::initializer_list<Field> fields) const {
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

std::string Log::hash(std::string_view address) const {
    const auto read = wa::Address::parse(address);
    if (!read) return {};
    const auto index = sealer_.blind_index(read->wire(), "log/address");
    return index ? *index : std::string{};
}

void Log::outcome(const wa::JobOutcome& outcome) const {
    const auto& job = outcome.job;
    line(to_string(outcome.outcome),
         {{"job", job.id.str()},
          {"about", job.tag},
          {"campaign", job.campaign},
          {"sid", job.sid.str()},
          {"recipient", job.message ? hash(job.message->to) : std::string{}},
          {"code", number_or_nothing(job.error_code)},
          {"problem", job.problem},
          {"advice", std::string{wa::advise(job.error_code).advice}}});
}

void Log::on_attempt(const wa::AttemptEvent& event) noexcept {
    if (event.error == nullptr) return;
    line("call failed", {{"operation", std::string{event.call.operation}},
                         {"attempt", std::to_string(event.attempt)},
                         {"code", number_or_nothing(event.error->code())},
                         {"problem", event.error->what()},
                         {"advice", std::string{event.error->advice().advice}}});
}

void Log::on_webhook(const wa::WebhookResultEvent& event) noexcept {
    // What is not taken in may have been written by anybody.
    line("webhook", {{"sid", std::string{event.http_status == 200 ? event.message_sid : ""}},
                     {"http", std::to_string(event.http_status)},
                     {"outcome", std::string{to_string(event.outcome)}},
                     {"status", std::string{event.message_status}},
                     {"problem", std::string{event.reason}}});
}

void Log::on_quota_level(const wa::QuotaLevelEvent& event) noexcept {
    line("billing alert", {{"budget", std::string{event.quota}},
                           {"period", std::string{event.window}},
                           {"percent", std::to_string(event.percent)}});
}

}  // namespace shop
