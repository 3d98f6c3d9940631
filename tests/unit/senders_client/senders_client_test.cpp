#include <twiliowa/senders_client.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace senders_client_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

namespace {

const std::string sid_text = "XE" + std::string(32, 'a');

struct Fixture {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    ClientOptions options() const {
        ClientOptions options;
        options.transport = transport;
        options.clock = clock;
        options.retry.max_attempts = 1;
        return options;
    }
    SendersClient client() const {
        return SendersClient{Credentials::auth_token("AC" + std::string(32, '0'), "token"),
                             options()};
    }
};

std::string page(const std::string& senders, const std::string& next) {
    return R"({"meta": {"key": "senders", "next_page_url": )" + next + R"(}, "senders": [)" +
           senders + "]}";
}

std::string one(char digit) {
    return R"({"sid": "XE)" + std::string(32, digit) + R"("})";
}

}  // namespace

TEST_CASE("a sender is read with what keeps it from sending") {
    Fixture f;
    f.transport->respond(200, R"({"sid": ")" + sid_text + R"(", "status": "OFFLINE",
        "sender_id": "whatsapp:+14155238886", "friendly_name": "Shop",
        "configuration": {"waba_id": "12345", "verification_code": "canary"},
        "webhook": {"callback_url": "https://bot.test/in", "callback_method": "POST",
                    "status_callback_url": "https://bot.test/status"},
        "profile": {"name": "Acme", "emails": [{"email": "a@b.test", "label": "sid"}]},
        "properties": {"quality_rating": "LOW", "messaging_limit": "1K Customers/24hr"},
        "offline_reasons": [{"code": "63020", "message": "Not paid", "more_info": null},
                            {"code": 63112, "message": "Disabled"}],
        "pending_display_name": "Acme Ltd", "pending_display_name_status": "PENDING_REVIEW",
        "pending_display_name_status_date": "2026-10-12T01:02:03Z"})");
    const auto got = f.client().fetch(ChannelSenderSid{sid_text});
    CHECK(got.sid.str() == sid_text);
    CHECK(got.status == ChannelSenderStatus::offline);
    CHECK(got.sender_id == "whatsapp:+14155238886");
    CHECK(got.friendly_name == "Shop");
    CHECK(got.display_name == "Acme");
    CHECK(got.quality_rating == "LOW");
    CHECK(got.messaging_limit == "1K Customers/24hr");
    CHECK(got.waba_id == "12345");
    CHECK(got.callback_url == "https://bot.test/in");
    CHECK(got.callback_method == "POST");
    CHECK(got.status_callback_url == "https://bot.test/status");
    REQUIRE(got.offline_reasons.size() == 2);
    CHECK(got.offline_reasons[0].code == "63020");
    CHECK(got.offline_reasons[0].message == "Not paid");
    CHECK(got.offline_reasons[1].code == "63112");
    CHECK(got.pending_display_name == "Acme Ltd");
    CHECK(got.pending_display_name_status == DisplayNameStatus::pending_review);
    CHECK(got.pending_display_name_status_date.has_value());
    CHECK(f.transport->requests().at(0).url ==
          "https://messaging.twilio.com/v2/Channels/Senders/" + sid_text);
}

TEST_CASE("a sender without a SID is refused before the network") {
    Fixture f;
    CHECK(f.client().try_fetch({}).error().field() == "ChannelSenderSid");
    CHECK(f.transport->request_count() == 0);
}

TEST_CASE("all senders are listed, page after page, in both forms") {
    Fixture f;
    const auto next = R"("https://messaging.twilio.com/v2/Channels/Senders?Page=1")";
    for (int i = 0; i < 2; ++i) {
        f.transport->respond(200, page(one('a') + "," + one('b'), next))
            .respond(200, page(one('c'), "null"));
    }
    const auto all = f.client().list();
    REQUIRE(all.size() == 3);
    CHECK(all[2].sid.str() == "XE" + std::string(32, 'c'));
    CHECK(f.transport->requests().at(0).url ==
          "https://messaging.twilio.com/v2/Channels/Senders?Channel=whatsapp&PageSize=100");
    CHECK(f.transport->requests().at(1).url ==
          "https://messaging.twilio.com/v2/Channels/Senders?Page=1");

    std::optional<Result<std::vector<ChannelSender>>> listed;
    const auto client = f.client();
    client.async_list([&](Result<std::vector<ChannelSender>> r) { listed = std::move(r); });
    CHECK_FALSE(listed.has_value());
    f.transport->run_until_idle(f.clock.get());
    CHECK(listed.value().value().size() == 3);
}

