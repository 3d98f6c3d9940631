#include <twiliowa/messaging_response.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace twiliowa;

namespace {

const std::string declaration = R"(<?xml version="1.0" encoding="UTF-8"?>)";

std::string body_of(std::string_view text) {
    const auto xml = MessagingResponse{text}.xml();
    const auto begin = xml.find("<Body>") + 6;
    return xml.substr(begin, xml.find("</Body>") - begin);
}

}  // namespace

TEST_CASE("an answer that says nothing is an empty Response") {
    CHECK(MessagingResponse{}.empty());
    CHECK(MessagingResponse{}.xml() == declaration + "<Response/>");
}

TEST_CASE("a reply has body, media and attributes; empty ones are left out") {
    MessagingResponse response;
    response.message("Hello").message({.body = "Look",
                                       .media = {"https://x.test/a?b=1&c=2"},
                                       .to = "whatsapp:+1",
                                       .from = "whatsapp:+2",
                                       .action = "https://x.test/s",
                                       .method = "POST",
                                       .status_callback = "https://x.test/t"});
    response.redirect("https://x.test/next?a=1&b=2", "GET").redirect("https://x.test/");
    CHECK(response.xml() ==
          declaration +
              "<Response><Message><Body>Hello</Body></Message>"
              "<Message to=\"whatsapp:+1\" from=\"whatsapp:+2\" action=\"https://x.test/s\" "
              "method=\"POST\" statusCallback=\"https://x.test/t\"><Body>Look</Body>"
              "<Media>https://x.test/a?b=1&amp;c=2</Media></Message>"
              "<Redirect method=\"GET\">https://x.test/next?a=1&amp;b=2</Redirect>"
              "<Redirect>https://x.test/</Redirect></Response>");
}

TEST_CASE("markup in text is escaped, so that nobody writes TwiML through a message") {
    CHECK(body_of("</Body></Message><Redirect>x</Redirect>&amp;") ==
          "&lt;/Body&gt;&lt;/Message&gt;&lt;Redirect&gt;x&lt;/Redirect&gt;&amp;amp;");
    CHECK(body_of("\"'") == "\"'");
    CHECK(body_of("a\r\nb\tc") == "a&#13;\nb\tc");
    MessagingResponse response;
    response.message({.body = "x", .to = "\"<>&\n\t\r'"});
    CHECK(response.xml().find(R"(to="&quot;&lt;&gt;&amp;&#10;&#9;&#13;'")") != std::string::npos);
}

TEST_CASE("characters that XML does not allow are dropped, bytes that are not UTF-8 replaced") {
    CHECK(body_of(std::string_view("a\0b\x01\x1f"
                                   "c\x7f",
                                   7)) == "abc\x7f");
    CHECK(body_of("a\xef\xbf\xbe\xef\xbf\xbf"
                  "b") == "ab");
    CHECK(body_of("\xf0\x9f\x98\x80\xc3\xbc") == "\xf0\x9f\x98\x80\xc3\xbc");
    CHECK(body_of("a\xff\xed\xa0\x80") == "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("what Twilio would refuse is refused here") {
    const auto frame = MessagingResponse{"x"}.xml().size() - 1;
    const std::string most(MessagingResponse::max_bytes - frame, 'x');
    CHECK(MessagingResponse{most}.xml().size() == MessagingResponse::max_bytes);
    const auto large = MessagingResponse{most + "x"}.try_xml();
    REQUIRE_FALSE(large);
    CHECK(large.error().code() == 11750);
    CHECK_THROWS_AS(MessagingResponse{most + "x"}.xml(), InvalidRequestError);

    MessagingResponse nothing;
    nothing.message(TwimlMessage{});
    CHECK(nothing.try_xml().error().field() == "Message");
    CHECK(MessagingResponse{"\x01"}.try_xml().error().field() == "Message");
    MessagingResponse no_url;
    no_url.message({.body = "x", .media = {"https://x.test/a", ""}});
    CHECK(no_url.try_xml().error().field() == "Media");
    CHECK(MessagingResponse{}.redirect("\x02").try_xml().error().field() == "Redirect");
    CHECK(MessagingResponse{}.redirect("").try_xml().error().field() == "Redirect");
}
