#include "messages_client/outbound_form.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "outbound_fixture.hpp"

namespace outbound_form_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using namespace twiliowa::test;

namespace {

std::string encoded(const OutboundMessage& message) {
    const auto with = own_defaults();
    return detail::encode_outbound(detail::check_outbound(message, with, now).value());
}

}  // namespace

TEST_CASE("a text, a template, a medium and a location are encoded as Twilio wants them") {
    CHECK(encoded(text()) ==
          "To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B14155238886&Body=Hi");
    CHECK(encoded(OutboundTemplate{
              .to = "+447700900123", .content_sid = "HX" + hex, .variables = {{"1", "Lee"}}}) ==
          "To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B14155238886&ContentSid=HX" + hex +
              "&ContentVariables=%7B%221%22%3A%22Lee%22%7D");
    CHECK(encoded(OutboundMedia{.to = "+447700900123", .media_url = "https://x.test/a.jpg"}) ==
          "To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B14155238886&"
          "MediaUrl=https%3A%2F%2Fx.test%2Fa.jpg");
    const auto place = encoded(OutboundLocation{.to = "+447700900123",
                                                .latitude = 37.78789,
                                                .longitude = -122.391664,
                                                .name = "Office",
                                                .label = "375 Beale St"});
    CHECK(place.find("PersistentAction=geo%3A37.787890%2C-122.391664%7C375+Beale+St") !=
          std::string::npos);
    CHECK(place.find("Body=Office") != std::string::npos);
}

TEST_CASE("all parameters are sent under Twilio's names") {
    auto message = text();
    message.messaging_service_sid = service;
    message.from = "+14155238886";
    message.status_callback = "https://example.com/cb";
    message.application_sid = "AP" + hex;
    message.send_at = now + 1h;
    message.validity_period = 600;
    message.attempt = 2;
    message.max_price = 0.5;
    message.provide_feedback = true;
    message.force_delivery = false;
    message.smart_encoded = true;
    message.shorten_urls = false;
    message.send_as_mms = false;
    message.content_retention = "discard";
    message.address_retention = "obfuscate";
    message.traffic_type = "free";
    message.risk_check = "disable";
    message.fallback_from = "+15005550006";
    message.message_intent = MessageIntent{MessageIntent::otp};
    message.extra = {{"Tomorrow", "1"}};
    CHECK(encoded(message) ==
          "To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B14155238886&MessagingServiceSid=" +
              service + "&Body=Hi&StatusCallback=https%3A%2F%2Fexample.com%2Fcb&ApplicationSid=AP" +
              hex +
              "&ScheduleType=fixed&SendAt=2026-11-21T01%3A00%3A00Z&ValidityPeriod=600&Attempt=2"
              "&MaxPrice=0.5&ProvideFeedback=true&ForceDelivery=false&SmartEncoded=true"
              "&ShortenUrls=false&SendAsMms=false&ContentRetention=discard"
              "&AddressRetention=obfuscate&TrafficType=free&RiskCheck=disable"
              "&FallbackFrom=%2B15005550006&MessageIntent=otp&Tomorrow=1");
}

TEST_CASE("a template, a text, a medium and a location each say what they are for") {
    const MessageIntent intent{MessageIntent::delivery};
    const auto says_it = [](const OutboundMessage& message) {
        return encoded(message).ends_with("&MessageIntent=delivery");
    };
    CHECK(says_it(OutboundTemplate{
        .to = "+447700900123", .content_sid = "HX" + hex, .message_intent = intent}));
    CHECK(says_it(OutboundText{.to = "+447700900123", .body = "Hi", .message_intent = intent}));
    CHECK(says_it(OutboundMedia{
        .to = "+447700900123", .media_url = "https://x.test/a.jpg", .message_intent = intent}));
    CHECK(says_it(
        OutboundLocation{.to = "+447700900123", .name = "Office", .message_intent = intent}));
}

TEST_CASE(
    "the client's messaging service and callback are sent where the message leaves them open") {
    auto with = own_defaults();
    with.from = {};
    with.messaging_service_sid = MessagingServiceSid{service};
    with.status_callback = "https://example.com/cb";
    const auto message = text();
    CHECK(detail::encode_outbound(detail::check_outbound(message, with, now).value()) ==
          "To=whatsapp%3A%2B447700900123&MessagingServiceSid=" + service +
              "&Body=Hi&StatusCallback=https%3A%2F%2Fexample.com%2Fcb");
}

}  // namespace outbound_form_test
