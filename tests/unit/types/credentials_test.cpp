#include <twiliowa/types/credentials.hpp>

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/types/address.hpp>

#include "support/show.hpp"

namespace credentials_test {

using namespace twiliowa;
using twiliowa::test::containing;

namespace {

const std::string account = "AC" + std::string(32, '0');
const std::string key = "SK" + std::string(32, '1');

/// Sets variables for one test and unsets all the library reads.
struct Environment {
    static constexpr const char* names[] = {
        "TWILIO_ACCOUNT_SID",     "TWILIO_AUTH_TOKEN", "TWILIO_API_KEY", "TWILIO_API_SECRET",
        "TWILIO_WHATSAPP_NUMBER", "TWILIO_EDGE",       "TWILIO_REGION",  "TWILIOWA_BASE_URL"};
    explicit Environment(std::vector<std::pair<std::string, std::string>> values) {
        clear();
        for (const auto& [name, value] : values) setenv(name.c_str(), value.c_str(), 1);
    }
    ~Environment() { clear(); }
    static void clear() {
        for (const char* name : names) unsetenv(name);
    }
};

}  // namespace

TEST_CASE("credentials become basic authentication") {
    CHECK(Credentials::auth_token(account, "tok").authorization().reveal() ==
          "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDp0b2s=");
    const auto with_key = Credentials::api_key(account, key, "secret");
    CHECK(with_key.username() == key);
    CHECK(with_key.account_sid().str() == account);
}

TEST_CASE("credentials for another account keep their login") {
    const std::string subaccount = "AC" + std::string(32, 'b');
    const auto main = Credentials::auth_token(account, "canary-token");
    const auto acting = main.for_account(subaccount);
    CHECK(acting.account_sid().str() == subaccount);
    CHECK(acting.username() == account);
    CHECK(acting.authorization().reveal() == main.authorization().reveal());
    CHECK(acting.password().reveal().data() == main.password().reveal().data());
    CHECK(main.account_sid().str() == account);
    CHECK(acting.for_account(account).account_sid().str() == account);

    CHECK(main.try_for_account("AC1").error().field() == "AccountSid");
    CHECK(Credentials{}.try_for_account(subaccount).error().field() == "credentials");
    const auto with_key = Credentials::api_key(account, key, "canary-secret");
    CHECK(with_key.for_account(account).username() == key);
    const auto refused = with_key.try_for_account(subaccount);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().field() == "credentials");
    CHECK(refused.error().what() == containing("API key"));
    CHECK(refused.error().what() != containing("canary"));
    CHECK_THROWS_AS(static_cast<void>(with_key.for_account(subaccount)), InvalidRequestError);
}

TEST_CASE("wrong credentials are refused by name and never quoted") {
    CHECK(Credentials::try_auth_token("AC", "tok").error().field() == "AccountSid");
    CHECK(Credentials::try_auth_token(account, "").error().field() == "AuthToken");
    CHECK(Credentials::try_api_key(account, account, "s").error().field() == "ApiKeySid");
    const auto broken = Credentials::try_auth_token(account, "canary\r\nX-Evil: 1");
    REQUIRE_FALSE(broken);
    CHECK(broken.error().what() != containing("canary"));
    CHECK_THROWS_AS(Credentials::auth_token("", ""), InvalidRequestError);
}

