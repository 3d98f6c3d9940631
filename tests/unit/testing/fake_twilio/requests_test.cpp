#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>

#include "wire.hpp"

namespace requests_test {

using namespace twiliowa;
using namespace fake_test;
using nlohmann::json;
using twiliowa::testing::FakeTwilio;

TEST_CASE("FakeTwilio answers any request, however broken") {
    const Twilio twilio;
    const auto send = [&](HttpMethod method, const std::string& url, const std::string& body = {}) {
        auto request = twilio.request(method, "", body);
        request.url = url;
        return twilio.fake->handle(request);
    };
    SUBCASE("a URL that leads nowhere") {
        const std::string accounts = "/2010-04-01/Accounts/";
        const std::vector<std::string> urls{"",
                                            "https://api.twilio.com",
                                            "/",
                                            "//",
                                            "?",
                                            "#",
                                            "://",
                                            std::string("\0", 1),
                                            "\xff\xfe",
                                            accounts + "/Messages.json",
                                            accounts + account,
                                            messages_path + "/",
                                            messages_path + "/x",
                                            accounts + "%zz/Messages.json",
                                            accounts + account + "/Messages/.json",
                                            std::string(1'000'000, '/')};
        for (const auto& url : urls) {
            check_refused(send(HttpMethod::get, url), 404, 20404);
        }
    }
    SUBCASE("a form that is not percent-encoded UTF-8") {
        for (const auto* body : {"To=%", "To=%zz", "To=%ff", "Body=\xff", "%c3%28=1"}) {
            CAPTURE(body);
            check_refused(send(HttpMethod::post, messages_path, body), 400, 20001);
        }
        check_refused(send(HttpMethod::get, messages_path + "?To=%ff"), 400, 20001);
    }
    SUBCASE("a form of nothing but separators") {
        check_refused(send(HttpMethod::post, messages_path, "&&=&=&&"), 400, 21604);
    }
    SUBCASE("a huge value") {
        check_refused(send(HttpMethod::post, messages_path, "To=" + std::string(5'000'000, '9')),
                      400, 21211);
    }
    SUBCASE("a NUL in an address") {
        check_refused(send(HttpMethod::post, messages_path, "To=%2B4477%0000900123&From=a&Body=a"),
                      400, 21211);
    }
    SUBCASE("a plus sign that was not encoded") {
        check_refused(send(HttpMethod::post, messages_path, "To=whatsapp:+447700900123"), 400,
                      21211);
    }
}

TEST_CASE("FakeTwilio finds no parameters in a body that is not a form") {
    const Twilio twilio;
    auto request = twilio.request(HttpMethod::post, messages_path, R"({"To":"x"})");
    request.headers.emplace_back("Content-Type", "application/json");
    check_refused(twilio.fake->handle(request), 400, 21604);
}

TEST_CASE("FakeTwilio refuses a method that the resource does not have") {
    const Twilio twilio;
    const auto sid = twilio.created_sid(text_form());
    check_refused(twilio.remove(messages_path), 405, 20004);
    check_refused(twilio.get(message_path(sid, "/Feedback")), 405, 20004);
    check_refused(twilio.post(message_path(sid, "/Media"), {}), 405, 20004);
    const auto put = twilio.fake->handle(twilio.request(HttpMethod::put, message_path(sid)));
    check_refused(put, 405, 20004);
    CHECK(put.header("Allow") == "GET, POST, DELETE");
}

TEST_CASE("FakeTwilio says of a path without .json that this is what it lacks") {
    const Twilio twilio;
    for (const auto& path :
         {"/2010-04-01/Accounts/" + account + "/Messages", "/2010-04-01/Accounts/" + account}) {
        CAPTURE(path);
        const auto response = twilio.get(path);
        check_refused(response, 404, 20404);
        CHECK(response.body.find(".json") != std::string::npos);
    }
    CHECK(twilio.get("/2010-04-01/Nothing").body.find(".json") == std::string::npos);
}

TEST_CASE("FakeTwilio shows an account to whoever has its credentials") {
    const Twilio twilio;
    const std::string path = "/2010-04-01/Accounts/" + account + ".json";
    const auto response = twilio.get(path);
    REQUIRE_MESSAGE(response.status == 200, response.body);
    const auto shown = json::parse(response.body);
    CHECK(shown["sid"] == account);
    CHECK(shown["owner_account_sid"] == account);
    CHECK(shown["status"] == "active");
    CHECK(shown["type"] == "Full");
    CHECK(shown["uri"] == path);
    CHECK(shown["subresource_uris"]["messages"] == messages_path);
    // Who asks has the token; a log should not.
    CHECK(response.body.find(FakeTwilio::demo_auth_token) == std::string::npos);

    twilio.fake->set_trial(account, {});
    CHECK(json::parse(twilio.get(path).body)["type"] == "Trial");
    const std::string owned = "AC0000000000000000000000000000000a";
    twilio.fake->add_subaccount(owned, "token");
    const auto sub = twilio.get("/2010-04-01/Accounts/" + owned + ".json");
    CHECK(json::parse(sub.body)["owner_account_sid"] == account);
    check_refused(twilio.get("/2010-04-01/Accounts/AC0000000000000000000000000000000f.json"), 401,
                  20003);
    check_refused(twilio.remove(path), 405, 20004);
}

TEST_CASE("FakeTwilio's answers have the headers of the API's") {
    const Twilio twilio;
    const auto response = twilio.create(text_form());
    CHECK(response.header("X-Api-Domain") == "api.twilio.com");
    CHECK(response.header("Access-Control-Allow-Origin") == "*");
    CHECK(response.header("Access-Control-Allow-Methods") ==
          "GET, POST, PATCH, PUT, DELETE, OPTIONS");
    CHECK(response.header("Access-Control-Expose-Headers") == "ETag, Twilio-Request-Id");
    CHECK(response.header("Access-Control-Allow-Headers").find("Authorization") !=
          std::string_view::npos);
    CHECK(twilio.get("/v1/Content").header("X-Api-Domain") == "content.twilio.com");
    CHECK(twilio.get("/nowhere").header("X-Api-Domain") == "api.twilio.com");
}

namespace {

HttpResponse post_parts(const Twilio& twilio, const std::string& body,
                        const std::string& type = "multipart/form-data; boundary=cut-here") {
    auto request = twilio.request(HttpMethod::post, messages_path, body);
    request.headers.emplace_back("Content-Type", type);
    return twilio.fake->handle(request);
}

std::string part(const std::string& name, const std::string& value) {
    return "--cut-here\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value +
           "\r\n";
}

}  // namespace

TEST_CASE("FakeTwilio carries out a request whose form comes in parts") {
    const Twilio twilio;
    const auto response = post_parts(twilio, part("To", recipient) + part("From", sender) +
                                                 part("Body", "Two\r\nlines & more") +
                                                 part("Tags", "a=b") + "--cut-here--\r\n");
    REQUIRE_MESSAGE(response.status == 201, response.body);
    const auto message = json::parse(response.body);
    CHECK(message["body"] == "Two\r\nlines & more");
    CHECK(twilio.fake->parameters(message["sid"].get<std::string>()).back() ==
          std::pair<std::string, std::string>{"Tags", "a=b"});
}

TEST_CASE("FakeTwilio refuses a form in parts that is not well-formed") {
    const Twilio twilio;
    const auto whole = part("To", recipient) + part("From", sender) + part("Body", "Hi");
    check_refused(post_parts(twilio, whole), 400, 20001);
    check_refused(post_parts(twilio, whole + "--cut-here--", "multipart/form-data"), 400, 20001);
    check_refused(post_parts(twilio, part("Body", "\xff") + "--cut-here--"), 400, 20001);
    CHECK(twilio.fake->messages().empty());
}

}  // namespace requests_test
