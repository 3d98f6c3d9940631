#include "media_client/media_url.hpp"

#include <doctest/doctest.h>

#include <string>

namespace media_url_test {

using namespace twiliowa;
using namespace twiliowa::detail;

namespace {

const std::string path = "/2010-04-01/Accounts/AC" + std::string(32, '0') + "/Messages/MM" +
                         std::string(32, 'a') + "/Media/ME" + std::string(32, 'B');
const ApiOrigin twilio{"https://api.twilio.com", "api.twilio.com", 443};

std::string resource(const ApiOrigin& origin, const std::string& link) {
    const auto url = media_resource_url(origin, link);
    return url ? url->text() : "refused: " + url.error().what();
}

std::string target(const std::string& from, const std::string& location) {
    const auto url = redirect_target(*parse_media_url(from), location);
    return url ? url->text() : "none";
}

bool allows(const std::string& rule, const std::string& url) {
    const auto parsed = parse_media_url(url);
    REQUIRE(parsed);
    return redirect_rule_allows(rule, *parsed);
}

}  // namespace

TEST_CASE("a media resource is asked for on the API's own origin") {
    CHECK(resource(twilio, "https://api.twilio.com" + path) == "https://api.twilio.com" + path);
    CHECK(resource(twilio, "https://API.Twilio.com:443" + path) == "https://api.twilio.com" + path);
    CHECK(resource(twilio, path) == "https://api.twilio.com" + path);
    CHECK(resource(twilio, path + ".json") == "https://api.twilio.com" + path);
    const ApiOrigin gateway{"http://127.0.0.1:8080", "127.0.0.1", 8080};
    CHECK(resource(gateway, "http://127.0.0.1:8080" + path) == "http://127.0.0.1:8080" + path);
    // Webhooks name api.twilio.com, however the API is reached.
    CHECK(resource(gateway, "https://api.twilio.com" + path) == "http://127.0.0.1:8080" + path);
    const ApiOrigin ip6{"https://[::1]:8443", "[::1]", 8443};
    CHECK(resource(ip6, "https://[::1]:8443" + path) == "https://[::1]:8443" + path);
}

TEST_CASE("no other URL gets the credentials") {
    for (const std::string& link :
         {"http://api.twilio.com" + path, "https://api.twilio.com:8443" + path,
          "https://api.twilio.com.evil.example" + path, "https://evil.example" + path,
          "https://api.twilio.com@evil.example" + path, "https://x:y@api.twilio.com" + path,
          "https://api.twilio.com\\@evil.example" + path,
          "https://evil.example#api.twilio.com" + path,
          "https://evil.example/https://api.twilio.com" + path, "//evil.example" + path,
          "https://api.twilio.com." + path, "ftp://api.twilio.com" + path, "https://" + path,
          "https:/api.twilio.com" + path, std::string("https://"), std::string(),
          "https://pricing.twilio.com" + path, "https://api.dublin.ie1.twilio.com" + path}) {
        CAPTURE(link);
        const auto url = media_resource_url(twilio, link);
        REQUIRE_FALSE(url);
        CHECK(url.error().kind() == ErrorKind::invalid_request);
        CHECK(url.error().field() == "url");
    }
    CHECK(media_resource_url(twilio, "https://evil.example" + path).error().host() ==
          "evil.example");
}

TEST_CASE("no other path gets the credentials") {
    const std::string account = "/2010-04-01/Accounts/AC" + std::string(32, '0');
    for (const std::string& link :
         {std::string("/"), account + ".json", account + "/Messages.json", path + "/", path + "/x",
          path + "?x=1", path + "#x", path + ".xml", path + ".json.json", path + "0", "/x" + path,
          path.substr(0, path.size() - 1), path.substr(0, path.size() - 1) + "g",
          "/2010-04-01//Accounts" + path.substr(20), path + "/../..", path + "%2f",
          account + "/../AC/Messages" + path, "/2010-04-01/Accounts/SM" + path.substr(23)}) {
        CAPTURE(link);
        CHECK_FALSE(media_resource_url(twilio, link));
        CHECK_FALSE(media_resource_url(twilio, "https://api.twilio.com" + link));
    }
}

TEST_CASE("redirects are read as they are written, or not at all") {
    const std::string from = "https://api.twilio.com/a/b?c=d";
    CHECK(target(from, "https://mms.twiliocdn.com/AC/x?Signature=1~2&Expires=3#top") ==
          "https://mms.twiliocdn.com/AC/x?Signature=1~2&Expires=3");
    CHECK(target(from, "HTTPS://MMS.TwilioCDN.com:443") == "https://mms.twiliocdn.com/");
    CHECK(target(from, "/x?y") == "https://api.twilio.com/x?y");
    CHECK(target(from, "//other.example/x") == "https://other.example/x");
    CHECK(target("http://127.0.0.1:8080/a", "/x") == "http://127.0.0.1:8080/x");
    CHECK(target(from, "https://h.example?x") == "https://h.example/?x");
    for (const std::string location : {"",
                                       "x",
                                       "?x",
                                       "file:///etc/passwd",
                                       "gopher://h/",
                                       "https://h.example\\@evil/",
                                       "https://u@h.example/",
                                       "https://u:p@h.example/",
                                       "https://h.example:0/",
                                       "https://h.example:65536/",
                                       "https://h.example:/",
                                       "https://h example/",
                                       "https:///x",
                                       "https://h.example/../x",
                                       "https://h.example/%2e%2E/x",
                                       "https://h.example/.%2e",
                                       "https://h.example/a/./x",
                                       "https://h.example/a/..;/x",
                                       "https://h.example/a/..;v=1/x",
                                       "https://h.example/a/..%2fx",
                                       "https://h.example/a%2F..%2Fx",
                                       "https://h.example/a/..%5Cx",
                                       "https://h.example/a/%2e%2e%5c",
                                       "https://h\texample/",
                                       "https://h.example/\r\nX: y",
                                       "https://\xc3\xa9.example/",
                                       "https://[::1/",
                                       "https://[x]/",
                                       "javascript:alert(1)"}) {
        CAPTURE(location);
        CHECK(target(from, location) == "none");
    }
    CHECK(target(from, "https://h.example/x?a=/../") == "https://h.example/x?a=/../");
}

TEST_CASE("a redirect rule is a host, with subdomains, port or path where it says so") {
    CHECK(allows("mms.twiliocdn.com", "https://mms.twiliocdn.com/x"));
    CHECK(allows("MMS.twiliocdn.com", "https://mms.twiliocdn.com/x"));
    CHECK_FALSE(allows("mms.twiliocdn.com", "http://mms.twiliocdn.com/x"));
    CHECK_FALSE(allows("mms.twiliocdn.com", "http://mms.twiliocdn.com:443/x"));
    CHECK_FALSE(allows("mms.twiliocdn.com", "https://mms.twiliocdn.com:8443/x"));
    CHECK_FALSE(allows("mms.twiliocdn.com", "https://x.mms.twiliocdn.com/x"));
    CHECK_FALSE(allows("mms.twiliocdn.com", "https://mms.twiliocdn.com.evil.example/x"));
    CHECK(allows("*.twiliocdn.com", "https://mms.twiliocdn.com/x"));
    CHECK_FALSE(allows("*.twiliocdn.com", "https://twiliocdn.com/x"));
    CHECK_FALSE(allows("*.twiliocdn.com", "https://eviltwiliocdn.com/x"));
    CHECK(allows("localhost:8443", "https://localhost:8443/x"));
    CHECK_FALSE(allows("localhost:8443", "https://localhost/x"));
    const std::string bucket = "s3-external-1.amazonaws.com/media.twiliocdn.com/";
    CHECK(allows(bucket, "https://s3-external-1.amazonaws.com/media.twiliocdn.com/AC/x"));
    CHECK_FALSE(allows(bucket, "https://s3-external-1.amazonaws.com/evil/x"));
    CHECK_FALSE(
        allows(bucket, "https://s3-external-1.amazonaws.com/evil/media.twiliocdn.com/AC/x"));
    CHECK_FALSE(allows(bucket, "https://s3-external-1.amazonaws.com/x?/media.twiliocdn.com/"));
    CHECK_FALSE(allows(bucket, "https://s3-external-1.amazonaws.com/media.twiliocdn.com.evil/x"));
    for (const std::string rule :
         {"", "*", "*.", "https://h.example", "h.example:x", "a b", "*.*.x"}) {
        CAPTURE(rule);
        CHECK_FALSE(is_redirect_rule(rule));
    }
}

}  // namespace media_url_test
