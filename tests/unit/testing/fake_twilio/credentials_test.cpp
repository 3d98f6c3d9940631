#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>

#include "wire.hpp"

namespace credentials_test {

using namespace twiliowa;
using namespace fake_test;
using twiliowa::testing::FakeTwilio;

TEST_CASE("FakeTwilio refuses credentials that do not open the account") {
    const Twilio twilio;
    auto request = twilio.request(HttpMethod::get, messages_path);
    const auto refused = [&](const Secret& authorization) {
        request.authorization = authorization;
        const auto response = twilio.fake->handle(request);
        check_refused(response, 401, 20003);
        CHECK_FALSE(response.header("WWW-Authenticate").empty());
    };
    const std::string other = "AC0000000000000000000000000000000f";
    SUBCASE("none") {
        refused(Secret{});
    }
    SUBCASE("a wrong token") {
        refused(Credentials::auth_token(account, "wrong").authorization());
    }
    SUBCASE("an unknown account") {
        refused(Credentials::auth_token(other, FakeTwilio::demo_auth_token).authorization());
    }
    SUBCASE("another account's") {
        twilio.fake->add_account(other, "token");
        refused(Credentials::auth_token(other, "token").authorization());
    }
    SUBCASE("an account that does not exist in the path") {
        request.url = "/2010-04-01/Accounts/" + other + "/Messages.json";
        refused(twilio.fake->credentials().authorization());
    }
    SUBCASE("nonsense") {
        for (const auto* text :
             {"Basic", "Basic ", "Basic !!!!", "Basic YWJj", "Bearer abc", "x"}) {
            refused(Secret{text});
        }
    }
}

TEST_CASE("FakeTwilio opens an account to its API key") {
    const Twilio twilio;
    const std::string key = "SK00000000000000000000000000000001";
    twilio.fake->add_api_key(account, key, "secret");
    auto request = twilio.request(HttpMethod::get, messages_path);
    request.authorization = Credentials::api_key(account, key, "secret").authorization();
    CHECK(twilio.fake->handle(request).status == 200);
    request.authorization = Credentials::api_key(account, key, "other").authorization();
    check_refused(twilio.fake->handle(request), 401, 20003);
}

TEST_CASE("FakeTwilio takes credentials from an Authorization header too") {
    const Twilio twilio;
    auto request = twilio.request(HttpMethod::get, messages_path);
    request.headers.emplace_back("authorization", std::string{request.authorization.reveal()});
    request.authorization = Secret{};
    CHECK(twilio.fake->handle(request).status == 200);
}

}  // namespace credentials_test
