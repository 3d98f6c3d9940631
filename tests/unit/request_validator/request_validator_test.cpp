#include <twiliowa/request_validator.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "support/show.hpp"

namespace request_validator_test {

using namespace twiliowa;
using twiliowa::test::containing;

// Signatures written out here were made with
//   printf %s "$string" | openssl dgst -sha1 -hmac "$token" -binary | base64

namespace {

const std::string token = "12345";
const std::string plain_url = "https://example.com/myapp.php?foo=1&bar=2";
const std::string hello_signature = "auPCBlqYuOXiaJO3vsvFsrY0XQU=";  // plain_url, Body=hello

const std::string mine = "AC" + std::string(32, '1');
const std::string theirs = "AC" + std::string(32, '2');

constexpr std::string_view form_type = "application/x-www-form-urlencoded";

SignedRequest form(std::string_view url, std::string_view body, std::string_view signature) {
    return {.url = url, .content_type = form_type, .body = body, .signature = signature};
}

/// What Twilio would send if it called `called` with `body`.
std::string signed_for(std::string_view called, std::string_view body = "Body=hello",
                       std::string_view key = token) {
    return RequestValidator{key}.sign(form(called, body, {}));
}

Verdict verdict(std::string_view url, std::string_view body, std::string_view signature) {
    return RequestValidator{token}.check(form(url, body, signature));
}

VerdictReason reason_of(const SignedRequest& request) {
    return RequestValidator{token}.check(request).reason;
}

}  // namespace

TEST_CASE("a form is verified against a signature made elsewhere, and signed the same") {
    CHECK(verdict(plain_url, "Body=hello", hello_signature).ok());
    CHECK(RequestValidator{token}.validate(form(plain_url, "Body=hello", hello_signature)));
    CHECK(signed_for(plain_url) == hello_signature);
    CHECK_FALSE(verdict(plain_url, "Body=hellp", hello_signature).ok());
    CHECK_FALSE(verdict(plain_url, "body=hello", hello_signature).ok());
    CHECK_FALSE(verdict(plain_url + "3", "Body=hello", hello_signature).ok());
    CHECK_FALSE(RequestValidator{"12346"}.validate(form(plain_url, "Body=hello", hello_signature)));
}

TEST_CASE("parameters are sorted by name, several values of a name by value, each once") {
    const auto sorted = signed_for(plain_url, "A=1&Ab=0&B=2&B=3&b=1");
    CHECK(verdict(plain_url, "b=1&B=3&Ab=0&B=2&A=1&B=3", sorted).ok());
    CHECK(signed_for(plain_url, "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234") ==
          RequestValidator{token}.sign(
              {.method = "GET", .url = plain_url + "Digits1234Digits5678SidCA123SidAccountAC123"}));
    // Not as pairs put together: "Reason" < "ReasonConferenceEnded" decides, not "P" < "t".
    CHECK(signed_for(plain_url, "ReasonConferenceEnded=test&Reason=zz") ==
          RequestValidator{token}.sign(
              {.method = "GET", .url = plain_url + "ReasonzzReasonConferenceEndedtest"}));
}

TEST_CASE("more parameters than fit in place, and names alike at their start, are sorted as well") {
    std::string body;
    std::string text;
    for (int i = 0; i < 300; ++i) {
        const auto number = std::to_string(1000 + (i * 7) % 300);
        body.append("&LongPrefixOfAName").append(number).append("=v").append(number);
        const auto in_order = std::to_string(1000 + i);
        text.append("LongPrefixOfAName").append(in_order).append("v").append(in_order);
    }
    CHECK(signed_for(plain_url, body) ==
          RequestValidator{token}.sign({.method = "GET", .url = plain_url + text}));
    CHECK(verdict(plain_url, body, signed_for(plain_url, body)).ok());
}

TEST_CASE("forms are decoded: plus, escapes of either case, UTF-8, empty and broken ones") {
    const auto text = [](std::string_view signed_text) {
        return RequestValidator{token}.sign(
            {.method = "GET", .url = plain_url + std::string(signed_text)});
    };
    CHECK(signed_for(plain_url, "Body=a+b%20c%2bd%2Be") == text("Bodya b c+d+e"));
    CHECK(signed_for(plain_url, "Caf%C3%A9=%f0%9f%98%80") == text("Caf\xC3\xA9\xF0\x9F\x98\x80"));
    CHECK(signed_for(plain_url, "Caf\xC3\xA9=x") == text("Caf\xC3\xA9x"));
    CHECK(signed_for(plain_url, "Empty=&None&&=x") == text("xEmptyNone"));
    CHECK(signed_for(plain_url, "Body=100%&Z=%4&Y=%zz&X=a%3Db=c") == text("Body100%Xa=b=cY%zzZ%4"));
    CHECK(signed_for(plain_url, std::string_view("A=\0b", 4)) == text(std::string_view("A\0b", 3)));
}

TEST_CASE("with and without a port is the same, which of them Twilio signed is not known") {
    const std::string path = "/a?b=c";
    for (const std::string_view given : {"", ":443", ":8080"}) {
        for (const std::string_view called : {"", ":443"}) {
            CAPTURE(given);
            CAPTURE(called);
            const auto url = "https://example.com" + std::string(given) + path;
            const auto signature = signed_for("https://example.com" + std::string(called) + path);
            CHECK(verdict(url, "Body=hello", signature).ok());
        }
    }
    CHECK(verdict("http://example.com/a", "", signed_for("http://example.com:80/a", "")).ok());
    CHECK_FALSE(
        verdict("https://example.com/a", "", signed_for("https://example.com:80/a", "")).ok());
    CHECK_FALSE(
        verdict("https://example.com/a", "", signed_for("https://example.com:8080/a", "")).ok());
}

TEST_CASE("user names, passwords and IPv6 addresses survive the change of a port") {
    for (const std::string host : {"user:pass@example.com", "user@example.com",
                                   "a:b@c:1@example.com", "[2001:db8::1]", "user:pass@[::1]"}) {
        CAPTURE(host);
        const auto with = "https://" + host + ":443/a";
        const auto without = "https://" + host + "/a";
        CHECK(verdict(without, "A=1", signed_for(with, "A=1")).ok());
        CHECK(verdict(with, "A=1", signed_for(without, "A=1")).ok());
        CHECK(verdict("https://" + host + ":9/a", "A=1", signed_for(without, "A=1")).ok());
    }
}

TEST_CASE("an apostrophe in the query may be spelt either way") {
    const std::string raw = "https://example.com/a?b=it's&c='";
    const std::string escaped = "https://example.com/a?b=it%27s&c=%27";
    CHECK(verdict(raw, "A=1", signed_for(escaped, "A=1")).ok());
    CHECK(verdict(escaped, "A=1", signed_for(raw, "A=1")).ok());
    CHECK(verdict("https://example.com:443/a?b=it's&c='", "A=1", signed_for(escaped, "A=1")).ok());
}

TEST_CASE("the fragment is not signed") {
    CHECK(verdict(plain_url + "#rc=3&rp=all", "Body=hello", hello_signature).ok());
    CHECK(signed_for(plain_url + "#rc=3&rp=all") == hello_signature);
}

TEST_CASE("a GET or HEAD is its URL, with whatever body") {
    const auto signature = signed_for(plain_url, "");
    for (const std::string_view method : {"GET", "get", "HEAD", "head"}) {
        CAPTURE(method);
        CHECK(reason_of({.method = method, .url = plain_url, .signature = signature}) ==
              VerdictReason::ok);
        CHECK(reason_of({.method = method,
                         .url = plain_url,
                         .content_type = form_type,
                         .body = "Body=hello",
                         .signature = signature}) == VerdictReason::ok);
    }
    CHECK(reason_of({.method = "POST",
                     .url = plain_url,
                     .content_type = form_type,
                     .body = "Body=hello",
                     .signature = signature}) == VerdictReason::mismatch);
}

TEST_CASE("a body that is no form is known by its hash in the URL") {
    const std::string body = R"({"property": "value", "boolean": true})";
    const std::string url =
        "https://example.com/a?bodySHA256="
        "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    CHECK(RequestValidator::with_body_hash("https://example.com/a#rc=1", body) == url + "#rc=1");
    CHECK(RequestValidator::with_body_hash("https://example.com/a?b", "{}") ==
          containing("?b&bodySHA256="));
    SignedRequest request{.url = url, .content_type = "application/json", .body = body};
    const auto signature = RequestValidator{token}.sign(request);
    CHECK(signature == signed_for(url, ""));
    request.signature = signature;
    CHECK(reason_of(request) == VerdictReason::ok);

    SUBCASE("another body is refused") {
        request.body = "{}";
        CHECK(reason_of(request) == VerdictReason::body_hash_mismatch);
    }
    SUBCASE("nor can the body be left out, or dressed up as nothing") {
        for (const std::string_view nothing : {"", "&", "=", "=&="}) {
            for (const std::string_view type : {std::string_view("text/plain"), form_type}) {
                for (const std::string_view method : {"POST", "GET"}) {
                    request.method = method;
                    request.content_type = type;
                    request.body = nothing;
                    CHECK(reason_of(request) == VerdictReason::body_hash_mismatch);
                }
            }
        }
    }
    SUBCASE("nor can a form take its place") {
        request.content_type = form_type;
        request.body = "Body=hello";
        CHECK(reason_of(request) == VerdictReason::mismatch);
    }
    SUBCASE("a hash in capitals is the same hash") {
        const std::string upper =
            "https://example.com/a?bodySHA256="
            "0A1FF7634D9AB3B95DB5C9A2DFE9416E41502B283A80C7CF19632632F96E6620";
        const auto other = signed_for(upper, "");
        request.url = upper;
        request.signature = other;
        CHECK(reason_of(request) == VerdictReason::ok);
    }
}

TEST_CASE("a body that is neither form nor hashed is refused, whatever the signature") {
    const auto signature = signed_for(plain_url, "");
    for (const std::string_view type : {"application/json", "text/plain", "multipart/form-data"}) {
        CHECK(reason_of(
                  {.url = plain_url, .content_type = type, .body = "{}", .signature = signature}) ==
              VerdictReason::body_hash_missing);
    }
    CHECK(reason_of({.url = plain_url,
                     .content_type = "application/json",
                     .body = "{}",
                     .signature = signed_for(plain_url + "&BODYSHA256=x", "")}) ==
          VerdictReason::body_hash_missing);
}

TEST_CASE("a form with the hash of its body in the URL passes signed as a form only") {
    const auto url = RequestValidator::with_body_hash("https://example.com/a", "Body=hello");
    CHECK(verdict(url, "Body=hello", signed_for(url, "Body=hello")).ok());
    const auto url_only = signed_for(url, "");
    CHECK_FALSE(verdict(url, "Body=hello", url_only).ok());
    CHECK_FALSE(verdict(url, "Body=other", url_only).ok());
}

TEST_CASE("signed JSON does not pass for a form, whatever a customer wrote into it") {
    const std::string body = R"({"text":"&MessageSid=SM0&From=whatsapp:%2B1&Body=pay&"})";
    const auto url = RequestValidator::with_body_hash("https://example.com/a", body);
    const auto signature = signed_for(url, "");
    CHECK(reason_of({.url = url,
                     .content_type = "application/json",
                     .body = body,
                     .signature = signature}) == VerdictReason::ok);
    CHECK(verdict(url, body, signature).reason == VerdictReason::mismatch);
    CHECK(reason_of({.url = url, .body = body, .signature = signature}) == VerdictReason::mismatch);
}

TEST_CASE("a signed form moved into the URL brings no body of the customer's own with it") {
    const std::string account = "AC0123456789abcdef0123456789abcdef";
    const auto other_body = [](std::string_view type) {
        return type == form_type ? std::string{"Body=pay"} : std::string{R"({"pay":1})"};
    };
    for (const std::string_view type : {form_type, std::string_view{"application/json"}}) {
        CAPTURE(type);
        const auto hash = RequestValidator::with_body_hash("?a", other_body(type)).substr(2);
        const auto fields = "AccountSid" + account + "Bodyhi" + hash + "&From+1";
        const std::string url = "https://example.com/a?b=1";
        const auto form =
            "AccountSid=" + account + "&Body=hi" + "%26" + hash.substr(1) + "%26&From=%2B1";
        const auto signature = signed_for(url, form);
        CHECK(verdict(url, form, signature).ok());
        const auto moved = url + fields;
        CHECK(signed_for(moved, "") == signature);
        const auto verdict = RequestValidator{token}.check(
            {.url = moved, .content_type = type, .body = other_body(type), .signature = signature});
        CHECK(verdict.reason == VerdictReason::mismatch);
        CHECK(verdict.hint == containing("moved"));
    }
}

TEST_CASE("a content type may have a charset, capitals and spaces, or be absent") {
    for (const std::string_view type :
         {"application/x-www-form-urlencoded; charset=UTF-8", "Application/X-WWW-Form-URLEncoded",
          " application/x-www-form-urlencoded ;charset=utf-8", ""}) {
        CHECK(reason_of({.url = plain_url,
                         .content_type = type,
                         .body = "Body=hello",
                         .signature = hello_signature}) == VerdictReason::ok);
    }
}

TEST_CASE("nothing passes without signature, key or URL") {
    CHECK(verdict(plain_url, "Body=hello", "").reason == VerdictReason::missing_signature);
    CHECK(verdict("", "Body=hello", hello_signature).reason == VerdictReason::missing_url);
    const auto with_empty_key = signed_for(plain_url, "Body=hello", "");
    CHECK(with_empty_key.empty());
    // HMAC with an empty key, as anybody can make it.
    const std::string anybodys = "y1J5qwNmmWT3JLeFvHsUNUa3HOg=";
    const auto request = form(plain_url, "Body=hello", anybodys);
    CHECK(RequestValidator{""}.check(request).reason == VerdictReason::no_key);
    CHECK(RequestValidator{Secret{}}.check(request).reason == VerdictReason::no_key);
    CHECK(RequestValidator{std::vector<Secret>{}}.check(request).reason == VerdictReason::no_key);
    CHECK(RequestValidator{std::vector<Secret>{Secret{}, Secret{token}}}.check(request).reason ==
          VerdictReason::mismatch);
}

TEST_CASE("a signature is the base64 text of an HMAC and nothing else") {
    for (const std::string_view text :
         {"x", "foobarbaz", "auPCBlqYuOXiaJO3vsvFsrY0XQU", "auPCBlqYuOXiaJO3vsvFsrY0XQU=\n",
          " auPCBlqYuOXiaJO3vsvFsrY0XQU=", "auPCBlqYuOXiaJO3vsvFsrY0XQV=",
          "auPCBlqYuOXiaJO3vsvFsrY0XQ==", "auPCBlqYuOXiaJO3vsvFsr-_XQU=",
          "NOTRSOYDt4T1cUTdK1PDd93/VVr8B8="}) {
        CAPTURE(text);
        CHECK(verdict(plain_url, "Body=hello", text).reason == VerdictReason::malformed_signature);
    }
    CHECK(verdict(plain_url, "Body=hello", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=").reason ==
          VerdictReason::mismatch);
}

TEST_CASE("what is no absolute http URL is refused by name") {
    for (const std::string_view url :
         {"/myapp.php", "example.com", "ftp://example.com/", "https://", "https:///a",
          "https://:443/", "https://example.com:x/", "https://example.com:123456/", "https://[::1/",
          "https://::1]/", "://", "#"}) {
        CAPTURE(url);
        CHECK(verdict(url, "Body=hello", hello_signature).reason == VerdictReason::malformed_url);
    }
}

TEST_CASE("limits are said, not passed over") {
    const std::string long_url = "https://example.com/" + std::string(20000, 'a');
    CHECK(verdict(long_url, "", hello_signature).reason == VerdictReason::too_large);
    const std::string large(RequestValidator::max_body_size + 1, 'a');
    CHECK(verdict(plain_url, large, hello_signature).reason == VerdictReason::too_large);
    std::string many = "a=1";
    for (std::size_t i = 1; i < RequestValidator::max_parameters; ++i) many += "&a=1";
    CHECK(verdict(plain_url, many, signed_for(plain_url, many)).ok());
    many += "&b=1";
    CHECK(verdict(plain_url, many, signed_for(plain_url, many)).reason == VerdictReason::too_large);
}

TEST_CASE("while a token is changed, the old and the new one are good, and it is said which") {
    const RequestValidator validator{std::vector<Secret>{Secret{"new"}, Secret{token}}};
    const auto old_one = validator.check(form(plain_url, "Body=hello", hello_signature));
    CHECK(old_one.ok());
    CHECK(old_one.key_index == 1);
    const auto fresh = signed_for(plain_url, "Body=hello", "new");
    CHECK(validator.check(form(plain_url, "Body=hello", fresh)).key_index == 0);
    CHECK(validator.sign(form(plain_url, "Body=hello", {})) == fresh);
    CHECK_FALSE(validator.validate(
        form(plain_url, "Body=hello", signed_for(plain_url, "Body=hello", "other"))));
}

TEST_CASE("keys are looked up by account and key id") {
    std::vector<std::string> asked;
    const RequestValidator validator{[&](const KeyQuery& query) -> std::vector<SigningKey> {
        asked.push_back(std::string(query.account_sid) + "/" + std::string(query.key_id));
        if (query.account_sid == mine) return {SigningKey{Secret{token}}};
        return {};
    }};
    const std::string body = "Body=x&AccountSid=" + mine + "&AccountSid=" + theirs;
    const auto signature = signed_for(plain_url, body);
    auto request = form(plain_url, body, signature);
    request.key_id = "key7";
    CHECK(validator.check(request).ok());
    const auto get_url = plain_url + "&AccountSid=A%43" + mine.substr(2);
    CHECK(validator.check({.method = "GET", .url = get_url, .signature = signed_for(get_url, "")})
              .ok());
    request.account_sid = theirs;
    CHECK(validator.check(request).reason == VerdictReason::no_key);
    CHECK(asked == std::vector<std::string>{mine + "/key7", mine + "/", theirs + "/key7"});
}

TEST_CASE("a request in the name of another account does not pass with one's own key") {
    const RequestValidator validator{[](const KeyQuery& query) {
        return std::vector<SigningKey>{
            SigningKey{Secret{query.account_sid == mine ? "mine" : "theirs"}}};
    }};
    for (const std::string& body :
         {"AccountSid=" + theirs, "AccountSid=" + theirs + "&AccountSid=" + mine,
          "AccountSid=&AccountSid=" + mine}) {
        const auto signature = signed_for(plain_url, body, "mine");
        CHECK(validator.check(form(plain_url, body, signature)).reason == VerdictReason::mismatch);
    }
    const std::string url = "https://example.com/a?Account%53id=" + theirs + "&AccountSid=" + mine;
    CHECK(validator.check({.method = "GET", .url = url, .signature = signed_for(url, "", "mine")})
              .reason == VerdictReason::mismatch);
}

TEST_CASE("a lookup is asked for whole account SIDs, and never with other bytes of a request") {
    std::vector<std::string> asked;
    const RequestValidator validator{[&](const KeyQuery& query) -> std::vector<SigningKey> {
        asked.push_back(std::string(query.account_sid) + "/" + std::string(query.key_id));
        return {};
    }};
    for (const std::string& account :
         {std::string(100'000, 'A'), std::string("'; DROP TABLE keys"), std::string("../../etc"),
          mine + "0", mine.substr(1), "SM" + mine.substr(2), "AC" + std::string(32, 'g')}) {
        asked.clear();
        const std::string body = "AccountSid=" + account;
        auto request = form(plain_url, body, hello_signature);
        request.key_id = account;
        static_cast<void>(validator.check(request));
        REQUIRE(asked.size() == 1);
        CHECK(asked.front().starts_with("/"));
    }
    auto request = form(plain_url, "", hello_signature);
    request.key_id = "../../etc";
    static_cast<void>(validator.check(request));
    CHECK(asked.back() == "/");
}

TEST_CASE("a body far larger than Twilio's is refused without guessing what went wrong") {
    const auto hint = [](std::size_t size) {
        const std::string body = "Body=" + std::string(size, 'a');
        const auto signature = signed_for("https://example.com/a", body);
        const auto verdict =
            RequestValidator{token}.check(form("http://example.com/a", body, signature));
        CHECK(verdict.reason == VerdictReason::mismatch);
        return std::string(verdict.hint);
    };
    CHECK(hint(20'000).starts_with("signed for https"));
    CHECK(hint(40'000).starts_with("neither the URL nor the body fits"));
}

TEST_CASE("validate refuses a body without its hash, or with another's, as check does") {
    const RequestValidator validator{token};
    const auto hashed = RequestValidator::with_body_hash("https://example.com/a", "{}");
    for (const auto& [url, body] : {std::pair{std::string("https://example.com/a"), "{}"},
                                    std::pair{hashed, "{ }"}, std::pair{hashed, ""}}) {
        SignedRequest request{.url = url, .content_type = "application/json", .body = body};
        const auto signature = validator.sign(request);
        request.signature = signature;
        CHECK_FALSE(validator.check(request).ok());
        CHECK_FALSE(validator.validate(request));
    }
    SignedRequest good{.url = hashed, .content_type = "application/json", .body = "{}"};
    const auto signature = validator.sign(good);
    good.signature = signature;
    CHECK(validator.validate(good));
}

TEST_CASE("a lookup that throws is a verdict, never an exception") {
    const RequestValidator validator{
        [](const KeyQuery&) -> std::vector<SigningKey> { throw std::runtime_error(token); }};
    const auto request = form(plain_url, "Body=hello", hello_signature);
    CHECK(validator.check(request).reason == VerdictReason::key_lookup_failed);
    CHECK_FALSE(validator.validate(request));
    const RequestValidator rude{[](const KeyQuery&) -> std::vector<SigningKey> { throw 1; }};
    CHECK(rude.check(request).reason == VerdictReason::key_lookup_failed);
}

TEST_CASE("HMAC-SHA256 is for keys that say so, and for no others") {
    // printf %s 'https://example.com/aBodyhello' | openssl dgst -sha256 -hmac key -binary | base64
    const std::string signature = "R0Ypu+xOemtJp1Lb1Olzi4BaQvmkOss65esd4rhN9TA=";
    const auto request = form("https://example.com/a", "Body=hello", signature);
    const RequestValidator sha256{
        std::vector<SigningKey>{{Secret{"key"}, SignatureAlgorithm::hmac_sha256}}};
    CHECK(sha256.sign(request) == signature);
    CHECK(sha256.check(request).ok());
    CHECK(RequestValidator{"key"}.check(request).reason == VerdictReason::unsupported_algorithm);
    const auto sha1 = signed_for("https://example.com/a", "Body=hello", "key");
    CHECK(sha256.check(form("https://example.com/a", "Body=hello", sha1)).reason ==
          VerdictReason::unsupported_algorithm);
    const RequestValidator both{
        std::vector<SigningKey>{{Secret{"key"}, SignatureAlgorithm::hmac_sha256}, {Secret{"key"}}}};
    CHECK(both.check(request).key_index == 0);
    CHECK(both.check(form("https://example.com/a", "Body=hello", sha1)).key_index == 1);
}

TEST_CASE("tokens longer than a block of the hash are hashed first") {
    // printf %s 'https://example.com/a' | openssl dgst -sha1 -hmac "$(printf 'k%.0s' {1..100})" ...
    CHECK(signed_for("https://example.com/a", "", std::string(100, 'k')) ==
          "Gjg+yoWwyd2J5K8rkiedCRhjfiI=");
}

TEST_CASE("a mismatch comes with its likely cause") {
    const auto hint = [](std::string_view given, std::string_view called,
                         std::string_view body = "Body=hello") {
        const auto found = verdict(given, body, signed_for(called, body));
        CHECK(found.reason == VerdictReason::mismatch);
        return std::string(found.hint);
    };
    const auto starts = [](const std::string& text, std::string_view start) {
        INFO(text);
        CHECK(text.compare(0, start.size(), start) == 0);
    };
    starts(hint("http://example.com/a", "https://example.com/a"),
           "signed for https, you passed http");
    starts(hint("http://example.com:8080/a", "https://example.com/a"), "signed for https");
    starts(hint("http://example.com/a", "https://example.com:443/a"), "signed for https");
    starts(hint("https://example.com/a", "http://example.com/a"),
           "signed for http, you passed https");
    starts(hint("https://Example.com/a", "https://example.com/a"), "signed for the host in lower");
    starts(hint("https://example.com/a/?b=1", "https://example.com/a?b=1"), "signed for the path");
    starts(hint("https://example.com/a?b=1", "https://example.com/a/?b=1"), "signed for the path");
    starts(hint("https://example.com/a?b=1", "https://example.com/a"), "signed without the query");
    starts(hint("https://example.com/a?b=1+2", "https://example.com/a?b=1%202"),
           "signed for the same");
    starts(hint("https://example.com/a", "https://example.com/b"), "neither the URL nor the body");
    starts(std::string(verdict(plain_url, "Body=hello", signed_for(plain_url, "")).hint),
           "signed without the form parameters");
    const auto as_json = RequestValidator{token}.check({.url = plain_url,
                                                        .content_type = "application/json",
                                                        .body = "Body=hello",
                                                        .signature = hello_signature});
    starts(std::string(as_json.hint), "signed as a form");
}

TEST_CASE("copies share the keys, and every reason has its name") {
    std::vector<RequestValidator> copies(3, RequestValidator{token});
    copies.erase(copies.begin());
    CHECK(copies.front().validate(form(plain_url, "Body=hello", hello_signature)));
    CHECK(to_string(VerdictReason::ok) == "ok");
    CHECK(to_string(VerdictReason::body_hash_mismatch) == "body_hash_mismatch");
    CHECK(to_string(static_cast<VerdictReason>(99)) == "unknown");
}

}  // namespace request_validator_test
