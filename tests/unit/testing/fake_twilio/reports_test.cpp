#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <twiliowa/account_client.hpp>
#include <twiliowa/senders_client.hpp>
#include <twiliowa/testing/fake_twilio.hpp>

#include "support/show.hpp"

namespace reports_test {

using namespace twiliowa;
using twiliowa::test::containing;
using twiliowa::testing::FakeContent;
using twiliowa::testing::FakeTwilio;

namespace {

const std::string demo{FakeTwilio::demo_account_sid};
const std::string subaccount = "AC0000000000000000000000000000000b";

/// What the Content API says of a template's approval.
std::string approval_of(FakeTwilio& fake, const std::string& sid) {
    HttpRequest request;
    request.url = "/v1/Content/" + sid + "/ApprovalRequests";
    request.authorization = fake.credentials().authorization();
    return fake.handle(request).body;
}

std::string submitted_template(FakeTwilio& fake) {
    return fake.add_content(
        {.friendly_name = "tea", .body = "Tea is ready", .approval = "received"});
}

}  // namespace

TEST_CASE("what is decided about a template is what its approval says, and is kept") {
    const auto fake = FakeTwilio::with_account({.lifecycle = testing::Lifecycle::automatic});
    const auto sid = submitted_template(*fake);
    const auto before = fake->revision();
    fake->set_approval(sid, "rejected", "INVALID_FORMAT");
    CHECK(fake->revision() > before);
    CHECK(approval_of(*fake, sid) == containing(R"("status":"rejected")"));
    CHECK(approval_of(*fake, sid) == containing(R"("rejection_reason":"INVALID_FORMAT")"));
    FakeTwilio later;
    later.load(fake->save());
    REQUIRE(later.templates().size() == 2);
    CHECK(later.templates().back().content.approval == "rejected");
    CHECK(later.templates().back().rejection_reason == "INVALID_FORMAT");
    CHECK(later.templates().back().approval_name == "tea");
    fake->set_approval(sid, "approved", "not said of what is approved");
    CHECK(approval_of(*fake, sid) == containing(R"("rejection_reason":"")"));
    fake->set_approval(sid, "paused");
    CHECK(fake->templates().back().content.approval == "paused");
}

TEST_CASE("a decision ends what was on its way for the template") {
    const auto fake = FakeTwilio::with_account({.lifecycle = testing::Lifecycle::automatic});
    HttpRequest request;
    request.method = HttpMethod::post;
    request.authorization = fake->credentials().authorization();
    request.headers = {{"Content-Type", "application/json"}};
    request.url = "/v1/Content";
    request.body = R"({"language": "en", "types": {"twilio/text": {"body": "Tea is ready"}}})";
    REQUIRE(fake->handle(request).status == 201);
    const auto sid = fake->templates().back().content.sid;
    CHECK_THROWS_WITH_AS(fake->set_approval(sid, "approved"),
                         doctest::Contains("was not submitted"), InvalidRequestError);
    request.url = "/v1/Content/" + sid + "/ApprovalRequests/whatsapp";
    request.body = R"({"name": "tea", "category": "UTILITY"})";
    REQUIRE(fake->handle(request).status == 201);
    fake->set_approval(sid, "rejected", "SCAM");
    fake->run_until_idle();
    CHECK(fake->templates().back().content.approval == "rejected");
}

TEST_CASE("only a decision about a template there is can be made") {
    const auto fake = FakeTwilio::with_account();
    CHECK_THROWS_AS(fake->set_approval(FakeTwilio::demo_content_sid, "pending"),
                    InvalidRequestError);
    CHECK_THROWS_AS(fake->set_approval("HX00000000000000000000000000000009", "approved"),
                    InvalidRequestError);
}

TEST_CASE("FakeTwilio shows of accounts, senders and templates what its API reports") {
    const auto fake = FakeTwilio::with_account();
    fake->add_subaccount(subaccount, "token");
    CHECK(fake->account_status() == "active");
    CHECK(fake->balance().balance == "100.00");
    CHECK(fake->balance(subaccount).balance.empty());
    CHECK(fake->templates(subaccount).empty());
    CHECK(fake->channel_senders(subaccount).empty());
    CHECK(fake->account_status("AC0000000000000000000000000000000c").empty());

    auto before = fake->revision();
    fake->set_account_status(demo, "suspended");
    fake->set_balance(demo, "-1.50", "EUR");
    CHECK(fake->revision() == before + 2);
    CHECK(fake->account_status(demo) == "suspended");
    CHECK(fake->balance().balance == "-1.50");
    CHECK(fake->balance().currency == "EUR");
    const AccountClient accounts{fake->credentials(), fake->client_options()};
    CHECK(accounts.fetch().status == AccountStatus::suspended);
    CHECK(accounts.balance().balance == "-1.50");

    auto sender = fake->channel_senders().at(0);
    CHECK(sender.sender_id == FakeTwilio::demo_sender);
    CHECK(sender.callback_url.empty());
    sender.quality_rating = "LOW";
    before = fake->revision();
    fake->set_sender(demo, sender);
    CHECK(fake->revision() > before);
    CHECK(fake->channel_senders().at(0).quality_rating == "LOW");
}

TEST_CASE("a sender is called at the URL that was set for it, else for the account") {
    const auto fake = FakeTwilio::with_account();
    const SendersClient senders{fake->credentials(), fake->client_options()};
    fake->set_webhook(demo, "https://example.com/account");
    CHECK(senders.list().at(0).callback_url == "https://example.com/account");
    fake->set_webhook(FakeTwilio::demo_sender, "https://example.com/sender");
    CHECK(senders.list().at(0).callback_url == "https://example.com/sender");
    CHECK(senders.fetch(senders.list().at(0).sid).callback_url == "https://example.com/sender");
    auto sender = senders.list().at(0);
    sender.callback_url = "https://example.com/said";
    fake->set_sender(demo, sender);
    CHECK(senders.list().at(0).callback_url == "https://example.com/said");
}

TEST_CASE("API keys may not read accounts, and read the rest") {
    const auto fake = FakeTwilio::with_account();
    const std::string key = "SK00000000000000000000000000000001";
    fake->add_api_key(demo, key, "secret");
    const auto credentials = Credentials::api_key(demo, key, "secret");
    const AccountClient accounts{credentials, fake->client_options()};
    CHECK(accounts.try_fetch().error().kind() == ErrorKind::authentication);
    CHECK(accounts.try_balance().error().code() == 20003);
    CHECK(SendersClient(credentials, fake->client_options()).list().size() == 1);
}

}  // namespace reports_test
