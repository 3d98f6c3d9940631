#include <doctest/doctest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>

#include "fixture.hpp"

namespace lifecycle_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using fake_test::Conversation;
using fake_test::field;
using fake_test::last_of;
using twiliowa::testing::FakeContent;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::FakeTwilioOptions;
using Statuses = std::vector<std::string>;

TEST_CASE("FakeTwilio takes a message to its recipient by itself") {
    Conversation talk;
    const auto message = talk.send_template();
    CHECK(message.status == MessageStatus::queued);
    CHECK(talk.statuses == Statuses{"sending", "sent", "delivered"});
    const auto now = talk.fake->message(message.sid.str());
    CHECK(now->status == MessageStatus::delivered);
    CHECK(now->date_sent > now->date_created);
    CHECK(now->price == "-0.00500");
    CHECK(talk.fake->run_until_idle() == 0);
}

TEST_CASE("FakeTwilio says nothing of the initial status, and of each that follows") {
    Conversation talk;
    talk.lee().sends_text("Hello");
    const auto message = talk.client.send_text(
        {.to = "+447700900123",
         .body = "Hi",
         .messaging_service_sid = std::string{FakeTwilio::demo_messaging_service_sid}});
    CHECK(message.status == MessageStatus::accepted);
    talk.fake->run_until_idle();
    CHECK(talk.statuses == Statuses{"queued", "sending", "sent", "delivered"});
    CHECK(field(last_of(talk.callbacks), "MessagingServiceSid") ==
          FakeTwilio::demo_messaging_service_sid);
    CHECK(field(last_of(talk.callbacks), "From") == FakeTwilio::demo_sender);
}

TEST_CASE("FakeTwilio sends a scheduled message at its time") {
    Conversation talk;
    const auto due = talk.fake->clock()->now() + 2h;
    const auto schedule = [&] {
        return talk.client.send_template(
            {.to = "+447700900123",
             .content_sid = std::string{FakeTwilio::demo_content_sid},
             .messaging_service_sid = std::string{FakeTwilio::demo_messaging_service_sid},
             .send_at = due});
    };
    const auto message = schedule();
    const auto cancelled = schedule();
    talk.fake->advance(1h);
    CHECK(talk.status_of(message) == "scheduled");
    CHECK(talk.statuses.empty());
    talk.client.cancel(cancelled.sid);
    talk.fake->advance(1h + 10s);
    CHECK(talk.status_of(message) == "delivered");
    CHECK(talk.fake->message(message.sid.str()).value().date_sent >= due);
    CHECK(talk.status_of(cancelled) == "canceled");
    CHECK(talk.statuses == Statuses{"canceled", "queued", "sending", "sent", "delivered"});
}

TEST_CASE("FakeTwilio moves the clock no further than it is told to") {
    Conversation talk;
    const auto start = talk.fake->clock()->now();
    const auto message = talk.client.send_template(
        {.to = "+447700900123", .content_sid = std::string{FakeTwilio::demo_content_sid}});
    talk.fake->advance(50ms);
    CHECK(talk.status_of(message) == "sending");
    CHECK(talk.fake->clock()->now() == start + 50ms);
    talk.fake->advance(10s);
    CHECK(talk.status_of(message) == "delivered");
    CHECK(talk.fake->clock()->now() == start + 10s + 50ms);
}

TEST_CASE("FakeTwilio lets what exceeds a sender's rate queue up") {
    FakeTwilioOptions options;
    options.messages_per_second = 10;
    Conversation talk{options};
    talk.lee().sends_text("Hello");
    for (int i = 0; i < 20; ++i) talk.client.send_text({.to = "+447700900123", .body = "x"});
    const auto count = [&](std::string_view status) {
        int found = 0;
        for (const auto& m : talk.fake->messages()) found += m.status == status;
        return found;
    };
    talk.fake->advance(955ms);
    CHECK(count("queued") == 10);
    talk.fake->advance(1s);
    CHECK(count("queued") == 0);
}

TEST_CASE("FakeTwilio changes the rate of its senders, and keeps it over a restart") {
    Conversation talk;
    talk.fake->set_message_rate(0.1);
    CHECK_THROWS_AS(talk.fake->set_message_rate(-1), InvalidRequestError);
    Conversation after;
    after.fake->load(talk.fake->save());
    const auto start = after.fake->clock()->now();
    after.lee().sends_text("Hello");
    after.client.send_text({.to = "+447700900123", .body = "x"});
    after.send_template();
    CHECK(after.fake->clock()->now() >= start + 10s);
}

