#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <twiliowa/request_validator.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>

#include "fixture.hpp"
#include "testing/fake_twilio/messages/twiml.hpp"
#include "testing/fake_twilio/world/webhook_url.hpp"

namespace webhook_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using fake_test::Conversation;
using fake_test::field;
using fake_test::last_of;
using twiliowa::testing::FakeCustomer;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::fake::FakeWebhookUrl;
using Statuses = std::vector<std::string>;

namespace {

WebhookResponse twiml(std::string body) {
    return {200, {{"Content-Type", "text/xml"}}, std::move(body)};
}

Result<WebhookResponse> unreachable() {
    return Error::transport(Effect::none, Stage::connect, "refused");
}

Result<WebhookResponse> silent() {
    return Error::transport(Effect::unknown, Stage::receive, "no answer");
}

}  // namespace

TEST_CASE("FakeTwilio sends a customer's message as Twilio does") {
    Conversation talk;
    talk.lee().named("Lee");
    const auto sid = talk.lee().sends_text("Hello & good day");
    CHECK(talk.inbound.empty());
    talk.fake->run_until_idle();
    REQUIRE(talk.inbound.size() == 1);
    const auto& fields = talk.inbound.at(0);
    CHECK(field(fields, "MessageSid") == sid);
    CHECK(field(fields, "SmsSid") == sid);
    CHECK(field(fields, "SmsMessageSid") == sid);
    CHECK(field(fields, "AccountSid") == FakeTwilio::demo_account_sid);
    CHECK(field(fields, "MessagingServiceSid") == FakeTwilio::demo_messaging_service_sid);
    CHECK(field(fields, "From") == "whatsapp:+447700900123");
    CHECK(field(fields, "To") == FakeTwilio::demo_sender);
    CHECK(field(fields, "Body") == "Hello & good day");
    CHECK(field(fields, "NumMedia") == "0");
    CHECK(field(fields, "NumSegments") == "1");
    CHECK(field(fields, "ProfileName") == "Lee");
    CHECK(field(fields, "WaId") == "447700900123");
    CHECK(field(fields, "MessageType") == "text");
    CHECK(field(fields, "ApiVersion") == "2010-04-01");

    const auto& request = talk.requests.at(0);
    CHECK(request.method == "POST");
    CHECK(request.scheme == "https");
    CHECK(request.target == "/inbound");
    CHECK(find_header(request.headers, "Host") == "example.com");
    CHECK(find_header(request.headers, "User-Agent") == "TwilioProxy/1.1");
    CHECK(find_header(request.headers, "I-Twilio-Idempotency-Token").size() == 36);
    const RequestValidator validator{FakeTwilio::demo_auth_token};
    CHECK(validator.validate({.url = "https://example.com/inbound",
                              .content_type = find_header(request.headers, "Content-Type"),
                              .body = request.body,
                              .signature = find_header(request.headers, "X-Twilio-Signature")}));

    const auto record = talk.client.fetch(MessageSid{sid});
    CHECK(record.status == MessageStatus::received);
    CHECK(record.direction == Direction::inbound);
    CHECK(record.body == "Hello & good day");
}

