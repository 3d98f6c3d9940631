#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>

#include "fixture.hpp"
#include "support/show.hpp"

namespace views_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using fake_test::Conversation;
using fake_test::last_of;
using twiliowa::test::containing;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::FakeTwilioOptions;
using twiliowa::testing::Fault;

namespace {

/// The only chat of its number.
twiliowa::testing::FakeChatView chat_of(const FakeTwilio& fake, const std::string& customer) {
    for (const auto& chat : fake.chats()) {
        if (chat.customer == customer) return chat;
    }
    return {};
}

std::string post_content(FakeTwilio& fake, const std::string& body) {
    HttpRequest request;
    request.method = HttpMethod::post;
    request.url = "/v1/Content";
    request.headers = {{"Content-Type", "application/json"},
                       {"Authorization", std::string{fake.credentials().authorization().reveal()}}};
    request.body = body;
    return fake.handle(request).body;
}

}  // namespace

TEST_CASE("a chat tells what the customer did to it") {
    const Conversation talk;
    const auto lee = talk.fake->customer("+447700900123");
    lee.has_whatsapp(false);
    auto chat = chat_of(*talk.fake, "whatsapp:+447700900123");
    CHECK(chat.sender == FakeTwilio::demo_sender);
    CHECK(chat.profile_name == "Customer");
    CHECK_FALSE(chat.has_whatsapp);
    CHECK_FALSE(chat.blocks);
    CHECK_FALSE(chat.window_is_open);

    lee.has_whatsapp(true);
    lee.named("Lee").reads_at_once();
    lee.stops();
    lee.blocks();
    chat = chat_of(*talk.fake, "whatsapp:+447700900123");
    CHECK(chat.profile_name == "Lee");
    CHECK(chat.has_whatsapp);
    CHECK(chat.blocks);
    CHECK(chat.reads_at_once);
    CHECK(chat.opted_out);
    CHECK(chat.window_is_open);
}

TEST_CASE("senders are told in the order they were added") {
    const auto fake = FakeTwilio::with_account();
    fake->add_sender(FakeTwilio::demo_account_sid, "whatsapp:+15551234567");
    const std::vector<std::string> both{std::string{FakeTwilio::demo_sender},
                                        "whatsapp:+15551234567"};
    CHECK(fake->senders() == both);
    CHECK(fake->senders(FakeTwilio::demo_account_sid) == both);
    CHECK(fake->senders("AC00000000000000000000000000000009").empty());
}

TEST_CASE("a customer's file is to be had by its SIDs, and no other") {
    const Conversation talk;
    const auto sid = talk.fake->customer("+447700900123").sends_media("bytes", "image/png");
    const auto url = talk.fake->bubble(sid).media.at(0);
    const auto media_sid = url.substr(url.rfind('/') + 1);
    const auto file = talk.fake->file(sid, media_sid);
    REQUIRE(file.has_value());
    CHECK(file->bytes == "bytes");
    CHECK(file->content_type == "image/png");
    CHECK_FALSE(talk.fake->file(sid, "ME00000000000000000000000000000000").has_value());
    CHECK_FALSE(talk.fake->file("SM00000000000000000000000000000000", media_sid).has_value());
}

TEST_CASE("faults are told, and end when they are cleared") {
    const auto fake = FakeTwilio::with_account();
    fake->next_fault(Fault::reset, 2);
    fake->set_fault_rate(Fault::slow, 0.25);
    twiliowa::testing::WebhookFaults webhooks;
    webhooks.late = 0.5;
    fake->set_webhook_faults(webhooks);
    auto plan = fake->faults();
    CHECK(plan.next == std::vector{Fault::reset, Fault::reset});
    REQUIRE(plan.rates.size() == 1);
    CHECK(plan.rates.front() == std::pair{Fault::slow, 0.25});
    CHECK(plan.webhooks.late == 0.5);

    fake->clear_faults();
    plan = fake->faults();
    CHECK(plan.next.empty());
    CHECK(plan.rates.empty());
    CHECK(plan.webhooks.late == 0.0);
}

