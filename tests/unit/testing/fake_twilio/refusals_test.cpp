#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>

#include "wire.hpp"

namespace refusals_test {

using namespace twiliowa;
using namespace fake_test;
using twiliowa::testing::FakeContent;

namespace {

/// Refused with that code, and nothing is kept.
void check_no_message(const Twilio& twilio, const Form& form, int code, int status = 400) {
    CAPTURE(code);
    check_refused(twilio.create(form), status, code);
    CHECK(twilio.fake->messages().empty());
}

}  // namespace

TEST_CASE("FakeTwilio refuses a message whose recipient cannot be") {
    const Twilio twilio;
    const auto text = text_form();
    SUBCASE("no recipient") {
        check_no_message(twilio, with(text, "To", ""), 21604);
    }
    SUBCASE("a recipient that is no address") {
        for (const auto* to :
             {"nobody", "whatsapp:", "whatsapp:447700900123", "+0123456789", "+44 7700 900123",
              "whatsapp:whatsapp:+447700900123", "+123", "+1234567890123456", "messenger:1"}) {
            CAPTURE(to);
            check_no_message(twilio, with(text, "To", to), 21211);
        }
    }
    SUBCASE("a message to oneself") {
        check_no_message(twilio, with(text, "To", std::string{sender}), 63031);
    }
}

TEST_CASE("FakeTwilio refuses a message whose sender cannot be") {
    const Twilio twilio;
    const auto text = text_form();
    SUBCASE("no sender") {
        check_no_message(twilio, with(text, "From", ""), 21603);
    }
    SUBCASE("an unknown sender") {
        check_no_message(twilio, with(text, "From", "whatsapp:+14155550000"), 63007);
        check_no_message(twilio, with(with(text, "To", "+447700900123"), "From", "+14155550000"),
                         21660);
        check_no_message(twilio, with(with(text, "To", "+447700900123"), "From", "?"), 21212);
        // A messaging service has a parameter of its own.
        check_no_message(twilio, with(text, "From", service), 21212);
    }
    SUBCASE("two channels") {
        check_no_message(twilio, with(text, "To", "+447700900123"), 21910);
    }
}

TEST_CASE("FakeTwilio refuses a message through a messaging service that cannot send it") {
    const Twilio twilio;
    const auto text = text_form();
    SUBCASE("a messaging service that is not there") {
        check_no_message(twilio, with(text, "MessagingServiceSid", "MG123"), 21705);
        check_no_message(
            twilio, with(text, "MessagingServiceSid", "MG0000000000000000000000000000000f"), 21701);
    }
    SUBCASE("a messaging service without a sender") {
        const std::string empty = "MG0000000000000000000000000000000e";
        twilio.fake->add_messaging_service(account, empty);
        check_no_message(twilio, with(with(text, "From", ""), "MessagingServiceSid", empty), 21703);
    }
}

TEST_CASE("FakeTwilio refuses a message that says nothing, or too much") {
    const Twilio twilio;
    const auto text = text_form();
    SUBCASE("nothing to say") {
        check_no_message(twilio, with(text, "Body", ""), 21619);
    }
    SUBCASE("too long a body, in characters") {
        check_no_message(twilio, with(text, "Body", std::string(1601, 'x')), 21617);
    }
    SUBCASE("a NUL in the body") {
        check_no_message(twilio, with(text, "Body", std::string("a\0b", 3)), 21618);
    }
}

TEST_CASE("FakeTwilio refuses media that cannot be fetched") {
    const Twilio twilio;
    const auto text = text_form();
    SUBCASE("a media URL that is none") {
        for (const auto* url : {"picture.png", "ftp://example.org/a", "https://", "https:///a",
                                "https://exa mple.org/"}) {
            CAPTURE(url);
            check_no_message(twilio, with(text, "MediaUrl", url), 21620);
        }
    }
    SUBCASE("more than ten media URLs") {
        auto form = text;
        for (int i = 0; i < 11; ++i) form.emplace_back("MediaUrl", "https://example.org/a.png");
        check_no_message(twilio, form, 21623);
    }
}

TEST_CASE("FakeTwilio refuses a template that is not there") {
    const Twilio twilio;
    const auto text = text_form();
    SUBCASE("an unknown template") {
        check_no_message(twilio,
                         with(template_form(), "ContentSid", "HX0000000000000000000000000000000f"),
                         21655);
        check_no_message(twilio, with(template_form(), "ContentSid", "nonsense"), 21655);
    }
    SUBCASE("variables without a template") {
        check_no_message(twilio, with(text, "ContentVariables", "{}"), 21654);
    }
}

TEST_CASE("FakeTwilio refuses variables that do not fit the template") {
    const Twilio twilio;
    SUBCASE("variables that cannot be") {
        for (const auto* variables :
             {"not json", "[]", "\"1\"", "null", R"({"1":null})", R"({"1":""})", R"({"1":7})",
              R"({"1":{"a":"b"}})", R"({"3":"undeclared"})", R"({"":"x"})", R"({"1":"a")"}) {
            CAPTURE(variables);
            check_no_message(twilio, template_form(variables), 21656);
        }
        check_no_message(twilio, template_form(std::string(100'000, '[')), 21656);
        check_no_message(twilio, template_form(R"({"1":")" + std::string(1601, 'x') + R"("})"),
                         21658);
    }
    SUBCASE("a second variable for a one-time code") {
        FakeContent code;
        code.types = R"({"whatsapp/authentication":{"actions":[]}})";
        const auto sid = twilio.fake->add_content(account, code);
        check_no_message(
            twilio, with(template_form(R"({"1":"123456","2":"x"})"), "ContentSid", sid), 21656);
    }
    SUBCASE("variables for a template that has none") {
        FakeContent fixed;
        fixed.body = "Always the same";
        const auto sid = twilio.fake->add_content(account, fixed);
        check_no_message(twilio, with(template_form(R"({"1":"a"})"), "ContentSid", sid), 21656);
    }
}

TEST_CASE("FakeTwilio refuses a schedule that cannot be kept") {
    const Twilio twilio;
    const auto text = text_form();
    auto scheduled = with(with(text, "ScheduleType", "fixed"), "SendAt", "2026-01-02T00:00:00Z");
    check_no_message(twilio, scheduled, 35118);
    scheduled = with(scheduled, "MessagingServiceSid", service);
    check_no_message(twilio, with(scheduled, "ScheduleType", ""), 35114);
    check_no_message(twilio, with(scheduled, "SendAt", ""), 35114);
    check_no_message(twilio, with(scheduled, "SendAt", "tomorrow"), 35114);
    check_no_message(twilio, with(scheduled, "SendAt", "2026-01-01T00:04:59Z"), 35115);
    check_no_message(twilio, with(scheduled, "SendAt", "2025-01-01T00:00:00Z"), 35115);
    check_no_message(twilio, with(scheduled, "SendAt", "2026-02-05T00:00:01Z"), 35117);
}

TEST_CASE("FakeTwilio refuses options out of range") {
    const Twilio twilio;
    const auto text = text_form();
    check_no_message(twilio, with(text, "ValidityPeriod", "0"), 21624);
    check_no_message(twilio, with(text, "ValidityPeriod", "36001"), 21624);
    check_no_message(twilio, with(text, "StatusCallback", "example.org"), 21609);
    check_no_message(twilio, with(text, "StatusCallback", "https://bad_host.example.org/"), 21609);
    check_no_message(twilio, with(text, "StatusCallback", "https://me:x@bad_host.example.org/"),
                     21609);
    check_no_message(twilio, with(text, "ApplicationSid", "AP1"), 21218);
    check_no_message(twilio, with(text, "ContentRetention", "keep"), 30029);
    check_no_message(twilio, with(text, "AddressRetention", "keep"), 30030);
}

TEST_CASE("FakeTwilio refuses what the account may not send") {
    const Twilio twilio;
    const auto text = text_form();
    SUBCASE("an unverified number on a trial account") {
        twilio.fake->set_trial(account, {"+447700900999"});
        check_no_message(twilio, text, 21608);
    }
    SUBCASE("a recipient who opted out") {
        twilio.fake->opt_out(sender, recipient);
        check_no_message(twilio, text, 21610);
        check_no_message(twilio, with(with(text, "From", ""), "MessagingServiceSid", service),
                         21610);
    }
    SUBCASE("a daily limit that is used up") {
        twilio.fake->set_daily_limit(account, 0);
        check_no_message(twilio, text, 63038, 429);
    }
}

TEST_CASE("FakeTwilio refuses a template whose variables would make it grow without measure") {
    const Twilio twilio;
    FakeContent greedy;
    for (int i = 0; i < 10'000; ++i) greedy.body += "{{1}}";
    greedy.variables = {{"1", "x"}};
    const auto sid = twilio.fake->add_content(account, greedy);
    const auto form = [&](const std::string& variables) {
        return with(template_form(variables), "ContentSid", sid);
    };
    check_no_message(twilio, form(R"({"1":")" + std::string(1600, 'x') + R"("})"), 21658);
    CHECK(twilio.create(form("")).status == 201);
}

TEST_CASE("FakeTwilio counts a template's own text and its variables' defaults as well") {
    const Twilio twilio;
    const auto form_of = [&](FakeContent made) {
        return with(template_form(), "ContentSid",
                    twilio.fake->add_content(account, std::move(made)));
    };
    FakeContent wordy;
    wordy.body = std::string(300'000, 'x') + "{{1}}";
    wordy.variables = {{"1", "x"}};
    check_no_message(twilio, form_of(wordy), 21658);
    FakeContent greedy;
    for (int i = 0; i < 10'000; ++i) greedy.body += "{{1}}";
    greedy.variables = {{"1", std::string(100, 'x')}};
    check_no_message(twilio, form_of(greedy), 21658);
}

}  // namespace refusals_test