TEST_CASE("FakeTwilio sends every kind of a customer's message") {
    Conversation talk;
    const auto last = [&](const std::string& name) {
        talk.fake->run_until_idle();
        return field(last_of(talk.inbound), name);
    };
    SUBCASE("a file, which can be downloaded") {
        talk.lee().sends_media("bytes\x01\xff", "image/jpeg", "Look");
        CHECK(last("NumMedia") == "1");
        CHECK(last("MessageType") == "image");
        CHECK(last("MediaContentType0") == "image/jpeg");
        HttpRequest request;
        request.url = last("MediaUrl0");
        CHECK(talk.fake->handle(request).status == 401);
        request.authorization = talk.fake->credentials().authorization();
        const auto file = talk.fake->handle(request);
        CHECK(file.status == 200);
        CHECK(file.header("Content-Type") == "image/jpeg");
        CHECK(file.body == "bytes\x01\xff");
    }
    SUBCASE("a place") {
        talk.lee().sends_location(37.78789, -122.391664, "Office", "375 Beale St");
        CHECK(last("MessageType") == "location");
        CHECK(last("Latitude") == "37.78789");
        CHECK(last("Longitude") == "-122.391664");
        CHECK(last("Label") == "Office");
        CHECK(last("Address") == "375 Beale St");
    }
    SUBCASE("an answer to a message") {
        const auto original = talk.send_template();
        talk.lee().replies(original.sid.str(), "Thanks");
        CHECK(last("OriginalRepliedMessageSid") == original.sid.str());
        CHECK(last("OriginalRepliedMessageSender") == FakeTwilio::demo_sender);
    }
    SUBCASE("a flow's answer") {
        talk.lee().answers_flow(R"({"a":1})");
        CHECK(last("FlowData") == R"({"a":1})");
        CHECK(last("InteractiveData") == R"({"a":1})");
        CHECK(last("MessageType") == "interactive");
    }
    SUBCASE("with parameters that others have anyway") {
        testing::FakeInbound message;
        message.from = "+447700900123";
        message.body = "Hi";
        message.parameters = {{"Forwarded", "true"}, {"ReferralNumMedia", "1"}};
        talk.fake->receive(message);
        CHECK(last("Forwarded") == "true");
        CHECK(last("ReferralNumMedia") == "1");
    }
    SUBCASE("from who has no number") {
        talk.fake->customer("whatsapp:US.4f1a").sends_text("Hi");
        CHECK(last("From") == "whatsapp:US.4f1a");
        CHECK(last("WaId") == "(none)");
        CHECK(last("ExternalUserId") == "whatsapp:US.4f1a");
    }
}

