#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>

#include "wire.hpp"

namespace create_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using namespace fake_test;
using nlohmann::json;
using twiliowa::testing::FakeContent;

TEST_CASE("FakeTwilio answers a created message with every field of the API") {
    const Twilio twilio;
    const auto response = twilio.create(text_form());
    CHECK(response.status == 201);
    CHECK(response.header("content-type") == "application/json");
    const auto request_id = response.header("Twilio-Request-Id");
    CHECK(request_id.starts_with("RQ"));
    CHECK(request_id.size() == 34);
    CHECK(response.header("Twilio-Concurrent-Requests") == "1");
    CHECK_FALSE(response.header("Twilio-Request-Duration").empty());

    const auto message = json::parse(response.body);
    const std::string sid = message["sid"];
    CHECK(sid.starts_with("SM"));
    CHECK(sid.size() == 34);
    const json expected = {
        {"account_sid", account},
        {"api_version", "2010-04-01"},
        {"body", "Hello"},
        {"date_created", "Thu, 01 Jan 2026 00:00:00 +0000"},
        {"date_sent", nullptr},
        {"date_updated", "Thu, 01 Jan 2026 00:00:00 +0000"},
        {"direction", "outbound-api"},
        {"error_code", nullptr},
        {"error_message", nullptr},
        {"from", sender},
        {"messaging_service_sid", nullptr},
        {"num_media", "0"},
        {"num_segments", "1"},
        {"price", nullptr},
        {"price_unit", "USD"},
        {"sid", sid},
        {"status", "queued"},
        {"subresource_uris",
         {{"media", message_path(sid, "/Media")}, {"feedback", message_path(sid, "/Feedback")}}},
        {"to", recipient},
        {"uri", message_path(sid)},
    };
    CHECK(message == expected);
}

TEST_CASE("FakeTwilio accepts a message through a messaging service and picks the sender later") {
    const Twilio twilio;
    auto form = with(text_form(), "From", "");
    form.emplace_back("MessagingServiceSid", service);
    const auto message = twilio.created(form);
    CHECK(message["status"] == "accepted");
    CHECK(message["from"].is_null());
    CHECK(message["num_segments"] == "0");
    CHECK(message["messaging_service_sid"] == service);

    twilio.fake->set_status(message["sid"].get<std::string>(), "sent");
    const auto sent = twilio.fake->message(message["sid"].get<std::string>());
    REQUIRE(sent);
    CHECK(sent->from == sender);
    CHECK(sent->num_segments == 1);
}

TEST_CASE("FakeTwilio keeps a scheduled message") {
    const Twilio twilio;
    auto form = text_form();
    form.insert(form.end(), {{"MessagingServiceSid", service},
                             {"ScheduleType", "fixed"},
                             {"SendAt", "2026-01-02T00:00:00Z"}});
    const auto message = twilio.created(form);
    CHECK(message["status"] == "scheduled");
    CHECK(message["date_sent"].is_null());
}

TEST_CASE("FakeTwilio renders a template with its variables and defaults") {
    const Twilio twilio;
    CHECK(twilio.created(template_form(R"({"1":"Lee","2":"42"})"))["body"] ==
          "Hi Lee, your order 42 is on its way");
    CHECK(twilio.created(template_form(R"({"1":"Lee"})"))["body"] ==
          "Hi Lee, your order 0000 is on its way");
    CHECK(twilio.created(template_form())["body"] == "Hi there, your order 0000 is on its way");
    CHECK(twilio.created(template_form("{}"))["body"] == "Hi there, your order 0000 is on its way");
    CHECK(twilio.created(template_form(R"({"1":"{{2}}"})"))["body"] ==
          "Hi {{2}}, your order 0000 is on its way");
}

TEST_CASE("FakeTwilio renders named variables and leaves what has no value") {
    const Twilio twilio;
    FakeContent greeting;
    greeting.body = "{{ name }}: {{code}} {{name}} {{";
    const auto sid = twilio.fake->add_content(account, greeting);
    CHECK(sid.starts_with("HX"));
    auto form = with(template_form(R"({"name":"Zo\u00eb"})"), "ContentSid", sid);
    CHECK(twilio.created(form)["body"] == "Zo\u00eb: {{code}} Zo\u00eb {{");
}

