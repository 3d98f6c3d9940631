#include "messages_client/outbound_checks.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include <twiliowa/types/error.hpp>

#include "outbound_fixture.hpp"

namespace outbound_checks_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using namespace twiliowa::test;

namespace {

/// "field/code" of the refusal, or "" if it passes.
std::string refusal(const OutboundMessage& message,
                    const detail::OutboundDefaults& with = own_defaults()) {
    const auto checked = detail::check_outbound(message, with, now);
    if (checked) return {};
    const auto& error = checked.error();
    CHECK(error.kind() == ErrorKind::invalid_request);
    CHECK(error.effect() == Effect::none);
    CHECK(error.what() != containing("7700900123"));
    return error.field() + '/' + std::to_string(error.code());
}

template <class Change>
std::string refusal_after(Change change) {
    auto message = text();
    change(message);
    return refusal(message);
}

}  // namespace

TEST_CASE("recipients and senders are needed, of one channel, and not the same") {
    CHECK(refusal(text()).empty());
    CHECK(refusal_after([](auto& m) { m.to = ""; }) == "To/21604");
    CHECK(refusal_after([](auto& m) { m.to = "447700900123"; }) == "To/21211");
    CHECK(refusal_after([](auto& m) { m.from = "x"; }) == "From/21212");
    CHECK(refusal_after([](auto& m) { m.from = "sms:+15005550006"; }) == "From/21910");
    CHECK(refusal_after([](auto& m) { m.to = "+14155238886"; }) == "To/63031");
    CHECK(refusal(text(), {}) == "From/21603");
    CHECK(refusal_after([](auto& m) { m.messaging_service_sid = "MG1"; }) ==
          "MessagingServiceSid/0");
}

TEST_CASE("a sender of the other channel is told from a recipient of it") {
    const auto words = [](const std::string& to, const std::string& from) {
        auto message = text();
        message.to = to;
        message.from = from;
        const auto checked = detail::check_outbound(message, own_defaults(), now);
        REQUIRE_FALSE(checked);
        CHECK(checked.error().field() == "From");
        CHECK(checked.error().code() == 21910);
        return checked.error().data().summary + " / " + checked.error().hint();
    };
    const std::string sms_to_whatsapp =
        "is an SMS sender, and To is on WhatsApp / set from to whatsapp:+<number>, or write "
        "sms:+<number> in To to send SMS";
    const std::string whatsapp_to_sms =
        "is a WhatsApp sender, and To is an SMS number / set from to sms:+<number> to send SMS, "
        "or write To without sms:";
    CHECK(words("+447700900123", "sms:+15005550006") == sms_to_whatsapp);
    CHECK(words("sms:+447700900123", "+15005550006") == whatsapp_to_sms);
    CHECK(words("sms:+447700900123", "whatsapp:+15005550006") == whatsapp_to_sms);
    CHECK(words("sms:+447700900123", "") == whatsapp_to_sms);
}

TEST_CASE("content rules") {
    CHECK(refusal_after([](auto& m) { m.body = ""; }) == "Body/21619");
    CHECK(refusal_after([](auto& m) { m.body = std::string(1601, 'x'); }) == "Body/21617");
    CHECK(refusal_after([](auto& m) { m.body = std::string(1600, 'x'); }).empty());
    CHECK(refusal_after([](auto& m) {
              m.body.clear();
              for (int i = 0; i < 1600; ++i) m.body += "\xf0\x9f\x98\x80";
          }).empty());
    CHECK(refusal_after([](auto& m) { m.body = "\xff"; }) == "Body/21618");
    CHECK(refusal_after([](auto& m) { m.body = std::string("a\0b", 3); }) == "Body/21618");
    CHECK(refusal_after([](auto& m) { m.content_sid = "HX" + hex; }) == "Body/0");
    CHECK(refusal_after([](auto& m) {
              m.body = "";
              m.content_sid = "HX" + hex;
              m.media_url = {"https://x.test/a"};
          }) == "MediaUrl/0");
    CHECK(refusal_after([](auto& m) {
              m.body = "";
              m.content_sid = "HX1";
          }) == "ContentSid/21655");
    CHECK(refusal_after([](auto& m) {
              m.content_variables = {{"1", "a"}};
          }) == "ContentVariables/21654");
    CHECK(refusal_after([](auto& m) {
              m.body = "";
              m.content_sid = "HX" + hex;
              m.content_variables = {{"1", ""}};
          }) == "ContentVariables/21656");
}

TEST_CASE("media: one http(s) URL on WhatsApp, ten on SMS") {
    CHECK(refusal_after([](auto& m) { m.media_url = {"https://x.test/a"}; }).empty());
    CHECK(refusal_after([](auto& m) {
              m.media_url = {"https://x.test/a", "https://x.test/b"};
          }) == "MediaUrl/21623");
    CHECK(refusal_after([](auto& m) {
              m.to = "sms:+447700900123";
              m.from = "sms:+15005550006";
              m.media_url = {"https://x.test/a", "https://x.test/b"};
          }).empty());
    for (const char* url : {"", "ftp://x.test/a", "x.test/a", "https://", "https:///a",
                            "https://x.test/a b", "https://x.test/\n"}) {
        CAPTURE(url);
        CHECK(refusal_after([&](auto& m) { m.media_url = {url}; }) == "MediaUrl/21620");
    }
}