TEST_CASE("FakeTwilio names a customer's user id beside the number") {
    Conversation talk;
    talk.lee().sends_text("Hi");
    talk.fake->run_until_idle();
    const auto made_up = field(talk.inbound.back(), "ExternalUserId");
    CHECK(made_up.starts_with("whatsapp:ID."));
    CHECK(field(talk.inbound.back(), "From") == "whatsapp:+447700900123");
    CHECK(field(talk.inbound.back(), "WaId") == "447700900123");
    CHECK(field(talk.inbound.back(), "ParentExternalUserId") == "(none)");

    talk.send_template();
    talk.lee().reads();
    talk.fake->run_until_idle();
    REQUIRE(talk.statuses == Statuses{"sending", "sent", "delivered", "read"});
    for (const auto& callback : talk.callbacks) {
        const auto status = field(callback, "MessageStatus");
        CAPTURE(status);
        const bool names = status == "delivered" || status == "read";
        CHECK(field(callback, "ExternalUserId") == (names ? made_up : "(none)"));
    }

    talk.lee().has_user_id("US.4f1a", "whatsapp:US.ENT.4f1b").sends_text("Hi");
    talk.send_template();
    for (const auto* fields : {&talk.inbound.back(), &talk.callbacks.back()}) {
        CHECK(field(*fields, "ExternalUserId") == "whatsapp:US.4f1a");
        CHECK(field(*fields, "ParentExternalUserId") == "whatsapp:US.ENT.4f1b");
    }
    for (const std::string bad : {"", "+447700900123", "sms:US.4f1a", "US 4f1a"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(talk.lee().has_user_id(bad), InvalidRequestError);
    }
    CHECK_THROWS_AS(talk.lee().has_user_id("US.1", "x"), InvalidRequestError);
}

TEST_CASE("FakeTwilio keeps user ids to those without a number, where it is told to") {
    Conversation talk{{.user_ids = false}};
    talk.lee().sends_text("Hi");
    talk.send_template();
    CHECK(field(talk.inbound.back(), "ExternalUserId") == "(none)");
    CHECK(field(talk.callbacks.back(), "ExternalUserId") == "(none)");
    const auto nobody = talk.fake->customer("whatsapp:US.4f1a");
    nobody.sends_text("Hi");
    talk.client.send_text({.to = "whatsapp:US.4f1a", .body = "Hi"});
    talk.fake->run_until_idle();
    CHECK(field(talk.inbound.back(), "ExternalUserId") == "whatsapp:US.4f1a");
    CHECK(field(talk.callbacks.back(), "To") == "whatsapp:US.4f1a");
    CHECK(field(talk.callbacks.back(), "ExternalUserId") == "whatsapp:US.4f1a");
}

TEST_CASE("FakeTwilio lets a customer tap a button and choose from a list") {
    Conversation talk;
    testing::FakeContent buttons;
    buttons.types = R"({"twilio/quick-reply":{"body":"Is {{1}} right?","actions":[
        {"type":"QUICK_REPLY","title":"Yes, {{1}}","id":"yes"},
        {"type":"QUICK_REPLY","title":"No","id":"no"}]},"twilio/text":{"body":"Right?"}})";
    const auto buttons_sid = talk.fake->add_content(FakeTwilio::demo_account_sid, buttons);
    testing::FakeContent list;
    list.types = R"({"twilio/list-picker":{"body":"When?","button":"Times","items":[
        {"id":"t1","item":"Morning","description":"9 to 12"},{"id":"t2","item":"Evening"}]}})";
    const auto list_sid = talk.fake->add_content(FakeTwilio::demo_account_sid, list);

    CHECK_THROWS_AS(talk.lee().taps("No"), InvalidRequestError);
    const auto question = talk.client.send_template(
        {.to = "+447700900123", .content_sid = buttons_sid, .variables = {{"1", "Monday"}}});
    CHECK(question.body == "Is Monday right?");
    talk.fake->run_until_idle();
    CHECK(talk.fake->bubble(question.sid.str()).buttons.size() == 2);
    talk.lee().taps("Yes, Monday");
    talk.fake->run_until_idle();
    CHECK(field(last_of(talk.inbound), "ButtonPayload") == "yes");
    CHECK(field(last_of(talk.inbound), "ButtonText") == "Yes, Monday");
    CHECK(field(last_of(talk.inbound), "Body") == "Yes, Monday");
    CHECK(field(last_of(talk.inbound), "MessageType") == "button");
    CHECK(field(last_of(talk.inbound), "OriginalRepliedMessageSid") == question.sid.str());

    talk.client.send_template({.to = "+447700900123", .content_sid = list_sid});
    talk.lee().chooses("t1");
    talk.fake->run_until_idle();
    CHECK(field(last_of(talk.inbound), "ListId") == "t1");
    CHECK(field(last_of(talk.inbound), "ListTitle") == "Morning");
    talk.lee().taps("no");
    talk.fake->run_until_idle();
    CHECK(field(last_of(talk.inbound), "ButtonText") == "No");
    CHECK_THROWS_AS(talk.lee().chooses("Noon"), InvalidRequestError);
}

TEST_CASE("FakeTwilio lets a tap in a session be an interactive message, where it is told to") {
    Conversation talk{{.interactive_taps = true}};
    const auto sid =
        talk.fake->add_content(testing::FakeContent::quick_reply("Sure?", {"Yes", "No"}));
    talk.client.send_template({.to = "+447700900123", .content_sid = sid});
    talk.lee().taps("Yes");
    talk.fake->run_until_idle();
    const auto& fields = last_of(talk.inbound);
    CHECK(field(fields, "MessageType") == "interactive");
    CHECK(field(fields, "Forwarded") == "false");
    CHECK(field(fields, "ExternalUserId").starts_with("whatsapp:ID."));
    CHECK(field(fields, "ButtonPayload") == "Yes");

    // The library reads either.
    const auto tap =
        std::find_if(talk.requests.begin(), talk.requests.end(), [](const WebhookRequest& request) {
            return request.body.find("ButtonPayload") != std::string::npos;
        });
    REQUIRE(tap != talk.requests.end());
    const auto event = parse_webhook_form(tap->body).value();
    const auto* message = std::get_if<InboundMessage>(&event);
    REQUIRE(message != nullptr);
    REQUIRE(message->button);
    CHECK(message->button->payload == "Yes");
}

