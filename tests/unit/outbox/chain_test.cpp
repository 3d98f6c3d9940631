/// What calls for the next message of a chain, and which that is.
#include "outbox/chain.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "outbox/fallback_json.hpp"

namespace chain_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using namespace twiliowa::detail;

namespace {

const TemplateCategory unsaid;
const TemplateCategory utility{TemplateCategory::utility};
const TemplateCategory marketing{TemplateCategory::marketing};

StoredJob failed(int code) {
    StoredJob job;
    job.state = JobState::undelivered;
    job.status = MessageStatus::undelivered;
    job.error_code = code;
    job.evidence = Evidence::callback;
    job.sid = "SM00000000000000000000000000000001";
    job.attempts.push_back({.number = 1, .state = AttemptState::sent, .sid = job.sid});
    return job;
}

Fallback sms(std::string_view body = "by SMS") {
    return {.message = OutboundText{.body = std::string{body}, .from = "sms:+15005550006"}};
}

Fallback other_template() {
    return {.message = OutboundTemplate{.content_sid = "HX00000000000000000000000000000001",
                                        .from = "+14155238886"},
            .when = FallbackWhen::window_closed};
}

OutboundMessage first(std::string_view to = "+447700900123") {
    return OutboundText{.to = std::string{to}, .body = "Hi", .from = "+14155238886"};
}

/// The field that is refused; empty: none is.
std::string refused(const std::vector<Fallback>& fallbacks, std::string_view key = "k") {
    const auto fit = check_fallbacks(fallbacks, key);
    return fit ? std::string{} : std::string{fit.error().field()};
}

}  // namespace

TEST_CASE("codes that say that WhatsApp does not reach somebody call for a fallback") {
    for (const int code : {63003, 63024, 63032, 63058}) {
        CAPTURE(code);
        for (const auto& category : {unsaid, utility, marketing}) {
            CHECK(called_for_by(code, category) == FallbackWhen::unreachable);
        }
    }
    CHECK(called_for_by(63016, unsaid) == FallbackWhen::window_closed);
    // Meta keeps marketing back: what is known to be something else may go by SMS.
    CHECK(called_for_by(63049, utility) == FallbackWhen::unreachable);
    CHECK(called_for_by(63049, TemplateCategory{TemplateCategory::authentication}) ==
          FallbackWhen::unreachable);
    CHECK(!called_for_by(63049, marketing));
    CHECK(!called_for_by(63049, TemplateCategory{"marketing"}));
    CHECK(!called_for_by(63049, unsaid));
}

TEST_CASE("no other code calls for one") {
    const int others[] = {0,                            // nothing was said
                          21610, 63033, 63050,          // opted out
                          63013, 21656,                 // the content
                          63018, 63017, 63038, 63021,   // too much, too fast
                          63015,                        // a sandbox
                          21211, 21212, 21408, 21614,   // no number
                          30003, 30005, 30006, 30007,   // of SMS
                          30001, 30008, 63001, 63005,   // Twilio's and WhatsApp's own
                          63041, 63042, 63051, 20003};  // template, account
    for (const int code : others) {
        CAPTURE(code);
        for (const auto& category : {unsaid, utility, marketing}) {
            CHECK(!called_for_by(code, category));
        }
    }
    int calling = 0;
    for (int code = 1; code < 100'000; ++code) {
        if (called_for_by(code, utility)) ++calling;
    }
    CHECK(calling == 6);
}

TEST_CASE("a job has failed if that is certain, final, and nobody's wish") {
    CHECK(has_failed(failed(63003)));
    auto job = failed(63003);
    job.status = MessageStatus::failed;
    CHECK(has_failed(job));
    job.status = MessageStatus::canceled;
    CHECK(!has_failed(job));
    job = failed(63003);
    job.attempts.push_back({.number = 2, .state = AttemptState::open});
    CHECK(!has_failed(job));
    for (const auto evidence : {Evidence::none, Evidence::list, Evidence::person}) {
        job = failed(63003);
        job.evidence = evidence;
        CHECK(!has_failed(job));
        job.state = JobState::accepted;
        CHECK(!may_overtake(job));
    }
    job = failed(63003);
    job.doubles.push_back("SM00000000000000000000000000000002");
    CHECK(!has_failed(job));
    job = failed(63003);
    job.cancel_requested = true;
    CHECK(!has_failed(job));
    for (const auto state :
         {JobState::ready, JobState::claimed, JobState::sending, JobState::unknown, JobState::held,
          JobState::accepted, JobState::delivered, JobState::cancelled}) {
        job = failed(63003);
        job.state = state;
        CHECK(!has_failed(job));
    }
    for (const auto reason : {DeadReason::exhausted, DeadReason::expired, DeadReason::opted_out,
                              DeadReason::unknown, DeadReason::no_consent, DeadReason::quiet}) {
        job = failed(63003);
        job.state = JobState::dead;
        job.reason = reason;
        CHECK(!has_failed(job));
    }
    // Refused before it left: of the code that it was refused with.
    job = failed(63016);
    job.state = JobState::dead;
    job.reason = DeadReason::refused;
    CHECK(has_failed(job));
}

