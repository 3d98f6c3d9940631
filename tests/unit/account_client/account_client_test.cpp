#include <twiliowa/account_client.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace account_client_test {

using namespace twiliowa;
using twiliowa::test::containing;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

namespace {

const std::string account = "AC" + std::string(32, '0');

struct Fixture {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    AccountClient client() const {
        ClientOptions options;
        options.transport = transport;
        options.clock = clock;
        options.retry.max_attempts = 1;
        return AccountClient{Credentials::auth_token(account, "token"), options};
    }
};

}  // namespace

TEST_CASE("an account is read, but for its token") {
    Fixture f;
    f.transport->respond(200, R"({"sid": ")" + account + R"(", "auth_token": "canary",
        "owner_account_sid": ")" + account +
                                  R"(", "friendly_name": "Acme", "status": "suspended",
        "type": "Trial", "date_created": "Thu, 24 Aug 2023 05:01:45 +0000", "date_updated": null,
        "subresource_uris": {"sid": "no", "status": "no"}})");
    const auto got = f.client().fetch();
    CHECK(got.sid.str() == account);
    CHECK(got.owner_account_sid.str() == account);
    CHECK(got.friendly_name == "Acme");
    CHECK(got.status == AccountStatus::suspended);
    CHECK(got.type == AccountType::trial);
    CHECK(got.date_created.has_value());
    CHECK_FALSE(got.date_updated.has_value());
    CHECK(f.transport->requests().at(0).url ==
          "https://api.twilio.com/2010-04-01/Accounts/" + account + ".json");
    CHECK(f.transport->requests().at(0).method == HttpMethod::get);
}

TEST_CASE("a balance is read as decimal text") {
    Fixture f;
    f.transport->respond(
        200, R"({"account_sid": ")" + account + R"(", "balance": "-0.04", "currency": "EUR"})");
    const auto got = f.client().balance();
    CHECK(got.account_sid.str() == account);
    CHECK(got.balance == "-0.04");
    CHECK(got.currency == "EUR");
    CHECK(f.transport->requests().at(0).url ==
          "https://api.twilio.com/2010-04-01/Accounts/" + account + "/Balance.json");
}

TEST_CASE("an answer that is no account or no balance is an error without effect") {
    for (const auto* body : {"", "[]", "{}", R"({"sid": 7})", "<html>", R"({"sid": "../x"})"}) {
        Fixture f;
        f.transport->respond(200, body).respond(200, body);
        INFO(body);
        CHECK(f.client().try_fetch().error().what() == containing("not an account"));
        const auto error = f.client().try_balance().error();
        CHECK(error.what() == containing("not a balance"));
        CHECK(error.effect() == Effect::none);
    }
}

TEST_CASE("FakeTwilio answers for its accounts, in all forms") {
    const auto fake = FakeTwilio::with_account();
    const AccountClient client{fake->credentials(), fake->client_options()};
    CHECK(client.fetch().status == AccountStatus::active);
    CHECK(client.fetch().type == AccountType::full);
    CHECK(client.balance().currency == "USD");

    fake->set_account_status(FakeTwilio::demo_account_sid, "suspended");
    fake->set_balance(FakeTwilio::demo_account_sid, "1.50", "EUR");
    FakeTwilio loaded;
    loaded.load(fake->save());
    const AccountClient other{loaded.credentials(), loaded.client_options()};
    CHECK(other.fetch().status == AccountStatus::suspended);
    CHECK(other.balance().balance == "1.50");

    std::optional<Result<Account>> fetched;
    std::optional<Result<Balance>> balance;
    client.async_fetch([&](Result<Account> result) { fetched = std::move(result); });
    client.async_balance([&](Result<Balance> result) { balance = std::move(result); });
    CHECK_FALSE(fetched.has_value());
    fake->run_until_idle();
    CHECK(fetched.value().value().status == AccountStatus::suspended);
    CHECK(balance.value().value().balance == "1.50");

    const auto subaccount = "AC" + std::string(32, 'b');
    fake->add_subaccount(subaccount, "other");
    const AccountClient sub{fake->credentials().for_account(subaccount), fake->client_options()};
    CHECK(sub.fetch().owner_account_sid.str() == FakeTwilio::demo_account_sid);
    CHECK(sub.try_balance().error().http_status() == 404);
}

}  // namespace account_client_test