TEST_CASE("FakeTwilio sends the webhook of a sender no one set to the account's") {
    Conversation talk;
    talk.fake->set_webhook(FakeTwilio::demo_sender, "");
    talk.lee().sends_text("one");
    CHECK(talk.fake->run_until_idle() == 0);
    talk.fake->set_webhook(FakeTwilio::demo_account_sid, "https://example.com/account");
    talk.lee().sends_text("two");
    talk.fake->run_until_idle();
    CHECK(talk.urls == Statuses{"https://example.com/account"});
}

TEST_CASE("FakeTwilio keeps a log of webhooks, delivered or not") {
    Conversation talk;
    talk.fake->on_webhook({});
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    const auto log = talk.fake->webhooks();
    REQUIRE(log.size() == 1);
    CHECK(log.at(0).outcome == "nobody");
    CHECK(log.at(0).webhook.number == 1);
    CHECK(log.at(0).webhook.url == "https://example.com/inbound");
    CHECK(talk.fake->webhooks(1).empty());
}

// ---- Answers.

TEST_CASE("FakeTwilio sends what the answer to a message says") {
    Conversation talk;
    talk.answer = [](const WebhookRequest& request) {
        if (request.target != "/inbound") return WebhookResponse{204, {}, {}};
        return twiml(R"(<?xml version="1.0" encoding="UTF-8"?>
            <Response><!-- two --><Message action="/done"><Body>You &amp; me</Body>
            <Media>/cat.jpg</Media></Message><Message>Bye</Message><Unknown/></Response>)");
    };
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    const auto chat = talk.lee().conversation();
    REQUIRE(chat.size() == 3);
    CHECK(chat[1].body == "You & me");
    CHECK(chat[1].num_media == 1);
    CHECK(chat[1].direction == Direction::outbound_reply);
    CHECK(chat[1].status == MessageStatus::delivered);
    CHECK(chat[1].from == FakeTwilio::demo_sender);
    CHECK(chat[2].body == "Bye");
    CHECK(talk.fake->parameters(chat[1].sid.str())[3].second == "https://example.com/cat.jpg");
    CHECK(std::count(talk.urls.begin(), talk.urls.end(), "https://example.com/done") == 3);
}

TEST_CASE("FakeTwilio follows a redirect, with the same parameters") {
    Conversation talk;
    talk.answer = [](const WebhookRequest& request) {
        return request.target == "/inbound"
                   ? twiml(
                         "<Response><Redirect>next?a=1&amp;b=2</Redirect>"
                         "<Message>never</Message></Response>")
                   : twiml("<Response><Message>There</Message></Response>");
    };
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    CHECK(talk.urls.at(1) == "https://example.com/next?a=1&b=2");
    CHECK(field(talk.inbound.at(1), "Body") == "Hello");
    CHECK(last_of(talk.lee().conversation()).body == "There");
}

TEST_CASE("FakeTwilio ends redirects that go round in circles") {
    Conversation talk;
    talk.answer = [](const WebhookRequest&) { return twiml("<Response><Redirect/></Response>"); };
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    CHECK(talk.inbound.size() == 11);
}