TEST_CASE("a location needs a name and a place on the map") {
    const auto place = [](double latitude, double longitude, std::string name) {
        return refusal(OutboundLocation{.to = "+447700900123",
                                        .latitude = latitude,
                                        .longitude = longitude,
                                        .name = std::move(name)});
    };
    CHECK(place(90, 180, "Pole").empty());
    CHECK(place(1, 1, "") == "Body/0");
    CHECK(place(90.1, 0, "x") == "PersistentAction/0");
    CHECK(place(0, -180.1, "x") == "PersistentAction/0");
    CHECK(place(std::nan(""), 0, "x") == "PersistentAction/0");
    CHECK(place(std::numeric_limits<double>::infinity(), 0, "x") == "PersistentAction/0");
    CHECK(place(std::numeric_limits<double>::max(), 0, "x") == "PersistentAction/0");
    CHECK(refusal_after([](auto& m) { m.persistent_action = {"tel:1"}; }) == "PersistentAction/0");
}

TEST_CASE("scheduling needs a messaging service and a time 5 minutes to 35 days ahead") {
    const auto at = [](std::chrono::seconds ahead, bool with_service = true) {
        return refusal_after([&](auto& m) {
            if (with_service) m.messaging_service_sid = service;
            m.send_at = now + ahead;
        });
    };
    CHECK(at(300s).empty());
    CHECK(at(35 * 24h).empty());
    CHECK(at(299s) == "SendAt/35115");
    CHECK(at(-1h) == "SendAt/35115");
    CHECK(at(35 * 24h + 1s) == "SendAt/35117");
    CHECK(at(1h, false) == "MessagingServiceSid/35118");
    CHECK(refusal_after([](auto& m) { m.schedule_type = "fixed"; }) == "SendAt/35114");
    CHECK(refusal_after([](auto& m) { m.schedule_type = "daily"; }) == "ScheduleType/35114");
}

TEST_CASE("the other parameters are checked where Twilio documents their values") {
    CHECK(refusal_after([](auto& m) { m.status_callback = "nowhere"; }) == "StatusCallback/21609");
    CHECK(refusal_after([](auto& m) { m.status_callback = "https://my_host.test/"; }) ==
          "StatusCallback/21609");
    CHECK(refusal_after([](auto& m) { m.status_callback = "https://my-host.test/a_b"; }).empty());
    CHECK(refusal_after([](auto& m) { m.validity_period = 0; }) == "ValidityPeriod/21624");
    CHECK(refusal_after([](auto& m) { m.validity_period = 36001; }) == "ValidityPeriod/21624");
    CHECK(refusal_after([](auto& m) { m.content_retention = "keep"; }) == "ContentRetention/30029");
    CHECK(refusal_after([](auto& m) { m.address_retention = "x"; }) == "AddressRetention/30030");
    CHECK(refusal_after([](auto& m) { m.traffic_type = "x"; }) == "TrafficType/0");
    CHECK(refusal_after([](auto& m) { m.risk_check = "x"; }) == "RiskCheck/0");
    CHECK(refusal_after([](auto& m) { m.application_sid = "x"; }) == "ApplicationSid/21218");
    CHECK(refusal_after([](auto& m) { m.attempt = 0; }) == "Attempt/0");
    CHECK(refusal_after([](auto& m) { m.max_price = std::nan(""); }) == "MaxPrice/0");
    CHECK(refusal_after([](auto& m) { m.shorten_urls = true; }) == "ShortenUrls/0");
}

TEST_CASE("an intent is a word, known or not, of letters, digits, _ and -, up to 64 of them") {
    const auto with = [](std::string_view word) {
        return refusal_after([&](auto& m) { m.message_intent = MessageIntent{word}; });
    };
    for (const auto word :
         {MessageIntent::announcements, MessageIntent::customercare, MessageIntent::delivery,
          MessageIntent::education, MessageIntent::events, MessageIntent::fraud,
          MessageIntent::marketing, MessageIntent::notifications, MessageIntent::otp,
          MessageIntent::polling, MessageIntent::security}) {
        CAPTURE(word);
        CHECK(with(word).empty());
    }
    CHECK(with("").empty());
    CHECK(with("Of_next-Year2").empty());
    CHECK(with(std::string(64, 'a')).empty());
    for (const std::string& bad :
         {std::string(65, 'a'), std::string{"two words"}, std::string{"otp\n"},
          std::string{"\0", 1}, std::string{"caf\u00e9"}, std::string{"a.b"},
          std::string{"\xff"}}) {
        CAPTURE(bad);
        CHECK(with(bad) == "MessageIntent/0");
    }
}

TEST_CASE("extra parameters pass unchecked and stand in for what is missing") {
    OutboundMessage message;
    message.extra = {{"To", "anything"}, {"From", "x"}, {"Body", ""}};
    CHECK(refusal(message, {}).empty());
}

TEST_CASE("an authentication template goes to numbers only, as WhatsApp has it") {
    OutboundMessage message;
    message.content_sid = "HX" + hex;
    message.category = TemplateCategory{"authentication"};
    message.to = "+447700900123";
    CHECK(detail::check_outbound(message, own_defaults(), now).has_value());
    for (const auto* const id : {"whatsapp:GB.4f1a", "whatsapp:GB.ENT.4f1a"}) {
        message.to = id;
        const auto refused = detail::check_outbound(message, own_defaults(), now);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().field() == "To");
        CHECK(refused.error().what().find("needs a phone number") != std::string::npos);
        CHECK(refused.error().what().find("4f1a") == std::string::npos);
    }
    message.category = TemplateCategory{TemplateCategory::utility};
    CHECK(detail::check_outbound(message, own_defaults(), now).has_value());
}

}  // namespace outbound_checks_test
