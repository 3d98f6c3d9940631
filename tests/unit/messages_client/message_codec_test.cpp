#include "messages_client/message_codec.hpp"

#include <doctest/doctest.h>

#include <string>

namespace message_codec_test {

using namespace twiliowa;
using twiliowa::detail::Decoded;

namespace {

const std::string sid = "SM" + std::string(32, 'a');

Message decoded(std::string_view json, Decoded expected = Decoded::complete) {
    Message message;
    CHECK(detail::decode_message(json, message) == expected);
    return message;
}

}  // namespace

TEST_CASE("every field of a message is read") {
    const auto m = decoded(R"({"account_sid":"ACx","api_version":"2010-04-01","body":"Hi \u00e9",
        "date_created":"Thu, 24 Aug 2023 05:01:45 +0000","date_sent":null,
        "date_updated":"2023-08-24T05:01:46Z","direction":"outbound-api","error_code":30008,
        "error_message":"m","from":"whatsapp:+1","messaging_service_sid":"MGx","num_media":"1",
        "num_segments":"2","price":"-0.00750","price_unit":"USD","sid":")" +
                           sid + R"(",
        "status":"queued","subresource_uris":{"media":"/m","feedback":"/f","sid":"no"},
        "to":"whatsapp:+2","uri":"/u"})");
    CHECK(m.sid.str() == sid);
    CHECK(m.account_sid == "ACx");
    CHECK(m.api_version == "2010-04-01");
    CHECK(m.body == "Hi \xc3\xa9");
    REQUIRE(m.date_created);
    CHECK(m.date_created->time_since_epoch() == std::chrono::seconds{1692853305});
    CHECK_FALSE(m.date_sent);
    REQUIRE(m.date_updated);
    CHECK(*m.date_updated - *m.date_created == std::chrono::seconds{1});
    CHECK(m.direction == Direction::outbound_api);
    CHECK(m.error_code == 30008);
    CHECK(m.error_message == "m");
    CHECK(m.from == "whatsapp:+1");
    CHECK(m.messaging_service_sid == "MGx");
    CHECK(m.num_media == 1);
    CHECK(m.num_segments == 2);
    CHECK(m.price == "-0.00750");
    CHECK(m.price_unit == "USD");
    CHECK(m.status == MessageStatus::queued);
    CHECK(m.media_uri == "/m");
    CHECK(m.feedback_uri == "/f");
    CHECK(m.to == "whatsapp:+2");
    CHECK(m.uri == "/u");
}

TEST_CASE("missing, null, wrongly typed and unknown fields are passed over") {
    const auto m = decoded(R"({"sid":")" + sid + R"(","to":7,"body":["a",{"sid":"x"}],
        "status":{"a":{"b":[1]}},"num_media":99999999999999999999,"num_segments":1.5,
        "error_code":"30008","date_created":"yesterday","new":{"sid":"SMother"},"price":true,
        "subresource_uris":[]})");
    CHECK(m.sid.str() == sid);
    CHECK(m.to.empty());
    CHECK(m.body.empty());
    CHECK(m.status.empty());
    CHECK_FALSE(m.num_media);
    CHECK_FALSE(m.num_segments);
    CHECK(m.error_code == 30008);
    CHECK_FALSE(m.date_created);
}

TEST_CASE("what is not a JSON object is broken; fields before the fault are kept") {
    for (const char* text : {"", "null", "[]", "\"x\"", "<html>", "{", "{\"a\"", "\x00", "nul"}) {
        CAPTURE(text);
        decoded(text, Decoded::broken);
    }
    CHECK(decoded(R"({"sid":")" + sid + R"(","to":"whats)", Decoded::broken).sid.str() == sid);
    decoded(std::string(1'000'000, '['), Decoded::broken);
}

TEST_CASE("a page gives its messages and its next link, in any order of fields") {
    for (const auto& json :
         {R"({"next_page_uri":"/n","messages":[{"sid":")" + sid + R"(","body":"1"},{"body":"2"}]})",
          R"({"messages":[{"sid":")" + sid + R"(","body":"1"},{"body":"2"}],"next_page_uri":"/n",
              "page":0,"meta":{"next_page_uri":"/wrong","messages":[{"body":"no"}]}})"}) {
        Page<Message> page;
        CHECK(detail::decode_message_page(json, page) == Decoded::complete);
        REQUIRE(page.items.size() == 2);
        CHECK(page.items[0].sid.str() == sid);
        CHECK(page.items[1].body == "2");
        CHECK(page.next == "/n");
    }
}

TEST_CASE("an empty page is a page; an object without a list is not") {
    Page<Message> page;
    CHECK(detail::decode_message_page(R"({"messages":[],"next_page_uri":null})", page) ==
          Decoded::complete);
    CHECK(page.items.empty());
    CHECK(page.next.empty());
    CHECK(detail::decode_message_page(R"({"code":20003})", page) == Decoded::broken);
    CHECK(detail::decode_message_page(R"({"messages":{"sid":"x"}})", page) == Decoded::broken);
    CHECK(detail::decode_message_page(R"({"messages":[1,"x",null,[],{"body":"a"}]})", page) ==
          Decoded::complete);
    CHECK(page.items.size() == 1);
}

TEST_CASE("a page of media gives its media") {
    Page<Media> page;
    CHECK(detail::decode_media_page(
              R"({"media_list":[{"sid":"ME1","content_type":"image/jpeg","parent_sid":"MM1",
                 "uri":"/x","account_sid":"AC","date_created":"Thu, 24 Aug 2023 05:01:45 +0000"}]})",
              page) == Decoded::complete);
    REQUIRE(page.items.size() == 1);
    CHECK(page.items[0].sid.str() == "ME1");
    CHECK(page.items[0].content_type == "image/jpeg");
    CHECK(page.items[0].date_created.has_value());
}

}  // namespace message_codec_test