TEST_CASE("a list that leads elsewhere or in a circle ends, and credentials stay") {
    Fixture f;
    f.transport->respond(200, page(one('a'), R"("https://evil.test/v2/Channels/Senders")"));
    CHECK(f.client().try_list().has_value() == false);
    CHECK(f.transport->request_count() == 1);
    const auto circle = page("", R"("https://messaging.twilio.com/v2/Channels/Senders?Page=1")");
    f.transport->respond(200, circle).respond(200, circle);
    CHECK(f.client().try_list().error().what() == containing("leads back"));
    CHECK(f.transport->request_count() == 3);
}

TEST_CASE("an answer that is no list of senders is an error") {
    for (const auto* body : {"", "[]", "{}", R"({"senders": []})", "<html>"}) {
        Fixture f;
        f.transport->respond(200, body);
        INFO(body);
        CHECK(f.client().try_list().error().what() == containing("not a list of senders"));
    }
}

TEST_CASE("FakeTwilio lists its WhatsApp senders, and says of one what it was told") {
    const auto fake = FakeTwilio::with_account();
    const auto account = FakeTwilio::demo_account_sid;
    fake->add_sender(account, "whatsapp:+447700900999");
    fake->add_sender(account, "+15005550006");
    const SendersClient client{fake->credentials(), fake->client_options()};
    auto all = client.list();
    REQUIRE(all.size() == 2);
    CHECK(all[0].status == ChannelSenderStatus::online);
    CHECK(all[0].sender_id == FakeTwilio::demo_sender);

    ChannelSender ill;
    ill.sender_id = "whatsapp:+447700900999";
    ill.status = ChannelSenderStatus{ChannelSenderStatus::offline};
    ill.offline_reasons = {{"63020", "Not paid", {}}};
    ill.pending_display_name = "Acme";
    ill.pending_display_name_status = DisplayNameStatus{DisplayNameStatus::declined};
    fake->set_sender(account, ill);
    FakeTwilio loaded;
    loaded.load(fake->save());
    const SendersClient other{loaded.credentials(), loaded.client_options()};
    const auto got = other.fetch(all[1].sid);
    CHECK(got.status == ChannelSenderStatus::offline);
    REQUIRE(got.offline_reasons.size() == 1);
    CHECK(got.offline_reasons[0].message == "Not paid");
    CHECK(got.pending_display_name_status == DisplayNameStatus::declined);

    const ChannelSenderSid nobody{sid_text};
    CHECK(client.try_fetch(nobody).error().http_status() == 404);
    ill.sender_id = "whatsapp:+447700900000";
    CHECK_THROWS_AS(fake->set_sender(account, ill), InvalidRequestError);
}

TEST_CASE("FakeTwilio says since when a display name's status is what it is") {
    twiliowa::testing::FakeTwilioOptions options;
    const auto clock = std::make_shared<twiliowa::testing::ManualClock>();
    options.clock = clock;
    const auto fake = FakeTwilio::with_account(options);
    const auto account = FakeTwilio::demo_account_sid;
    const SendersClient client{fake->credentials(), fake->client_options()};
    const auto begin = clock->now();
    auto sender = fake->channel_senders(account).at(0);
    const auto since = [&] {
        fake->set_sender(account, sender);
        return client.list().at(0).pending_display_name_status_date;
    };
    CHECK_FALSE(since());
    sender.pending_display_name = "Acme";
    sender.pending_display_name_status = DisplayNameStatus{DisplayNameStatus::pending_review};
    CHECK(since() == begin);
    clock->advance(std::chrono::hours{1});
    CHECK(client.list().at(0).pending_display_name_status_date == begin);
    sender = fake->channel_senders(account).at(0);
    CHECK(since() == begin);
    sender.pending_display_name_status = DisplayNameStatus{DisplayNameStatus::declined};
    CHECK(since() == begin + std::chrono::hours{1});
    sender.pending_display_name_status_date = begin;
    CHECK(since() == begin);
}

TEST_CASE("FakeTwilio's list of senders comes in pages") {
    const auto fake = FakeTwilio::with_account();
    for (int i = 0; i < 104; ++i) {
        fake->add_sender(FakeTwilio::demo_account_sid,
                         "whatsapp:+4477009" + std::to_string(10000 + i));
    }
    const SendersClient client{fake->credentials(), fake->client_options()};
    CHECK(client.list().size() == 105);
}

}  // namespace senders_client_test