TEST_CASE("by its time a step goes only for what is accepted, and nothing else") {
    auto job = failed(0);
    job.state = JobState::accepted;
    CHECK(may_overtake(job));
    job.cancel_requested = true;
    CHECK(!may_overtake(job));
    job = failed(0);
    CHECK(!may_overtake(job));
    job.state = JobState::accepted;
    job.attempts.push_back({.number = 2, .state = AttemptState::open});
    CHECK(!may_overtake(job));
}

TEST_CASE("a closed window asks for a template, and for an SMS where there is none") {
    const std::vector both{other_template(), sms()};
    CHECK(next_step_for(both, first(), FallbackWhen::window_closed) == 0);
    CHECK(next_step_for(both, first(), FallbackWhen::unreachable) == 1);
    const std::vector one{sms()};
    CHECK(next_step_for(one, first(), FallbackWhen::window_closed) == 0);
    const std::vector none{other_template()};
    CHECK(!next_step_for(none, first(), FallbackWhen::unreachable));
    CHECK(!next_step_in_time(both, first()));
    auto timed = both;
    timed[1].after_may_reach_twice = 30s;
    CHECK(next_step_in_time(timed, first()) == 1);
}

TEST_CASE("an SMS goes to the same number, and to nobody without one") {
    CHECK(message_of_step(sms(), first())->to == "sms:+447700900123");
    CHECK(message_of_step(other_template(), first())->to == "whatsapp:+447700900123");
    CHECK(!message_of_step(sms(), first("whatsapp:GB.1234abcd")));
    CHECK(message_of_step(other_template(), first("whatsapp:GB.1234abcd")));
    const std::vector both{other_template(), sms()};
    CHECK(!next_step_for(both, first("whatsapp:GB.1234abcd"), FallbackWhen::unreachable));
    Fallback by_service;
    by_service.message.body = "by SMS";
    by_service.message.messaging_service_sid = "MG00000000000000000000000000000001";
    CHECK(message_of_step(by_service, first())->to == "sms:+447700900123");
    by_service.when = FallbackWhen::window_closed;
    CHECK(message_of_step(by_service, first())->to == "whatsapp:+447700900123");
}

TEST_CASE("what cannot be meant is refused by its name") {
    CHECK(refused({}) == "");
    CHECK(refused({other_template(), sms(), sms()}) == "");
    CHECK(refused({sms(), sms(), sms(), sms()}) == "fallbacks");
    CHECK(refused({sms(), other_template()}) == "fallbacks[1].when");
    auto wrong = sms();
    wrong.message.to = "+447700900123";
    CHECK(refused({wrong}) == "fallbacks[0].message.to");
    wrong = sms();
    wrong.message.from = "+447700900999";
    CHECK(refused({wrong}) == "fallbacks[0].message.from");
    wrong.message.from = "Shop";
    CHECK(refused({wrong}) == "fallbacks[0].message.from");
    wrong.message.from.clear();
    CHECK(refused({wrong}) == "fallbacks[0].message.from");
    wrong = other_template();
    wrong.message.content_sid.clear();
    wrong.message.body = "Hi";
    CHECK(refused({wrong}) == "fallbacks[0].message.content_sid");
    wrong = sms();
    wrong.after_may_reach_twice = 0s;
    CHECK(refused({wrong}) == "fallbacks[0].after_may_reach_twice");
    wrong.after_may_reach_twice = std::chrono::hours{24 * 8};
    CHECK(refused({wrong}) == "fallbacks[0].after_may_reach_twice");
    CHECK(refused({sms()}, std::string(192, 'k')) == "key");
    CHECK(refused({sms()}, std::string(191, 'k')) == "");
}

TEST_CASE("fallbacks are read as they are written, and what is not known is refused") {
    auto timed = sms("Ihr Code: ü");
    timed.after_may_reach_twice = 30s;
    const std::vector all{other_template(), timed};
    const auto json = write_fallbacks_json(all).value();
    CHECK(json ==
          R"([{"message":{"content_sid":"HX00000000000000000000000000000001",)"
          R"("from":"+14155238886"},"when":"window_closed"},{"after_may_reach_twice":30,)"
          R"("message":{"body":"Ihr Code: ü","from":"sms:+15005550006"},"when":"unreachable"}])");
    const auto read = read_fallbacks_json(json).value();
    CHECK(write_fallbacks_json(read).value() == json);
    const auto field_of = [](std::string_view text) {
        const auto result = read_fallbacks_json(text);
        return result ? std::string{"none"} : std::string{result.error().field()};
    };
    CHECK(field_of("[]") == "none");
    CHECK(field_of(R"([{"message":{"body":"Hi"}}])") == "none");
    CHECK(field_of("{}") == "fallbacks");
    CHECK(field_of("[{},{},{},{}]") == "fallbacks");
    CHECK(field_of("[1]") == "fallbacks[0]");
    CHECK(field_of(R"([{"massage":{}}])") == "fallbacks[0]");
    CHECK(field_of(R"([{},{"when":"later"}])") == "fallbacks[1].when");
    CHECK(field_of(R"([{"after_may_reach_twice":"30"}])") == "fallbacks[0].after_may_reach_twice");
    CHECK(field_of(R"([{"after_may_reach_twice":1e30}])") == "fallbacks[0].after_may_reach_twice");
    CHECK(field_of(R"([{"message":[]}])") == "fallbacks[0].message");
    CHECK(field_of(R"([{"message":{"bodi":"Hi"}}])").starts_with("fallbacks[0].message"));
}

}  // namespace chain_test
