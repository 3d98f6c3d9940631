#include <twiliowa/log_observer.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/types/error_advice.hpp>

#include "support/show.hpp"

namespace log_observer_test {

using namespace twiliowa;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view a_message = "SM00000000000000000000000000000017";
constexpr std::string_view an_account = "AC00000000000000000000000000000001";
const std::string time_json = R"({"time":"2026-01-01T00:00:00.000Z",)";
const std::string time_text = "2026-01-01T00:00:00.000Z ";

struct Lines {
    std::vector<std::string> lines = {};
    std::vector<LogLevel> levels = {};
    LogSink sink() {
        return [this](LogLevel level, std::string_view line) {
            levels.push_back(level);
            lines.emplace_back(line);
        };
    }
};

LogOptions options_of(LogFormat format, LogLevel level = LogLevel::debug) {
    return {.level = level, .format = format, .clock = std::make_shared<testing::ManualClock>()};
}

std::string advice(int code) {
    return R"("advice":")" + std::string{advise(code).advice} + '"';
}

const CallInfo& call_17() {
    static const CallInfo call{.id = 0x17,
                               .operation = "messages.create",
                               .path_template = "/Accounts/{AccountSid}/Messages.json",
                               .account_sid = an_account,
                               .correlation_id = "request 1"};
    return call;
}

/// One of each event.
void tell_all(Observer& log) {
    const Error refused{{.kind = ErrorKind::api,
                         .effect = Effect::none,
                         .http_status = 400,
                         .code = 63016,
                         .summary = "Twilio refused it",
                         .message = "not to +447700900123"}};
    const Error away{{.kind = ErrorKind::timeout, .effect = Effect::none, .summary = "no answer"}};
    const auto renews = TimePoint{std::chrono::sys_days{std::chrono::year{2026} / 2 / 1}};
    log.on_call({.call = call_17()});
    log.on_attempt({.call = call_17(),
                    .attempt = 1,
                    .http_status = 400,
                    .request_id = "RQ1",
                    .error = &refused,
                    .duration = 12'345us,
                    .slot_wait = 2ms});
    log.on_retry(
        {.call = call_17(), .attempt = 1, .http_status = 429, .code = 20429, .delay = 500ms});
    log.on_result({.call = call_17(), .attempts = 1, .request_id = "RQ1", .duration = 80ms});
    log.on_webhook({.outcome = WebhookOutcome::taken_in,
                    .http_status = 200,
                    .kind = "status",
                    .message_sid = a_message,
                    .account_sid = an_account,
                    .duration = 900us,
                    .message_status = "undelivered",
                    .error_code = 63024});
    log.on_stale_template(
        {.content_sid = "HX00000000000000000000000000000001", .age = 2h, .error = away});
    log.on_number_changed_hands(
        {.scope = "shop", .number_key = "k1", .former_key = "k2", .present_key = "k3"});
    log.on_inbox({.outcome = InboxOutcome::dead,
                  .kind = "message",
                  .message_sid = a_message,
                  .account_sid = an_account,
                  .tries = 5,
                  .reason = "its handler threw",
                  .duration = 3ms,
                  .since_arrival = 2min});
    log.on_limiter({.shared = false, .processes = 2, .share_per_second = 12.5, .error = &away});
    log.on_quota_level({.quota = "acme",
                        .window = "day",
                        .is_plan = true,
                        .percent = 80,
                        .used = 80'500,
                        .limit = 100'000,
                        .renews = renews});
    log.on_quota_refused({.quota = "acme", .window = "minute", .limit = 30'000, .renews = renews});
    log.on_job({.change = JobChange::dead,
                .job = "0123456789abcdef0123",
                .before = "sending",
                .state = "dead",
                .reason = "refused",
                .problem = "the window is closed",
                .account = "acme",
                .tag = "order 7",
                .campaign = "spring",
                .lane = "bulk",
                .error_code = 63016,
                .attempts = 1,
                .since_created = 3s});
    log.on_outbox_full({.of_tenant = true, .limit = 10, .waiting = 11});
    log.on_suspect_jobs({.jobs = 7, .problem = "its storage was restored"});
    log.on_pause({.paused = true,
                  .of = "account",
                  .name = "acme",
                  .reason = "Twilio refused the account",
                  .by_itself = true,
                  .until = renews});
    log.on_breaker({.change = BreakerChange::opened,
                    .account = "acme",
                    .sender = "MG00000000000000000000000000000001",
                    .next_try = 15s});
    log.on_outcome_told({.job = "0123456789abcdef0123",
                         .outcome = "delivered",
                         .handled = true,
                         .duration = 2ms,
                         .since_outcome = 40ms});
    log.on_queue_failed({.queue = "outbox", .error = away});
    log.on_campaign(
        {.campaign = "spring", .before = "running", .phase = "paused", .problem = "too many fail"});
}

}  // namespace

TEST_CASE("log: each line says what its thread works on, if the program says that") {
    Lines out;
    auto options = options_of(LogFormat::text, LogLevel::info);
    std::string request = "4f1a";
    int asked = 0;
    options.request = [&]() -> std::string_view {
        ++asked;
        return request;
    };
    LogObserver log{out.sink(), options};
    log.on_result({.call = call_17(), .attempts = 1});
    log.write(LogLevel::info, "order_paid", {{"order", "7"}});
    request.clear();
    log.write(LogLevel::info, "order_paid", {{"order", "8"}});
    log.on_call({.call = call_17()});  // below the level
    CHECK(asked == 3);
    REQUIRE(out.lines.size() == 3);
    CHECK(out.lines[0].starts_with(time_text + "info result request=4f1a call_id="));
    CHECK(out.lines[1] == time_text + "info order_paid request=4f1a order=7");
    CHECK(out.lines[2] == time_text + "info order_paid order=8");
}

TEST_CASE(
    "log: a failure of the program's own is written as the library's, without Twilio's words") {
    Lines out;
    LogObserver log{out.sink(), options_of(LogFormat::json)};
    log.write(LogLevel::warning, "refused", {{"order", "7"}},
              Error{{.kind = ErrorKind::api,
                     .effect = Effect::none,
                     .http_status = 400,
                     .code = 63016,
                     .summary = "Twilio refused it",
                     .message = "not to +447700900123"}});
    REQUIRE(out.lines.size() == 1);
    CHECK(out.lines[0] ==
          time_json + R"("level":"warning","event":"refused","order":"7","http_status":400,)" +
              R"("error":"api","effect":"none","error_code":63016,"category":"window",)" +
              R"("problem":"refused by Twilio: Twilio refused it )" +
              R"([HTTP 400, code 63016, stage prepare, effect none]",)" + advice(63016) + "}");
}

