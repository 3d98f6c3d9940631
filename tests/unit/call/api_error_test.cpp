#include "call/api_error.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace api_error_test {

using namespace twiliowa;
using namespace std::chrono_literals;

namespace {

const TimePoint now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};

Error answered(int status, std::string body, HttpHeaders headers = {}) {
    return detail::api_error(HttpResponse{status, std::move(headers), std::move(body)}, now);
}

}  // namespace

TEST_CASE("every error shape of Twilio's gives its code and message") {
    const std::vector<std::pair<std::string, std::string>> shapes{
        {R"({"code":21608,"message":"m","more_info":"u","status":400})", "v2010"},
        {R"({"type":"t","title":"m","status":400,"code":21608,"instance":"i"})", "RFC 9457"},
        {R"({"type":"t","title":"x","status":400,"code":21608,"detail":"m"})", "RFC 9457 detail"},
        {R"({"code":21608,"message":"m","httpStatusCode":400,"params":{},"userError":true})", "v1"},
        {R"({"errors":[{"code":21608,"message":"m","infoUrl":"u","context":{}}]})", "bulk"},
        {R"({"code":"21608","message":"m"})", "code as text"},
    };
    for (const auto& shape : shapes) {
        const auto& body = shape.first;
        const auto& name = shape.second;
        CAPTURE(name);
        const auto error = answered(400, body);
        CHECK(error.kind() == ErrorKind::api);
        CHECK(error.effect() == Effect::none);
        CHECK(error.code() == 21608);
        CHECK(error.message() == "m");
        CHECK(error.http_status() == 400);
    }
}

TEST_CASE("only the first of several errors is told, and none that is nested deeper") {
    const auto error = answered(
        400,
        R"({"errors":[{"code":1,"context":{"code":9}},{"code":2,"message":"x"}],"a":[{"code":3}]})");
    CHECK(error.code() == 1);
    CHECK(error.message().empty());
    CHECK(answered(400, R"({"errors":[{"params":["a",["b"],{"c":1}],"code":7}]})").code() == 7);
    CHECK(answered(400, R"({"code":5,"errors":[{"code":1,"message":"m"}]})").code() == 5);
    CHECK(answered(400, R"([{"code":5}])").code() == 0);
    CHECK(answered(400, R"({"errors":[[{"code":5}]]})").code() == 0);
    CHECK(answered(400, R"({"errors":{"code":5}})").code() == 0);
}

TEST_CASE("an error of many words is not read") {
    const std::string most(64u << 10, ' ');
    const std::string body = R"({"code":21608,"message":"m"})";
    CHECK(answered(400, body + most.substr(body.size())).code() == 21608);
    CHECK(answered(400, body + most).code() == 0);
    CHECK(answered(400, body + most).effect() == Effect::unknown);
    CHECK(answered(401, std::string(16u << 20, '[')).effect() == Effect::unknown);
}

TEST_CASE("a status has its kind") {
    const std::string body = R"({"code":1,"message":"m"})";
    CHECK(answered(401, body).kind() == ErrorKind::authentication);
    CHECK(answered(403, body).kind() == ErrorKind::authentication);
    CHECK(answered(404, body).kind() == ErrorKind::not_found);
    CHECK(answered(410, body).kind() == ErrorKind::not_found);
    CHECK(answered(429, body).kind() == ErrorKind::rate_limit);
    CHECK(answered(400, body).kind() == ErrorKind::api);
    CHECK(answered(500, body).kind() == ErrorKind::api);
    CHECK(answered(302, body).kind() == ErrorKind::response);
}

TEST_CASE("only a 4xx that can be read, or a 429, certainly did nothing") {
    CHECK(answered(400, R"({"message":"m"})").effect() == Effect::none);
    CHECK(answered(429, "").effect() == Effect::none);
    for (const char* body : {"", "<html>", "[]", "{}", "null", R"({"code":null})",
                             R"({"errors":[]})", R"({"errors":[{"errors":[{"code":1}]}]})"}) {
        CAPTURE(body);
        CHECK(answered(400, body).effect() == Effect::unknown);
    }
    CHECK(answered(500, R"({"code":20500,"message":"m"})").effect() == Effect::unknown);
    CHECK(answered(302, "").effect() == Effect::unknown);
}

TEST_CASE("hostile numbers and types do no harm") {
    CHECK(answered(400, R"({"code":99999999999999999999,"message":"m"})").code() == 0);
    CHECK(answered(400, R"({"code":4294967296,"message":"m"})").code() == 0);
    CHECK(answered(400, R"({"code":-5,"message":"m"})").code() == 0);
    CHECK(answered(400, R"({"code":{"a":1},"message":["m"]})").code() == 0);
    static_cast<void>(answered(400, std::string(1'000'000, '[')));
    CHECK(answered(400, "{\"message\":\"\xff\"}").message().empty());
}

TEST_CASE("a request id is kept only if it is a plain identifier") {
    CHECK(answered(400, "{}", {{"twilio-request-id", "RQ12ab"}}).request_id() == "RQ12ab");
    CHECK(answered(400, "{}", {{"Twilio-Request-Id", "RQ +447700900123"}}).request_id().empty());
    CHECK(answered(400, "{}", {{"Twilio-Request-Id", std::string(65, 'a')}}).request_id().empty());
}

TEST_CASE("Retry-After is read as seconds and as a date") {
    using detail::parse_retry_after;
    CHECK(parse_retry_after("7", now) == 7s);
    CHECK(parse_retry_after(" 0 ", now) == 0s);
    CHECK(parse_retry_after("Sat, 21 Nov 2026 00:00:30 GMT", now) == 30s);
    CHECK(parse_retry_after("Fri, 20 Nov 2026 00:00:30 GMT", now) == 0s);
    CHECK(parse_retry_after("99999999999999999999999", now) == std::chrono::hours{24 * 365});
    for (const char* nonsense : {"", " ", "-1", "1.5", "soon", "7s", "\x00"}) {
        CAPTURE(nonsense);
        CHECK_FALSE(parse_retry_after(nonsense, now));
    }
    CHECK(answered(429, "{}", {{"Retry-After", "3"}}).retry_after() == 3s);
}

TEST_CASE("a proxy that asks for credentials has passed nothing on") {
    for (const char* body : {"", "<html>", R"({"code":1,"message":"m"})"}) {
        const auto error = answered(407, body);
        CHECK(error.kind() == ErrorKind::transport);
        CHECK(error.effect() == Effect::none);
        CHECK(error.http_status() == 407);
        CHECK(error.what().find("proxy") != std::string::npos);
    }
}

}  // namespace api_error_test
