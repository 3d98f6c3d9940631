#include <twiliowa/webhook/inbound_filter.hpp>

#include <doctest/doctest.h>

namespace inbound_filter_test {

using namespace twiliowa;

TEST_CASE("a text is words and nothing else") {
    InboundMessage message;
    CHECK_FALSE(inbound::text()(message));
    message.body = " Stop!\n";
    CHECK(inbound::text()(message));
    CHECK(inbound::text("STOP!")(message));
    CHECK_FALSE(inbound::text("stop")(message));
    message.media.push_back({"https://x", "image/png"});
    CHECK_FALSE(inbound::text()(message));
    CHECK(inbound::any()(message));
}

TEST_CASE("what a flow or a button says was not typed") {
    InboundMessage flow;
    flow.body = "Sent";
    CHECK(inbound::text()(flow));
    flow.flow_data = "{}";
    CHECK_FALSE(inbound::text()(flow));
    InboundMessage tap;
    tap.body = "Share";
    tap.button_type = ButtonType{ButtonType::action};
    CHECK_FALSE(inbound::text()(tap));
}

TEST_CASE("media are told by type or by family") {
    InboundMessage message;
    CHECK_FALSE(inbound::media()(message));
    message.media = {{"a", "audio/ogg; codecs=opus"}, {"b", "IMAGE/PNG"}};
    CHECK(inbound::media()(message));
    CHECK(inbound::media("image/png")(message));
    CHECK(inbound::media("audio/")(message));
    CHECK(inbound::media("audio/ogg")(message));
    CHECK_FALSE(inbound::media("video/")(message));
    for (const std::string family : {"image", "image/*", "Image/", "*/*", "*"}) {
        CAPTURE(family);
        CHECK(inbound::media(family)(message));
    }
    CHECK_FALSE(inbound::media("imag")(message));
    CHECK_FALSE(inbound::media("video/*")(message));
    for (const std::string none :
         {"", "/", "/png", "*/png", "image/p*", "image//", "image/a/b", "a b"}) {
        CAPTURE(none);
        CHECK_THROWS_AS(inbound::media(none), InvalidRequestError);
    }
}

TEST_CASE("buttons and lists are told by what was chosen") {
    InboundMessage message;
    message.body = "Yes";
    CHECK_FALSE(inbound::button("Yes")(message));
    message.button = ButtonReply{};
    CHECK(inbound::button()(message));
    CHECK(inbound::button("Yes")(message));
    message.button->payload = "yes-1";
    CHECK(inbound::button("yes-1")(message));
    CHECK_FALSE(inbound::button("Yes")(message));

    message.list = ListReply{"tea", "Tea"};
    CHECK(inbound::list()(message));
    CHECK(inbound::list("tea")(message));
    CHECK_FALSE(inbound::list("coffee")(message));
}

TEST_CASE("places, flows, advertisements and people can be asked for") {
    InboundMessage message;
    message.from = "whatsapp:+447700900123";
    message.to = "whatsapp:+14155238886";
    CHECK_FALSE(inbound::location()(message));
    CHECK_FALSE(inbound::flow()(message));
    CHECK_FALSE(inbound::referral()(message));
    message.location = InboundLocation{};
    message.interactive_data = "{}";
    message.referral = Referral{};
    CHECK(inbound::location()(message));
    CHECK(inbound::flow()(message));
    CHECK(inbound::referral()(message));
    message.interactive_data = {};
    CHECK_FALSE(inbound::flow()(message));
    message.flow_data = "{}";
    CHECK(inbound::flow()(message));
    CHECK(inbound::from("whatsapp:+447700900123")(message));
    CHECK_FALSE(inbound::from("whatsapp:+1")(message));
    CHECK(inbound::to("whatsapp:+14155238886")(message));
}

TEST_CASE("filters combine") {
    InboundMessage message;
    message.body = "menu";
    const auto yes = inbound::text("menu");
    const auto no = inbound::media();
    CHECK((yes && !no)(message));
    CHECK((no || yes)(message));
    CHECK_FALSE((yes && no)(message));
    CHECK_FALSE((!yes || no)(message));
}

}  // namespace inbound_filter_test
