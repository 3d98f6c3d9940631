#include <twiliowa/outbox/accounts.hpp>

#include <doctest/doctest.h>

#include <string>

#include <twiliowa/types/error.hpp>

namespace accounts_test {

using namespace twiliowa;

namespace {

const std::string first(std::string{"AC"} + std::string(32, '1'));
const std::string second(std::string{"AC"} + std::string(32, '2'));
const std::string unknown(std::string{"AC"} + std::string(32, '3'));

Accounts two() {
    Accounts accounts{{.from = "+14155550000"}};
    accounts.add(Credentials::auth_token(first, "token-of-the-first"), "+14155550001");
    accounts.add(Credentials::auth_token(second, "token-of-the-second"), "whatsapp:+14155550002");
    return accounts;
}

}  // namespace

TEST_CASE("an account is found by its SID, with its own sender") {
    const auto accounts = two();
    REQUIRE(accounts.find(second) != nullptr);
    CHECK(accounts.find(second)->credentials.account_sid().str() == second);
    CHECK(std::string{accounts.find(second)->options.from} == "whatsapp:+14155550002");
    CHECK(accounts.find(unknown) == nullptr);
    CHECK(accounts.find("") == nullptr);
    CHECK(accounts.all().size() == 2);
    CHECK(accounts.clients().size() == 2);
}

TEST_CASE("an outbox gets the account's client, and is told of one that is not known") {
    const auto accounts = two();
    CHECK(accounts.outbox_account(first).client() != nullptr);
    const auto none = accounts.outbox_account(unknown);
    CHECK(none.client() == nullptr);
    CHECK_FALSE(none.is_switched_off());
}

TEST_CASE("an account's webhooks are signed by its own token alone") {
    const auto accounts = two();
    const auto keys = accounts.signing_keys({.account_sid = second});
    REQUIRE(keys.size() == 1);
    CHECK(keys[0].secret.matches("token-of-the-second"));
    CHECK(accounts.signing_keys({.account_sid = unknown}).empty());
    CHECK(accounts.signing_keys({}).empty());
}

TEST_CASE("the secret of an API key signs no webhook") {
    Accounts accounts{{}};
    accounts.add(Credentials::api_key(first, "SK" + std::string(32, '4'), "secret"),
                 "+14155550001");
    CHECK(accounts.outbox_account(first).client() != nullptr);
    CHECK(accounts.signing_keys({.account_sid = first}).empty());
}

TEST_CASE("an account is there once") {
    auto accounts = two();
    CHECK_THROWS_AS(accounts.add(Credentials::auth_token(first, "another-token"), "+14155550003"),
                    InvalidRequestError);
    CHECK(accounts.signing_keys({.account_sid = first})[0].secret.matches("token-of-the-first"));
}

}  // namespace accounts_test