TEST_CASE("log: one JSON line for each event, with its members in their order") {
    Lines out;
    LogObserver log{out.sink(), options_of(LogFormat::json)};
    tell_all(log);
    const std::string call =
        R"("call_id":"0000000000000017","operation":"messages.create",)"
        R"("account_sid":"AC00000000000000000000000000000001","correlation_id":"request 1")";
    const std::vector<std::string> expected{
        R"("level":"debug","event":"call",)" + call,
        R"("level":"debug","event":"attempt",)" + call +
            R"(,"attempt":1,"http_status":400,"request_id":"RQ1","error":"api","effect":"none",)"
            R"("error_code":63016,"category":"window","problem":"refused by Twilio: Twilio refused it )"
            R"([HTTP 400, code 63016, stage prepare, effect none]",)" +
            advice(63016) + "," + R"("duration_ms":12.345,"slot_wait_ms":2)",
        R"("level":"info","event":"retry",)" + call +
            R"(,"attempt":1,"http_status":429,"error_code":20429,"delay_ms":500)",
        R"("level":"info","event":"result",)" + call +
            R"(,"attempts":1,"request_id":"RQ1","duration_ms":80)",
        R"("level":"info","event":"webhook","outcome":"taken_in","http_status":200,)"
        R"("kind":"status","message_sid":"SM00000000000000000000000000000017",)"
        R"("account_sid":"AC00000000000000000000000000000001","message_status":"undelivered",)"
        R"("error_code":63024,)" +
            advice(63024) + R"(,"duration_ms":0.9)",
        R"("level":"warning","event":"stale_template",)"
        R"("content_sid":"HX00000000000000000000000000000001","age_ms":7200000,)"
        R"("error":"timeout","effect":"none","problem":"timed out: no answer [stage prepare, effect none]")",
        R"("level":"info","event":"number_changed_hands","scope":"shop","number_key":"k1",)"
        R"("former_key":"k2","present_key":"k3")",
        R"("level":"error","event":"inbox","outcome":"dead","kind":"message",)"
        R"("message_sid":"SM00000000000000000000000000000017",)"
        R"("account_sid":"AC00000000000000000000000000000001","tries":5,)"
        R"("problem":"its handler threw","duration_ms":3,"since_arrival_ms":120000)",
        R"("level":"warning","event":"limiter","shared":false,"processes":2,)"
        R"("share_per_second":12.5,"error":"timeout","effect":"none","problem":"timed out: no answer [stage prepare, effect none]")",
        R"("level":"warning","event":"quota_level","quota":"acme","window":"day","is_plan":true,)"
        R"("percent":80,"used":80.5,"limit":100,"renews":"2026-02-01T00:00:00.000Z")",
        R"("level":"warning","event":"quota_refused","quota":"acme","window":"minute",)"
        R"("is_plan":false,"left":0,"limit":30,"renews":"2026-02-01T00:00:00.000Z")",
        R"("level":"warning","event":"job","change":"dead","job":"0123456789abcdef0123",)"
        R"("before":"sending","state":"dead","reason":"refused","error_code":63016,)"
        R"("problem":"the window is closed",)" +
            advice(63016) +
            R"(,"account":"acme","tag":"order 7","campaign":"spring","lane":"bulk",)"
            R"("attempts":1,"since_created_ms":3000)",
        R"("level":"error","event":"outbox_full","of_tenant":true,"limit":10,"waiting":11)",
        R"("level":"error","event":"suspect_jobs","jobs":7,"problem":"its storage was restored")",
        R"("level":"error","event":"pause","paused":true,"of":"account","name":"acme",)"
        R"("problem":"Twilio refused the account","by_itself":true,)"
        R"("until":"2026-02-01T00:00:00.000Z")",
        R"("level":"error","event":"breaker","change":"opened","account":"acme",)"
        R"("sender":"MG00000000000000000000000000000001","next_try_ms":15000)",
        R"("level":"debug","event":"outcome_told","job":"0123456789abcdef0123",)"
        R"("outcome":"delivered","handled":true,"duration_ms":2,"since_outcome_ms":40)",
        R"("level":"error","event":"queue_failed","queue":"outbox","error":"timeout",)"
        R"("effect":"none","problem":"timed out: no answer [stage prepare, effect none]")",
        R"("level":"warning","event":"campaign","campaign":"spring","before":"running",)"
        R"("phase":"paused","problem":"too many fail")"};
    REQUIRE(out.lines.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(out.lines[i] == time_json + expected[i] + "}");
        CHECK(nlohmann::json::accept(out.lines[i]));
    }
}