TEST_CASE("FakeTwilio takes one file on WhatsApp and drops the others") {
    const Twilio twilio;
    auto form = text_form();
    form.emplace_back("MediaUrl", "https://example.org/a.png");
    form.emplace_back("MediaUrl", "https://example.org/b.pdf");
    const auto message = twilio.created(form);
    CHECK(message["num_media"] == "1");
    CHECK(message["sid"].get<std::string>().starts_with("MM"));
}

TEST_CASE("FakeTwilio keeps every parameter, known to it or not") {
    const Twilio twilio;
    auto form = text_form();
    for (const auto* name :
         {"ProvideFeedback", "ForceDelivery", "SmartEncoded", "ShortenUrls", "SendAsMms"}) {
        form.emplace_back(name, "true");
    }
    form.insert(form.end(), {{"StatusCallback", "https://example.org/status"},
                             {"ApplicationSid", "AP00000000000000000000000000000001"},
                             {"MaxPrice", "0.5"},
                             {"Attempt", "1"},
                             {"ValidityPeriod", "600"},
                             {"ContentRetention", "retain"},
                             {"AddressRetention", "obfuscate"},
                             {"PersistentAction", "geo:51.5,-0.1|London"},
                             {"TrafficType", "free"},
                             {"RiskCheck", "disable"},
                             {"FallbackFrom", "+15005550006"},
                             {"MessageIntent", "of_next_year"}});
    CHECK(twilio.fake->parameters(twilio.created_sid(form)) == form);
}

TEST_CASE("FakeTwilio sends SMS from a number of the account and counts its segments") {
    const Twilio twilio;
    twilio.fake->add_sender(account, "+15005550006");
    const Form form{
        {"To", "+447700900123"}, {"From", "+15005550006"}, {"Body", std::string(161, 'a')}};
    CHECK(twilio.created(form)["num_segments"] == "2");
}

TEST_CASE("FakeTwilio counts the characters of a body, not its bytes") {
    const Twilio twilio;
    std::string body;
    for (int i = 0; i < 1600; ++i) body += "\u00e9";
    CHECK(twilio.create(with(text_form(), "Body", body)).status == 201);
}

TEST_CASE("FakeTwilio reaches a WhatsApp user id") {
    const Twilio twilio;
    CHECK(twilio.create(with(text_form(), "To", "whatsapp:GB.4f1a")).status == 201);
}

TEST_CASE("FakeTwilio lets through what a limit allows") {
    const Twilio twilio;
    SUBCASE("a verified number on a trial account") {
        twilio.fake->set_trial(account, {recipient});
        CHECK(twilio.create(text_form()).status == 201);
        twilio.fake->set_trial(account, {});
        CHECK(twilio.create(text_form()).status == 400);
        twilio.fake->end_trial(account);
        CHECK(twilio.create(text_form()).status == 201);
    }
    SUBCASE("a recipient who came back") {
        twilio.fake->opt_out(sender, recipient);
        twilio.fake->opt_in(sender, recipient);
        CHECK(twilio.create(text_form()).status == 201);
    }
    SUBCASE("a new day, and refused messages that do not count") {
        twilio.fake->set_daily_limit(account, 1);
        CHECK(twilio.create(with(text_form(), "Body", "")).status == 400);
        CHECK(twilio.create(text_form()).status == 201);
        CHECK(twilio.create(text_form()).status == 429);
        twilio.clock().advance(24h);
        CHECK(twilio.create(text_form()).status == 201);
    }
    SUBCASE("the ends of the schedule") {
        auto form =
            with(with(text_form(), "ScheduleType", "fixed"), "MessagingServiceSid", service);
        CHECK(twilio.create(with(form, "SendAt", "2026-01-01T00:05:00Z")).status == 201);
        CHECK(twilio.create(with(form, "SendAt", "2026-02-05T00:00:00Z")).status == 201);
    }
}

}  // namespace create_test