TEST_CASE("FakeTwilio gives up on a message whose validity has passed in the queue") {
    FakeTwilioOptions options;
    options.messages_per_second = 0.1;
    Conversation talk{options};
    talk.send_template();
    talk.statuses.clear();
    OutboundMessage message;
    message.to = "+447700900123";
    message.content_sid = FakeTwilio::demo_content_sid;
    talk.client.send(message);
    message.validity_period = 6;
    const auto late = talk.client.send(message);
    talk.fake->run_until_idle();
    CHECK(talk.fake->message(late.sid.str()).value().error_code == 30036);
    CHECK(talk.status_of(late) == "failed");
}

TEST_CASE("FakeTwilio refuses what a sender's queue cannot hold") {
    FakeTwilioOptions options;
    options.messages_per_second = 0.0001;
    Conversation talk{options};
    const auto send = [&] {
        return talk.client.try_send_template(
            {.to = "+447700900123", .content_sid = std::string{FakeTwilio::demo_content_sid}});
    };
    CHECK(send());
    CHECK(send());
    CHECK(send().error().code() == 21611);
}

// ---- WhatsApp's rules.

TEST_CASE("FakeTwilio accepts free-form text outside the window, and says 63016 later") {
    Conversation talk;
    const auto text = [&] {
        auto message = talk.client.send_text({.to = "+447700900123", .body = "Hi"});
        talk.fake->run_until_idle();
        return talk.fake->message(message.sid.str()).value().error_code.value_or(0);
    };
    CHECK(text() == 63016);
    CHECK(talk.statuses == Statuses{"sending", "sent", "undelivered"});
    CHECK(field(last_of(talk.callbacks), "ErrorCode") == "63016");
    CHECK(field(last_of(talk.callbacks), "EventType") == "UNDELIVERED");
    talk.lee().sends_text("Hello");
    CHECK(talk.lee().window_is_open());
    CHECK(text() == 0);
    talk.fake->advance(23h + 59min);
    CHECK(text() == 0);
    talk.fake->advance(1min);
    CHECK_FALSE(talk.lee().window_is_open());
    CHECK(text() == 63016);
    talk.send_template();
    CHECK(last_of(talk.statuses) == "delivered");
    CHECK_FALSE(talk.lee().window_is_open());
}

TEST_CASE("FakeTwilio keeps each sender's window apart") {
    Conversation talk;
    talk.fake->add_sender(FakeTwilio::demo_account_sid, "whatsapp:+14155550001");
    talk.fake->customer("+447700900123", "whatsapp:+14155550001").sends_text("Hello");
    const auto message = talk.client.send_text({.to = "+447700900123", .body = "Hi"});
    talk.fake->run_until_idle();
    CHECK(talk.status_of(message) == "undelivered");
}

TEST_CASE("FakeTwilio leaves SMS without a window") {
    Conversation talk;
    talk.fake->add_sender(FakeTwilio::demo_account_sid, "+14155550002");
    OutboundMessage sms;
    sms.to = "sms:+447700900123";
    sms.from = "sms:+14155550002";
    sms.body = "Hi";
    const auto message = talk.client.send(sms);
    talk.fake->run_until_idle();
    CHECK(talk.status_of(message) == "delivered");
    CHECK(field(last_of(talk.callbacks), "RawDlrDoneDate") == "2601010000");
    CHECK(field(last_of(talk.callbacks), "ChannelPrefix") == "(none)");
}

TEST_CASE("FakeTwilio lets only those into the sandbox who have joined") {
    Conversation talk;
    talk.fake->set_sandbox(FakeTwilio::demo_sender, "calm-river");
    const auto code = [&] {
        const auto message = talk.send_template();
        return talk.fake->message(message.sid.str()).value().error_code.value_or(0);
    };
    CHECK(code() == 63015);
    CHECK(last_of(talk.statuses) == "failed");
    talk.lee().joins("calm-river");
    talk.fake->run_until_idle();
    CHECK(talk.inbound.empty());
    CHECK(code() == 0);
    talk.fake->advance(72h);
    CHECK(code() == 63015);
}

TEST_CASE("FakeTwilio knows who has blocked the sender, and who has no WhatsApp") {
    Conversation talk;
    const auto code = [&] {
        const auto message = talk.send_template();
        return talk.fake->message(message.sid.str()).value().error_code.value_or(0);
    };
    talk.lee().blocks();
    CHECK(code() == 63014);
    talk.lee().blocks(false);
    CHECK(code() == 0);
    talk.lee().has_whatsapp(false);
    CHECK(code() == 63024);
    talk.lee().has_whatsapp(false, 63003);
    CHECK(code() == 63003);
    talk.lee().has_whatsapp(true);
    CHECK(code() == 0);
}

