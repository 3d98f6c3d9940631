#include "log.hpp"

#include <openssl/rand.h>

#include <array>
#include <cstdio>
#include <stdexcept>

#include <twiliowa/types/address.hpp>
#include <twiliowa/types/error.hpp>

namespace registration {

namespace wa = twiliowa;

namespace {

std::string number_or_nothing(int number) {
    return number == 0 ? std::string{} : std::to_string(number);
}

/// What has no SID has an id of its own.
std::string request_of(std::string_view message_sid) {
    return message_sid.empty() ? new_request_id() : std::string(message_sid);
}

}  // namespace

std::string new_request_id() {
    std::array<unsigned char, 8> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        throw std::runtime_error("the system gives no randomness");
    }
    return hex(bytes);
}

std::string hex(std::span<const unsigned char> bytes) {
    std::string text;
    for (const unsigned byte : bytes) {
        for (const auto digit : {byte >> 4U, byte & 15U}) text += "0123456789abcdef"[digit];
    }
    return text;
}

void Log::line(std::string_view event, std::string_view request,
               std::initializer_list<Field> fields) const {
    std::string text{event};
    text.append(" request=").append(request);
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

void Log::outcome(const wa::JobOutcome& outcome) const {
    const auto& job = outcome.job;
    const int http = job.attempts.empty() ? 0 : job.attempts.back().http_status;
    line(to_string(outcome.outcome), job.tag,
         {{"job", job.id.str()},
          {"sid", job.sid.str()},
          {"recipient", job.message ? hash(job.message->to) : std::string{}},
          {"http", number_or_nothing(http)},
          {"code", number_or_nothing(job.error_code)},
          {"problem", job.problem},
          {"advice", std::string{wa::advise(job.error_code).advice}}});
}

std::string Log::hash(std::string_view address) const {
    const auto read = wa::Address::parse(address);
    if (!read) return {};
    const auto index = sealer_.blind_index(read->wire(), "log/address");
    return index ? *index : std::string{};
}

void CallLog::on_attempt(const wa::AttemptEvent& event) noexcept {
    if (event.error == nullptr) return;
    log_.line("call failed", "call-" + std::to_string(event.call.id),
              {{"operation", std::string{event.call.operation}},
               {"http", number_or_nothing(event.http_status)},
               {"code", number_or_nothing(event.error->code())},
               {"problem", event.error->what()},
               {"advice", std::string{event.error->advice().advice}}});
}

void CallLog::on_webhook(const wa::WebhookResultEvent& event) noexcept {
    // What is not taken in may have been written by anybody.
    const std::string sid{event.http_status == 200 ? event.message_sid : ""};
    log_.line("webhook", request_of(sid),
              {{"sid", sid},
               {"http", number_or_nothing(event.http_status)},
               {"outcome", std::string{to_string(event.outcome)}},
               {"kind", std::string{event.kind}},
               {"problem", std::string{event.reason}}});
}

void CallLog::on_inbox(const wa::InboxResultEvent& event) noexcept {
    log_.line("inbox", request_of(event.message_sid),
              {{"sid", std::string{event.message_sid}},
               {"outcome", std::string{to_string(event.outcome)}},
               {"kind", std::string{event.kind}},
               {"tries", number_or_nothing(event.tries)},
               {"problem", std::string{event.reason}}});
}

}  // namespace registration