TEST_CASE("the same seed gives the same faults") {
    const auto fake = FakeTwilio::with_account();
    fake->set_fault_rate(Fault::unavailable, 0.5);
    const auto statuses = [&](std::uint64_t seed) {
        fake->seed_faults(seed);
        std::vector<int> all;
        for (int i = 0; i < 32; ++i) all.push_back(fake->handle({}).status);
        return all;
    };
    const auto first = statuses(7);
    CHECK(statuses(8) != first);
    CHECK(statuses(7) == first);
}

TEST_CASE("the log tells of credentials, and keeps the beginning of a large body") {
    const auto fake = FakeTwilio::with_account();
    HttpRequest request;
    request.method = HttpMethod::post;
    request.url =
        "/2010-04-01/Accounts/" + std::string{FakeTwilio::demo_account_sid} + "/Messages.json";
    request.body = std::string(100'000, 'x');
    fake->handle(request);
    request.headers = {{"Authorization", "Basic bm9ib2R5Om5vdGhpbmc="}};
    fake->handle(request);
    request.headers = {
        {"Authorization", std::string{fake->credentials().authorization().reveal()}}};
    fake->handle(request);
    const auto log = fake->requests();
    REQUIRE(log.size() == 3);
    CHECK(log[0].credentials == "missing");
    CHECK(log[1].credentials == "refused");
    CHECK(log[2].credentials == "accepted");
    CHECK(log[0].body.size() == 65'536);
}

TEST_CASE("the log keeps the beginning of a large answer, to a request or a webhook") {
    Conversation talk;
    talk.answer = [](const WebhookRequest&) {
        return WebhookResponse{200, {{"Content-Type", "text/plain"}}, std::string(100'000, 'x')};
    };
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    CHECK(talk.fake->webhooks().at(0).response.size() == 65'536);

    for (int i = 0; i < 100; ++i) talk.send_template();
    HttpRequest list;
    list.url = "/2010-04-01/Accounts/" + std::string{FakeTwilio::demo_account_sid} +
               "/Messages.json?PageSize=1000";
    list.authorization = talk.fake->credentials().authorization();
    CHECK(talk.fake->handle(list).body.size() > 65'536);
    CHECK(last_of(talk.fake->requests()).response.size() == 65'536);
}

TEST_CASE("the address of a sender's webhooks is told") {
    const auto fake = FakeTwilio::with_account();
    CHECK(fake->webhook(FakeTwilio::demo_sender).empty());
    fake->set_webhook(FakeTwilio::demo_sender, "https://example.com/whatsapp");
    CHECK(fake->webhook(FakeTwilio::demo_sender) == "https://example.com/whatsapp");
    CHECK(fake->webhook_options(FakeTwilio::demo_sender).method == "POST");
    fake->set_webhook(FakeTwilio::demo_sender, "https://example.com/whatsapp",
                      {.method = "GET", .fallback_url = "https://example.com/fallback"});
    CHECK(fake->webhook_options(FakeTwilio::demo_sender).method == "GET");
    CHECK(fake->webhook_options(FakeTwilio::demo_sender).fallback_url ==
          "https://example.com/fallback");
    fake->set_webhook(FakeTwilio::demo_sender, "");
    CHECK(fake->webhook(FakeTwilio::demo_sender).empty());
}

TEST_CASE("a template that nests without end is refused") {
    const auto fake = FakeTwilio::with_account();
    const std::string start =
        R"({"friendly_name": "[\"[", "language": "en", "types": {"twilio/text": {"body": "x", "a": )";
    CHECK(post_content(*fake, start + std::string(50, '[') + std::string(50, ']') + "}}}") ==
          containing("\"sid\""));
    CHECK(post_content(*fake, start + std::string(200'000, '[') + std::string(200'000, ']') +
                                  "}}}") == containing("nests too deeply"));
}

}  // namespace views_test
