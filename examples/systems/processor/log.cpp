#include "log.hpp"

#include <cstdio>

namespace processor {

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

void Log::failure(std::string_view event, const std::string& job_id, const wa::Error& error) const {
    line(event, {{"job", job_id},
                 {"http", number_or_nothing(error.http_status())},
                 {"code", number_or_nothing(error.code())},
                 {"problem", error.what()},
                 {"advice", std::string{error.advice().advice}}});
}

std::string Log::hash(std::string_view number) const {
    const auto index = sealer_.blind_index(number, "log/number");
    return index ? *index : std::string{};
}

void CallLog::on_attempt(const wa::AttemptEvent& event) noexcept {
    if (event.error == nullptr) return;
    log_.line("call failed", {{"operation", std::string{event.call.operation}},
                              {"http", number_or_nothing(event.http_status)},
                              {"code", number_or_nothing(event.error->code())},
                              {"problem", event.error->what()},
                              {"advice", std::string{event.error->advice().advice}}});
}

void CallLog::on_webhook(const wa::WebhookResultEvent& event) noexcept {
    if (event.http_status == 200) return;
    log_.line("webhook refused", {{"http", number_or_nothing(event.http_status)},
                                  {"outcome", std::string{to_string(event.outcome)}},
                                  {"problem", std::string{event.reason}}});
}

}  // namespace processor