TEST_CASE("log: for people the same members, quoted where they have to be") {
    Lines out;
    LogObserver log{out.sink(), options_of(LogFormat::text)};
    tell_all(log);
    REQUIRE(out.lines.size() == 19);
    CHECK(out.lines[3] == time_text +
                              "info result call_id=0000000000000017 operation=messages.create "
                              "account_sid=AC00000000000000000000000000000001 "
                              "correlation_id=\"request 1\" attempts=1 request_id=RQ1 "
                              "duration_ms=80");
    CHECK(out.lines[9] == time_text +
                              "warning quota_level quota=acme window=day is_plan=true percent=80 "
                              "used=80.5 limit=100 renews=2026-02-01T00:00:00.000Z");
    CHECK(out.lines[14] == time_text +
                               "error pause paused=true of=account name=acme "
                               "problem=\"Twilio refused the account\" by_itself=true "
                               "until=2026-02-01T00:00:00.000Z");
    // Both forms have the same members: each of the one is in the other.
    Lines json;
    LogObserver twin{json.sink(), options_of(LogFormat::json)};
    tell_all(twin);
    for (std::size_t i = 0; i < out.lines.size(); ++i) {
        const auto members = nlohmann::json::parse(json.lines[i]);
        for (const auto& member : members.items()) {
            const auto& name = member.key();
            if (name == "time" || name == "level" || name == "event") continue;
            CHECK(out.lines[i].find(" " + name + "=") != std::string::npos);
        }
    }
}

