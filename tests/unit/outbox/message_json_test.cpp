#include "outbox/message_json.hpp"

#include <doctest/doctest.h>

#include <string>

namespace message_json_test {

using namespace std::chrono_literals;
using twiliowa::OutboundMessage;
using twiliowa::detail::read_message_json;
using twiliowa::detail::write_message_json;

namespace {

/// One with every member.
OutboundMessage full_message() {
    OutboundMessage message;
    message.to = "+447700900123";
    message.from = "whatsapp:+14155238886";
    message.messaging_service_sid = "MG1";
    message.body = "line\n\"quoted\" \xe2\x82\xac";
    message.media_url = {"https://a.example/1.png"};
    message.content_sid = "HX1";
    message.content_variables = {{"2", "b"}, {"1", "a"}};
    message.content_variables.use_default("3");
    message.whitespace = twiliowa::WhitespacePolicy::normalise;
    message.persistent_action = {"geo:1,2|x"};
    message.status_callback = "https://a.example/s";
    message.application_sid = "AP1";
    message.schedule_type = "fixed";
    message.send_at = twiliowa::TimePoint{1'800'000'000s};
    message.validity_period = 60;
    message.attempt = 2;
    message.max_price = 0.5;
    message.provide_feedback = true;
    message.force_delivery = false;
    message.smart_encoded = true;
    message.shorten_urls = true;
    message.send_as_mms = false;
    message.content_retention = "retain";
    message.address_retention = "obfuscate";
    message.traffic_type = "free";
    message.risk_check = "disable";
    message.fallback_from = "+15005550006";
    message.extra = {{"New", "x"}, {"New", "y"}};
    message.fallback_content_sid = "HX2";
    message.fallback_variables.set("1", "c").use_all_defaults();
    message.category = twiliowa::TemplateCategory{"UTILITY"};
    message.message_intent = twiliowa::MessageIntent{"otp"};
    return message;
}

std::string field_of_json(std::string_view json) {
    const auto read = read_message_json(json);
    return read ? std::string{} : read.error().field();
}

}  // namespace

TEST_CASE("a message with every member survives being written and read") {
    const auto written = *write_message_json(full_message());
    const auto read = read_message_json(written).value();
    CHECK(*write_message_json(read) == written);
    CHECK(read.body == full_message().body);
    CHECK(read.send_at == full_message().send_at);
    CHECK(read.content_variables.uses_default("3"));
    CHECK_FALSE(read.content_variables.uses_all_defaults());
    CHECK(read.fallback_variables.uses_all_defaults());
    CHECK(read.extra == full_message().extra);
    CHECK(read.whitespace == twiliowa::WhitespacePolicy::normalise);
    // One name for each member of OutboundMessage; a new member has to be added there, too.
    std::size_t names = 0;
    for (const auto* name : {"to",
                             "from",
                             "messaging_service_sid",
                             "body",
                             "media_url",
                             "content_sid",
                             "variables",
                             "use_defaults",
                             "whitespace",
                             "persistent_action",
                             "status_callback",
                             "application_sid",
                             "schedule_type",
                             "send_at",
                             "validity_period",
                             "attempt",
                             "max_price",
                             "provide_feedback",
                             "force_delivery",
                             "smart_encoded",
                             "shorten_urls",
                             "send_as_mms",
                             "content_retention",
                             "address_retention",
                             "traffic_type",
                             "risk_check",
                             "fallback_from",
                             "extra",
                             "fallback_content_sid",
                             "fallback_variables",
                             "fallback_use_defaults",
                             "category",
                             "message_intent"}) {
        CHECK_MESSAGE(written.find('"' + std::string{name} + "\":") != std::string::npos, name);
        ++names;
    }
    CHECK(names == 33);
}

TEST_CASE("a message is written as one object, its names sorted, without blanks") {
    CHECK(*write_message_json(full_message()) ==
          R"({"address_retention":"obfuscate","application_sid":"AP1","attempt":2,)"
          R"("body":"line\n\"quoted\" )"
          "\xe2\x82\xac"
          R"(","category":"UTILITY","content_retention":"retain","content_sid":"HX1",)"
          R"("extra":[["New","x"],["New","y"]],"fallback_content_sid":"HX2",)"
          R"("fallback_from":"+15005550006","fallback_use_defaults":true,)"
          R"("fallback_variables":{"1":"c"},"force_delivery":false,"from":"whatsapp:+14155238886",)"
          R"("max_price":0.5,"media_url":["https://a.example/1.png"],"message_intent":"otp",)"
          R"("messaging_service_sid":"MG1","persistent_action":["geo:1,2|x"],)"
          R"("provide_feedback":true,"risk_check":"disable","schedule_type":"fixed",)"
          R"("send_as_mms":false,"send_at":1800000000,"shorten_urls":true,"smart_encoded":true,)"
          R"("status_callback":"https://a.example/s","to":"+447700900123","traffic_type":"free",)"
          R"("use_defaults":["3"],"validity_period":60,"variables":{"1":"a","2":"b"},)"
          R"("whitespace":"normalise"})");
    CHECK(*write_message_json({}) == "{}");
    CHECK(*write_message_json({.body = "\""}) == R"({"body":"\""})");
    CHECK(*write_message_json({.to = "a", .body = "\x01\x1f\x7f/\\"}) ==
          "{\"body\":\"\\u0001\\u001f\x7f/\\\\\",\"to\":\"a\"}");
}