TEST_CASE("the environment gives a token or a key, and a missing variable is named") {
    const auto missing = [](std::vector<std::pair<std::string, std::string>> values) {
        const Environment environment(std::move(values));
        const auto result = Credentials::try_from_environment();
        return result ? std::string{} : result.error().field();
    };
    CHECK(missing({}) == "TWILIO_ACCOUNT_SID");
    CHECK(missing({{"TWILIO_ACCOUNT_SID", account}}) == "TWILIO_AUTH_TOKEN");
    CHECK(missing({{"TWILIO_ACCOUNT_SID", account}, {"TWILIO_API_KEY", key}}) ==
          "TWILIO_API_SECRET");
    CHECK(missing({{"TWILIO_ACCOUNT_SID", account}, {"TWILIO_API_SECRET", "s"}}) ==
          "TWILIO_API_KEY");
    CHECK(missing({{"TWILIO_ACCOUNT_SID", "x"}, {"TWILIO_AUTH_TOKEN", "t"}}) ==
          "TWILIO_ACCOUNT_SID");
    CHECK(missing({{"TWILIO_ACCOUNT_SID", account}, {"TWILIO_AUTH_TOKEN", "t"}}).empty());
    CHECK(
        missing(
            {{"TWILIO_ACCOUNT_SID", account}, {"TWILIO_API_KEY", key}, {"TWILIO_API_SECRET", "s"}})
            .empty());
}

TEST_CASE("client options from the environment name what is missing or wrong") {
    {
        const Environment environment({});
        CHECK(ClientOptions::try_from_environment().error().field() == "TWILIO_WHATSAPP_NUMBER");
    }
    {
        const Environment environment(
            {{"TWILIO_WHATSAPP_NUMBER", "+14155238886"}, {"TWILIO_REGION", "xx9"}});
        CHECK(ClientOptions::try_from_environment().error().field() == "TWILIO_EDGE");
    }
    {
        const Environment environment({{"TWILIO_WHATSAPP_NUMBER", "+14155238886"},
                                       {"TWILIO_EDGE", "dublin"},
                                       {"TWILIO_REGION", "ie1"}});
        CHECK(ClientOptions::from_environment().region == "ie1");
    }
    {
        const Environment environment(
            {{"TWILIO_WHATSAPP_NUMBER", "+14155238886"}, {"TWILIOWA_BASE_URL", "ftp://x"}});
        CHECK(ClientOptions::try_from_environment().error().field() == "TWILIOWA_BASE_URL");
    }
}

TEST_CASE("what no credential can hold is refused by name") {
    const auto refused = [](const std::string& value) {
        CAPTURE(value);
        for (const auto& result : {Credentials::try_auth_token(account, value),
                                   Credentials::try_api_key(account, key, value)}) {
            REQUIRE_FALSE(result);
            CHECK(result.error().kind() == ErrorKind::invalid_request);
            CHECK_FALSE(result.error().hint().empty());
        }
        return Credentials::try_auth_token(account, value).error().what();
    };
    CHECK(refused("\"0123456789abcdef\"").find("quotation mark") != std::string::npos);
    CHECK(refused("'0123456789abcdef'").find("quotation mark") != std::string::npos);
    CHECK(refused("\xe2\x80\x9c"
                  "0123"
                  "\xe2\x80\x9d")
              .find("0123") == std::string::npos);
    for (const char* value : {"<token>", "$TWILIO_AUTH_TOKEN", "${TOKEN}", "{{ token }}", "a\\b",
                              "\xef\xbb\xbf"
                              "xyz",
                              "abc\xe2\x80\x8b", "\xc3\xa9", "a,b", "a;b", "a`b", "a:b", "%TOKEN%",
                              "user@host", "[token]"}) {
        refused(value);
    }
    const Environment environment(
        {{"TWILIO_ACCOUNT_SID", account}, {"TWILIO_AUTH_TOKEN", "\"0123456789abcdef\""}});
    const auto error = Credentials::try_from_environment().error();
    CHECK(error.field() == "TWILIO_AUTH_TOKEN");
    CHECK(error.hint().find("docker") != std::string::npos);
}

TEST_CASE("every character that a token may be made of passes") {
    CHECK(Credentials::try_auth_token(account, "azAZ09-._~+/="));
}