TEST_CASE("FakeTwilio notes what is wrong with an answer") {
    Conversation talk;
    const auto error_of = [&](WebhookResponse response) {
        talk.answer = [&](const WebhookRequest&) { return response; };
        talk.lee().sends_text("Hello");
        talk.fake->run_until_idle();
        return last_of(talk.fake->webhooks()).error_code;
    };
    CHECK(error_of({200, {}, {}}) == 0);
    CHECK(error_of(twiml("<Response/>")) == 0);
    CHECK(error_of({404, {}, {}}) == 11200);
    CHECK(error_of({302, {}, {}}) == 11200);
    for (const auto* type : {"application/xml", "text/html", "Text/HTML; charset=utf-8"}) {
        CAPTURE(type);
        CHECK(error_of({200, {{"Content-Type", type}}, "<Response/>"}) == 0);
    }
    CHECK(error_of({200, {{"Content-Type", "text/html"}}, "<p>"}) == 12100);
    CHECK(error_of({200, {{"Content-Type", "text/plain"}}, "<Response/>"}) == 12300);
    CHECK(error_of(twiml("<Response>")) == 12100);
    CHECK(error_of(twiml("<Response>" + std::string(70'000, ' ') + "</Response>")) == 11750);
    CHECK(error_of(twiml("<Response><Message/></Response>")) == 21619);
    CHECK(talk.lee().conversation().size() == 12);
}

TEST_CASE("FakeTwilio stops two bots that answer each other") {
    Conversation talk;
    talk.answer = [](const WebhookRequest&) {
        return twiml("<Response><Message>And you?</Message></Response>");
    };
    for (int i = 0; i < 31; ++i) talk.lee().sends_text("And you?");
    talk.fake->run_until_idle();
    CHECK(talk.lee().conversation().size() == 61);
    CHECK(last_of(talk.fake->webhooks()).error_code == 14107);
}

TEST_CASE("FakeTwilio reads TwiML as XML") {
    const auto body = [](std::string_view text) {
        const auto verbs = twiliowa::testing::fake::parse_twiml(text);
        return !verbs ? "(none)" : verbs->empty() ? "(empty)" : verbs->front().body;
    };
    CHECK(body("<Response/>") == "(empty)");
    CHECK(body("<Response><Message>a&#233;&#x1F600;&lt;</Message></Response>") ==
          "a\xc3\xa9\xf0\x9f\x98\x80<");
    CHECK(body("<Response><Message><Body><![CDATA[<b>]]>&amp;</Body></Message></Response>") ==
          "<b>&");
    CHECK(body("<Response><Message to='a' to='b'>x</Message></Response>") == "(none)");
    for (const auto* bad :
         {"", "x", "<Response", "<Response>", "<Response></Respons>", "<Response>&nbsp;</Response>",
          "<Response>&#0;</Response>", "<Response>&#xD800;</Response>", "<a/>", "<Response/>x",
          "<!DOCTYPE a><Response/>", "<Response a=b/>", "<Response>&</Response>",
          "<Response>\xff</Response>", "<1/>", "<Response/><Response/>"}) {
        CAPTURE(bad);
        CHECK(body(bad) == "(none)");
    }
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "<a>";
    CHECK(body("<Response>" + deep) == "(none)");
}

// ---- Delivery.

TEST_CASE("FakeTwilio reads the overrides in a webhook's URL") {
    const auto plain = FakeWebhookUrl::parse("https://u:p@h.example:8443?x=1");
    CHECK(plain.text == "https://u:p@h.example:8443?x=1");
    CHECK(plain.host == "h.example:8443");
    CHECK(plain.user == "u");
    CHECK(plain.password == "p");
    CHECK(plain.target == "/?x=1");
    CHECK(plain.retries == 1);
    CHECK(plain.retries_on("ct"));
    CHECK_FALSE(plain.retries_on("rt"));
    const auto url = FakeWebhookUrl::parse("https://h/p#rc=5&rp=5xx,rt&ct=200&rt=99&tt=15001&e=x");
    CHECK(url.text == "https://h/p");
    CHECK(url.retries == 5);
    CHECK(url.retries_on("5xx"));
    CHECK_FALSE(url.retries_on("ct"));
    CHECK(url.connect_timeout == 200ms);
    CHECK(url.read_timeout == 15s);
    CHECK(url.total_timeout == 15s);
    CHECK(FakeWebhookUrl::parse("https://h#rp=all").retries_on("4xx"));
}

TEST_CASE("FakeTwilio tries a webhook again as its URL says") {
    Conversation talk;
    const auto tries = [&](const char* fragment, const Result<WebhookResponse>& answer) {
        talk.answer = [answer](const WebhookRequest&) { return answer; };
        talk.requests.clear();
        talk.fake->set_webhook(FakeTwilio::demo_sender,
                               "https://example.com/inbound" + std::string{fragment});
        talk.lee().sends_text("Hello");
        talk.fake->run_until_idle();
        return talk.requests.size();
    };
    const WebhookResponse broken{503, {}, {}};
    CHECK(tries("", unreachable()) == 2);
    CHECK(tries("", silent()) == 1);
    CHECK(tries("", broken) == 1);
    CHECK(tries("#rc=3&rp=all", broken) == 4);
    CHECK(tries("#rc=3&rp=rt", silent()) == 4);
    CHECK(tries("#rc=3&rp=rt", broken) == 1);
    CHECK(tries("#rc=0", unreachable()) == 1);
    CHECK(last_of(talk.fake->webhooks()).outcome == "unreachable");
    CHECK(tries("#rc=1&rp=4xx", WebhookResponse{404, {}, {}}) == 2);
    CHECK(find_header(talk.requests[0].headers, "I-Twilio-Idempotency-Token") ==
          find_header(talk.requests[1].headers, "I-Twilio-Idempotency-Token"));
    CHECK(find_header(talk.requests[0].headers, "X-Twilio-Signature") ==
          find_header(talk.requests[1].headers, "X-Twilio-Signature"));
}

TEST_CASE("FakeTwilio lets a sink's exception through, and goes on") {
    Conversation talk;
    talk.answer = [](const WebhookRequest&) -> Result<WebhookResponse> {
        throw std::runtime_error("broken handler");
    };
    talk.lee().sends_text("Hello");
    CHECK_THROWS_AS(talk.fake->run_until_idle(), std::runtime_error);
    CHECK(last_of(talk.fake->webhooks()).status == 500);
    CHECK(talk.fake->run_until_idle() == 0);
}

TEST_CASE("FakeTwilio takes an answer that comes later, even too late") {
    std::function<void(Result<WebhookResponse>)> answer;
    {
        Conversation talk;
        talk.fake->on_webhook_async([&](const testing::FakeWebhook& webhook, const auto& done) {
            CHECK(webhook.connect_timeout == 5s);
            answer = done;
        });
        talk.lee().sends_text("Hello");
        talk.fake->run_until_idle();
        CHECK(last_of(talk.fake->webhooks()).outcome == "pending");
        answer(twiml("<Response><Message>Later</Message></Response>"));
        talk.fake->run_until_idle();
        CHECK(last_of(talk.lee().conversation()).body == "Later");
        talk.lee().sends_text("Again");
        talk.fake->run_until_idle();
    }
    answer(twiml("<Response/>"));
}

TEST_CASE("FakeTwilio delivers webhooks twice, late, in another order or never on request") {
    Conversation talk;
    testing::WebhookFaults faults;
    SUBCASE("dropped") {
        faults.dropped = 1.0;
        talk.fake->set_webhook_faults(faults);
        talk.send_template();
        CHECK(talk.statuses.empty());
        CHECK(talk.fake->webhooks().size() == 3);
        CHECK(last_of(talk.fake->webhooks()).outcome == "dropped");
    }
    SUBCASE("doubled") {
        faults.doubled = 1.0;
        talk.fake->set_webhook_faults(faults);
        talk.send_template();
        CHECK(talk.statuses ==
              Statuses{"sending", "sending", "sent", "sent", "delivered", "delivered"});
        CHECK(find_header(talk.requests[0].headers, "I-Twilio-Idempotency-Token") ==
              find_header(talk.requests[1].headers, "I-Twilio-Idempotency-Token"));
    }
    SUBCASE("late") {
        const auto start = talk.fake->clock()->now();
        faults.late = 1.0;
        faults.late_by = 1h;
        talk.fake->set_webhook_faults(faults);
        talk.send_template();
        CHECK(talk.fake->clock()->now() > start + 1h);
        CHECK(talk.statuses == Statuses{"sending", "sent", "delivered"});
    }
    SUBCASE("reordered") {
        faults.reordered = 1.0;
        talk.fake->set_webhook_faults(faults);
        talk.send_template();
        CHECK(talk.statuses == Statuses{"sent", "sending", "delivered"});
    }
    SUBCASE("by chance, the same one for the same seed") {
        faults.dropped = 0.5;
        const auto run = [&](std::uint64_t seed) {
            testing::FakeTwilioOptions options;
            options.seed = seed;
            Conversation other{options};
            other.fake->set_webhook_faults(faults);
            for (int i = 0; i < 20; ++i) other.send_template();
            return other.statuses;
        };
        CHECK(run(1) == run(1));
        CHECK(run(1) != run(2));
        CHECK(run(1).size() > 15);
        CHECK(run(1).size() < 45);
    }
}

}  // namespace webhook_test
