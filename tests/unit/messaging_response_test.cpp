#include <twiliowa/messaging_response.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "support/show.hpp"

namespace messaging_response_test {

using namespace twiliowa;
using twiliowa::test::containing;

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
    CHECK(response.xml() == containing(R"(to="&quot;&lt;&gt;&amp;&#10;&#9;&#13;'")"));
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
    const auto frame = MessagingResponse{}.redirect("x").xml().size() - 1;
    const std::string most(MessagingResponse::max_bytes - frame, 'x');
    CHECK(MessagingResponse{}.redirect(most).xml().size() == MessagingResponse::max_bytes);
    const auto large = MessagingResponse{}.redirect(most + "x").try_xml();
    REQUIRE_FALSE(large);
    CHECK(large.error().code() == 11750);
    CHECK_THROWS_AS(MessagingResponse{}.redirect(most + "x").xml(), InvalidRequestError);

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

TEST_CASE("a body has 1600 characters at most, counted as the customer gets them") {
    const auto times = [](int count, std::string_view text) {
        std::string out;
        for (int i = 0; i < count; ++i) out += text;
        return out;
    };
    CHECK(MessagingResponse{times(1600, "\xf0\x9f\x98\x80")}.try_xml());
    CHECK(MessagingResponse{times(1600, "&")}.try_xml());
    CHECK(MessagingResponse{times(1600, "x") + "\x01\x02"}.try_xml());  // dropped
    CHECK(MessagingResponse{times(800, "x")}.message(times(1600, "x")).try_xml());

    for (const auto* character : {"x", "\xc3\xbc", "\xff"}) {  // the last becomes U+FFFD
        const auto refused = MessagingResponse{times(1601, character)}.try_xml();
        REQUIRE_FALSE(refused);
        CHECK(refused.error().field() == "Body");
        CHECK(refused.error().code() == 21617);
        CHECK_FALSE(refused.error().hint().empty());
    }
    CHECK_FALSE(MessagingResponse{"short"}.message(times(1601, "x")).try_xml());
}

TEST_CASE("a reply has the media that its recipient's channel takes") {
    const auto with_media = [](std::size_t count, const std::string& to = {}) {
        return MessagingResponse{}.message(
            {.media = std::vector<std::string>(count, "https://x.test/a"), .to = to});
    };
    const auto problem = [](const Result<std::string>& xml) {
        return xml ? std::string{} : xml.error().field() + "/" + std::to_string(xml.error().code());
    };
    CHECK(problem(with_media(1).try_xml_for("whatsapp:+447700900123")).empty());
    CHECK(problem(with_media(2).try_xml_for("whatsapp:+447700900123")) == "MediaUrl/21623");
    CHECK(problem(with_media(2).try_xml_for("whatsapp:GB.4f1a")) == "MediaUrl/21623");
    CHECK(problem(with_media(10).try_xml_for("+447700900123")).empty());
    CHECK(problem(with_media(11).try_xml_for("+447700900123")) == "MediaUrl/21623");
    CHECK(problem(with_media(10).try_xml()).empty());
    CHECK(problem(with_media(11).try_xml()) == "MediaUrl/21623");
    // `to` says who gets it, and so on which channel.
    const auto elsewhere = with_media(2, "+447700900124");
    CHECK(problem(elsewhere.try_xml_for("whatsapp:+447700900123")).empty());
    CHECK(problem(with_media(2, "whatsapp:+1").try_xml_for("+447700900123")) == "MediaUrl/21623");
    CHECK(problem(with_media(2, "whatsapp:+1").try_xml()) == "MediaUrl/21623");
    CHECK(*with_media(1).try_xml_for("whatsapp:+1") == with_media(1).xml());
}

}  // namespace messaging_response_test