TEST_CASE("credentials come from the JSON of a secret store, under keys of one's own") {
    const auto token = Credentials::from_json(R"({"twilio_account_sid": ")" + account +
                                              R"(", "twilio_auth_token": "tok\u0065n",)"
                                              R"( "twilio_template_sid": "HX", "n": [1, {}]})");
    CHECK(token.account_sid().str() == account);
    CHECK(token.password().reveal() == "token");
    const auto with_key = Credentials::from_json(
        R"({"sid": ")" + account + R"(", "key": ")" + key + R"(", "secret": "s", "token": "t"})",
        {.account_sid = "sid", .auth_token = "token", .api_key = "key", .api_secret = "secret"});
    CHECK(with_key.username() == key);
    CHECK(with_key.password().reveal() == "s");
}

TEST_CASE("JSON without credentials is refused by the name of the key, and tells no value") {
    const auto refusal = [](const std::string& json) {
        const auto error = Credentials::try_from_json(json).error();
        CHECK(error.what() != containing("canary"));
        CHECK(error.hint() != containing("canary"));
        return error.field();
    };
    const std::string sid = R"("twilio_account_sid": ")" + account + '"';
    CHECK(refusal("") == "json");
    CHECK(refusal("[]") == "json");
    CHECK(refusal(R"("canary")") == "json");
    CHECK(refusal(R"({"twilio_auth_token": "canary")") == "json");
    CHECK(refusal("{}") == "twilio_account_sid");
    CHECK(refusal('{' + sid + '}') == "twilio_auth_token");
    CHECK(refusal('{' + sid + R"(, "nested": {"twilio_auth_token": "canary"}})") ==
          "twilio_auth_token");
    CHECK(refusal('{' + sid + R"(, "twilio_auth_token": 7})") == "twilio_auth_token");
    CHECK(refusal('{' + sid + R"(, "twilio_auth_token": {"x": "canary"}})") == "twilio_auth_token");
    CHECK(refusal('{' + sid + R"(, "twilio_auth_token": ["canary"]})") == "twilio_auth_token");
    CHECK(refusal('{' + sid + R"(, "twilio_auth_token": null})") == "twilio_auth_token");
    CHECK(refusal('{' + sid + R"(, "twilio_auth_token": "can ary"})") == "twilio_auth_token");
    CHECK(refusal('{' + sid + R"(, "twilio_api_key": "canary"})") == "twilio_api_secret");
    CHECK(refusal(R"({"twilio_account_sid": "canary", "twilio_auth_token": "canary"})") ==
          "twilio_account_sid");
}

TEST_CASE("who names no variable for the sender needs none, and gets none") {
    const Environment set{{{"TWILIO_WHATSAPP_NUMBER", "nobody"}, {"TWILIO_EDGE", "dublin"}}};
    const auto options = ClientOptions::try_from_environment({.sender = ""}).value();
    CHECK(options.from.empty());
    CHECK(options.edge == "dublin");
}

TEST_CASE("the sender comes from the variable that is named, its prefix once") {
    const Environment set{{{"TWILIO_EDGE", "canary edge"}}};
    setenv("TEST_PHONE_NUMBER", "whatsapp:+14155238886", 1);
    auto options = ClientOptions::try_from_environment({.sender = "TEST_PHONE_NUMBER"});
    CHECK(options.error().field() == "TWILIO_EDGE");
    unsetenv("TWILIO_EDGE");
    options = ClientOptions::try_from_environment({.sender = "TEST_PHONE_NUMBER"});
    CHECK(Address::parse(options.value().from).value().wire() == "whatsapp:+14155238886");
    setenv("TEST_PHONE_NUMBER", "+14155238886", 1);
    options = ClientOptions::try_from_environment({.sender = "TEST_PHONE_NUMBER"});
    CHECK(Address::parse(options.value().from).value().wire() == "whatsapp:+14155238886");
    setenv("TEST_PHONE_NUMBER", "nobody", 1);
    CHECK(ClientOptions::try_from_environment({.sender = "TEST_PHONE_NUMBER"}).error().field() ==
          "TEST_PHONE_NUMBER");
    unsetenv("TEST_PHONE_NUMBER");
    CHECK(ClientOptions::try_from_environment({.sender = "TEST_PHONE_NUMBER"}).error().field() ==
          "TEST_PHONE_NUMBER");
}

}  // namespace credentials_test