TEST_CASE("the same message always gives the same text") {
    OutboundMessage one;
    one.to = "+447700900123";
    one.content_variables = {{"2", "b"}, {"1", "a"}};
    OutboundMessage other;
    other.content_variables = {{"1", "a"}, {"2", "b"}};
    other.to = "+447700900123";
    CHECK(*write_message_json(one) == *write_message_json(other));
    const auto spaced =
        read_message_json(R"( { "variables": {"2":"b", "1":"a"}, "to" : "+447700900123",
                                              "body": null } )");
    CHECK(*write_message_json(*spaced) == *write_message_json(one));
}

TEST_CASE("a message is read the same in whatever order, and with whatever blanks, it is written") {
    // As it is kept, which is read in one pass.
    const auto kept = read_message_json(
        R"({"body":"","content_sid":"HX1","to":"+44","variables":{"":"a","1":"\"b\"","2":"c"}})");
    const auto other = read_message_json(
        R"({"variables": {"2": "c", "1": "\"b\"", "": "a"}, "to": "+44", "media_url": [],)"
        R"( "content_sid": "HX1", "category": null})");
    REQUIRE(kept);
    REQUIRE(other);
    CHECK(write_message_json(*kept).value() == write_message_json(*other).value());
    CHECK(kept->content_variables.entries() == other->content_variables.entries());
    CHECK(kept->content_variables.entries().size() == 3);
    CHECK(kept->content_variables.entries()[1].second == "\"b\"");
}

TEST_CASE("what is not known or not of its kind is refused by name") {
    CHECK(field_of_json("") == "message");
    CHECK(field_of_json("[]") == "message");
    CHECK(field_of_json(R"({"to":"+44")") == "message");
    CHECK(field_of_json(R"({"bodi":"x"})") == "bodi");
    // It could be anybody's.
    CHECK(field_of_json(R"({"+447700900123":"x"})") == "message");
    CHECK(field_of_json(R"({"body":1})") == "body");
    CHECK(field_of_json(R"({"media_url":[1]})") == "media_url");
    CHECK(field_of_json(R"({"variables":["a"]})") == "variables");
    CHECK(field_of_json(R"({"variables":{"1":2}})") == "variables");
    CHECK(field_of_json(R"({"send_at":"tomorrow"})") == "send_at");
    CHECK(field_of_json(R"({"send_at":-1})") == "send_at");
    // The clock ends in 2262.
    CHECK(field_of_json(R"({"send_at":9223372037})") == "send_at");
    CHECK(read_message_json(R"({"to":"a","send_at":9223372036})"));
    CHECK(field_of_json(R"({"validity_period":-1})") == "validity_period");
    CHECK(field_of_json(R"({"extra":{"a":"b"}})") == "extra");
    CHECK(field_of_json(R"({"whitespace":"squeeze"})") == "whitespace");
    CHECK(field_of_json(R"({"to":"a","to":"b"})") == "message");
    CHECK(field_of_json(R"({"to":"a","from":"c","to":"b"})") == "message");
    CHECK(field_of_json(R"({"variables":{"":"a","":"b"}})") == "message");
    CHECK(field_of_json(R"({"variables":{"1":"a","2":"b","1":"a"}})") == "message");
    CHECK(field_of_json(R"({"variables":{"1":{"2":"a"}}})") == "variables");
    CHECK(field_of_json(R"("a")") == "message");
    CHECK(field_of_json(R"({"body":{"to":"a"}})") == "body");
    CHECK(field_of_json("{\"body\":\"\xff\"}") == "message");
    CHECK(field_of_json(R"({"extra":)" + std::string(100'000, '[')) == "message");
    CHECK(field_of_json(R"({"body":")" + std::string(300'000, 'x') + "\"}") == "message");
    CHECK_FALSE(write_message_json({.body = "\xff"}));
    OutboundMessage named;
    named.content_variables = {{"\xff", "a"}};
    CHECK_FALSE(write_message_json(named));
}

}  // namespace message_json_test