TEST_CASE("FakeTwilio keeps marketing from who refuses it, and nothing else") {
    Conversation talk;
    FakeContent offer;
    offer.body = "20 % off";
    offer.category = "MARKETING";
    const auto sid = talk.fake->add_content(offer);
    const auto code_of = [&](const std::string& content_sid) {
        const auto message =
            talk.client.send_template({.to = "+447700900123", .content_sid = content_sid});
        talk.fake->run_until_idle();
        return talk.fake->message(message.sid.str()).value().error_code.value_or(0);
    };
    const std::string utility{FakeTwilio::demo_content_sid};
    talk.lee().refuses_marketing();
    CHECK(code_of(sid) == 63050);
    CHECK(code_of(utility) == 0);
    // Writing something does not mean that offers are wanted again.
    talk.lee().sends_text("Where is my order?");
    CHECK(code_of(sid) == 63050);
    talk.lee().refuses_marketing(false);
    CHECK(code_of(sid) == 0);
}

TEST_CASE("FakeTwilio takes a customer who writes for one who blocks no more") {
    Conversation talk;
    const auto code = [&] {
        const auto message = talk.send_template();
        return talk.fake->message(message.sid.str()).value().error_code.value_or(0);
    };
    talk.lee().blocks(true, 63033);
    CHECK(code() == 63033);
    talk.lee().sends_text("Hello again");
    CHECK(code() == 0);
}

TEST_CASE("FakeTwilio refuses to send to who said STOP, until START") {
    Conversation talk;
    talk.lee().sends_text(" stop ");
    talk.fake->run_until_idle();
    CHECK(field(last_of(talk.inbound), "OptOutType") == "STOP");
    const auto refused = talk.client.try_send_text({.to = "+447700900123", .body = "Hi"});
    CHECK(refused.error().code() == 21610);
    talk.lee().starts_again();
    CHECK(talk.client.try_send_text({.to = "+447700900123", .body = "Hi"}));
}

TEST_CASE("FakeTwilio reports what a customer reads") {
    Conversation talk;
    const auto first = talk.send_template();
    CHECK(talk.lee().reads() == 1);
    talk.fake->run_until_idle();
    CHECK(talk.status_of(first) == "read");
    CHECK(field(last_of(talk.callbacks), "EventType") == "READ");
    CHECK(talk.lee().reads() == 0);
    talk.lee().reads_at_once();
    CHECK(talk.status_of(talk.send_template()) == "read");
}

TEST_CASE("FakeTwilio has a recipient for each outcome") {
    Conversation talk;
    std::set<std::string_view> numbers;
    for (const auto& magic : testing::magic_recipients) {
        CAPTURE(magic.number);
        CHECK(numbers.insert(magic.number).second);
        CHECK(magic.number.size() == 12);
        auto result = talk.client.try_send_template(
            {.to = std::string{magic.number},
             .content_sid = std::string{FakeTwilio::demo_content_sid}},
            CallOptions{.timeout = 1s});
        talk.fake->run_until_idle();
        if (magic.http_status == 201) {
            const auto message = talk.fake->message(result.value().sid.str());
            CHECK(message->status == magic.status);
            CHECK(message->error_code.value_or(0) == magic.code);
        } else if (magic.http_status >= 500) {
            CHECK(result.error().kind() == ErrorKind::outcome_unknown);
        } else {
            CHECK(result.error().code() == magic.code);
            CHECK(result.error().http_status() == magic.http_status);
        }
    }
}

TEST_CASE("FakeTwilio fails a message with any code in its recipient's number") {
    Conversation talk;
    const auto message = talk.client.send_template(
        {.to = "+15005563050", .content_sid = std::string{FakeTwilio::demo_content_sid}});
    talk.fake->run_until_idle();
    CHECK(talk.fake->message(message.sid.str()).value().error_code == 63050);
}

TEST_CASE("FakeTwilio with a manual life cycle moves nothing, and calls back what the test moves") {
    auto fake = FakeTwilio::with_account();
    std::vector<std::string> seen;
    fake->on_webhook([&](const std::string&, const WebhookRequest& request) {
        seen.push_back(field(twiliowa::detail::parse_form(request.body), "MessageStatus"));
        return WebhookResponse{};
    });
    auto options = fake->client_options();
    options.status_callback = "https://example.com/status";
    const MessagesClient client{fake->credentials(), options};
    const auto message = client.send_text({.to = "+447700900123", .body = "Hi"});
    CHECK(fake->run_until_idle() == 0);
    fake->set_status(message.sid.str(), "failed", 63016);
    fake->run_until_idle();
    CHECK(seen == Statuses{"failed"});
}

}  // namespace lifecycle_test