TEST_CASE("log: what is hostile is escaped, cut, or left out") {
    const std::string hostile = "a\"}\n{\\\x01\x7f\xff\xc3\xa9\xf0\x9f\x8d\x95\xe2\x80\xae" +
                                std::string(1, '\0') + "\x1b[31m";
    const CallInfo call{.id = ~std::uint64_t{0},
                        .operation = hostile,
                        .account_sid = "AC+447700900123",
                        .correlation_id = hostile};
    for (const auto format : {LogFormat::json, LogFormat::text}) {
        Lines out;
        LogObserver log{out.sink(), options_of(format)};
        log.on_call({.call = call});
        // Anybody may say so: it is not signed.
        log.on_webhook({.outcome = WebhookOutcome::bad_signature,
                        .message_sid = "+447700900123",
                        .account_sid = an_account,
                        .message_status = "+447700900123"});
        const auto long_one = std::string(100'000, '\n');
        log.on_job({.job = long_one, .problem = long_one, .message_sid = "whatsapp:+447700900123"});
        log.write(LogLevel::info, "a \"b", {{"c=d", hostile}});
        REQUIRE(out.lines.size() == 4);
        for (const auto& line : out.lines) {
            CHECK(line.find("447700900123") == std::string::npos);
            CHECK(line.size() < 12'000);
            for (const char c : line) CHECK((c >= 0x20 && c < 0x7f));
            if (format == LogFormat::json) CHECK(nlohmann::json::accept(line));
        }
        CHECK(out.lines[1].find(an_account) != std::string::npos);
        CHECK(out.lines[0].find(R"("a\"}\u000a{\\\u0001\u007f\ufffd\u00e9\ud83c\udf55\u202e)"
                                R"(\u0000\u001b[31m")") != std::string::npos);
        CHECK(out.lines[3].find("other") != std::string::npos);
    }
    Lines out;
    LogObserver log{out.sink(), options_of(LogFormat::json)};
    log.on_call({.call = call});
    const auto read = nlohmann::json::parse(out.lines[0]);
    CHECK(read["call_id"] == "ffffffffffffffff");
    CHECK(read["correlation_id"].get<std::string>().starts_with("a\"}\n{\\\x01\x7f"));
}

TEST_CASE("log: lines below the level are not written") {
    const std::pair<LogLevel, std::size_t> lines_at[] = {
        {LogLevel::debug, 19}, {LogLevel::info, 16}, {LogLevel::warning, 12}, {LogLevel::error, 6}};
    for (const auto& [level, count] : lines_at) {
        Lines out;
        LogObserver log{out.sink(), options_of(LogFormat::json, level)};
        tell_all(log);
        CHECK(out.lines.size() == count);
        for (const auto each : out.levels) CHECK(each >= level);
    }
}

TEST_CASE("log: what somebody has to look at is an error, what goes on by itself a warning") {
    Lines out;
    LogObserver log{out.sink(), options_of(LogFormat::json)};
    const auto level_of = [&](ErrorData data) {
        const Error error{std::move(data)};
        log.on_result({.call = call_17(), .attempts = 1, .error = &error});
        return out.levels.back();
    };
    CHECK(level_of({.kind = ErrorKind::outcome_unknown, .effect = Effect::unknown}) ==
          LogLevel::error);
    CHECK(level_of({.kind = ErrorKind::authentication, .effect = Effect::none, .code = 20003}) ==
          LogLevel::error);
    CHECK(level_of({.kind = ErrorKind::api, .effect = Effect::none, .code = 63016}) ==
          LogLevel::warning);
    const auto level_of_job = [&](JobEvent event) {
        log.on_job(event);
        return out.levels.back();
    };
    CHECK(level_of_job({.change = JobChange::held}) == LogLevel::error);
    CHECK(level_of_job({.change = JobChange::dead, .reason = "unknown"}) == LogLevel::error);
    CHECK(level_of_job({.change = JobChange::dead, .reason = "opted_out"}) == LogLevel::warning);
    CHECK(level_of_job({.change = JobChange::unknown}) == LogLevel::warning);
    CHECK(level_of_job({.change = JobChange::accepted}) == LogLevel::info);
    CHECK(level_of_job({.change = JobChange::looked}) == LogLevel::debug);
    log.on_pause({.paused = true, .of = "tenant"});
    CHECK(out.levels.back() == LogLevel::info);
    const auto level_of_webhook = [&](WebhookOutcome outcome) {
        log.on_webhook({.outcome = outcome, .http_status = 403});
        return out.levels.back();
    };
    CHECK(level_of_webhook(WebhookOutcome::bad_signature) == LogLevel::warning);
    CHECK(level_of_webhook(WebhookOutcome::too_many) == LogLevel::debug);
}

TEST_CASE("log: a sink that throws loses its line, and nothing else") {
    Lines out;
    bool fails = true;
    const auto sink = out.sink();
    LogObserver log{[&](LogLevel level, std::string_view line) {
                        if (fails) throw std::runtime_error("the disk is full");
                        sink(level, line);
                    },
                    options_of(LogFormat::json)};
    log.write(LogLevel::info, "first");
    fails = false;
    log.write(LogLevel::info, "second");
    REQUIRE(out.lines.size() == 1);
    CHECK(out.lines[0] == time_json + R"("level":"info","event":"second"})");
}

TEST_CASE("log: an event that the sink causes itself is not written, and waits for nobody") {
    std::vector<std::string> lines;
    LogObserver* its_log = nullptr;
    LogObserver log{[&](LogLevel, std::string_view line) {
                        its_log->write(LogLevel::error, "of_the_sink");
                        lines.emplace_back(line);
                    },
                    options_of(LogFormat::text)};
    its_log = &log;
    log.write(LogLevel::info, "first", {{"name", "value"}, {"empty", ""}});
    CHECK(lines == std::vector<std::string>{time_text + "info first name=value"});
}

TEST_CASE("log: an empty sink is refused by name") {
    try {
        LogObserver{LogSink{}};
        FAIL("was taken");
    } catch (const InvalidRequestError& error) {
        CHECK(error.error().field() == "sink");
    }
}

}  // namespace log_observer_test
