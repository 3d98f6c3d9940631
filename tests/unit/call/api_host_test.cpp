#include "call/api_host.hpp"

#include <doctest/doctest.h>

#include <string>

namespace api_host_test {

using twiliowa::detail::api_origin;
using twiliowa::detail::same_origin_url;

TEST_CASE("edge and region are always named together") {
    const auto base = [](std::string_view edge, std::string_view region) {
        return api_origin("api", edge, region, {}).value().base;
    };
    CHECK(base("", "") == "https://api.twilio.com");
    CHECK(base("dublin", "ie1") == "https://api.dublin.ie1.twilio.com");
    CHECK(base("", "ie1") == "https://api.dublin.ie1.twilio.com");
    CHECK(base("", "au1") == "https://api.sydney.au1.twilio.com");
    CHECK(base("sydney", "") == "https://api.sydney.us1.twilio.com");
    CHECK(api_origin("api", "", "zz9", {}).error().field() == "edge");
    CHECK(api_origin("api", "evil.test/", "", {}).error().field() == "edge");
    CHECK(api_origin("api", "x", "a.b", {}).error().field() == "region");
}

TEST_CASE("a base URL is scheme, host and port, nothing else") {
    const auto origin = api_origin("api", "", "", "http://127.0.0.1:8080/").value();
    CHECK(origin.base == "http://127.0.0.1:8080");
    CHECK(origin.host == "127.0.0.1");
    CHECK(origin.port == 8080);
    CHECK(api_origin("api", "", "", "https://[::1]:1")->host == "[::1]");
    CHECK(api_origin("api", "", "", "http://x")->port == 80);
    CHECK(api_origin("api", "", "", "https://[fd00::1]")->host == "[fd00::1]");
    CHECK(api_origin("api", "", "", "https://a.b.")->host == "a.b.");
    CHECK(api_origin("api", "", "", "http://twilio_fake:8080")->host == "twilio_fake");
    for (const char* bad : {"x",
                            "ftp://x",
                            "http://",
                            "http://:80",
                            "http://x:0",
                            "http://x:65536",
                            "http://x:a",
                            "http://u:p@x",
                            "http://x/path",
                            "http://x?q",
                            "http://x y",
                            "http://x#f",
                            "https://]",
                            "https://a]",
                            "https://[",
                            "https://[]",
                            "https://[::1]x",
                            "https://[::1]x:1",
                            "https://x[::1]",
                            "https://[::1",
                            "https://[:::1]",
                            "https://[1.2.3.4]",
                            "https://[[::1]]",
                            "https://a..b",
                            "https://.a",
                            "https://.",
                            "https://..",
                            "https://a..",
                            "http://::1",
                            "http://::1:80",
                            "http://1:2:3"}) {
        CAPTURE(bad);
        CHECK(api_origin("api", "", "", bad).error().field() == "base_url");
    }
}

TEST_CASE("the names of a base URL's host are as long as DNS has them, and no longer") {
    const auto is_base = [](const std::string& host) {
        return api_origin("api", "", "", "https://" + host).has_value();
    };
    const std::string longest(63, 'a');
    CHECK(is_base(longest + ".b"));
    CHECK_FALSE(is_base(longest + "a.b"));
    CHECK_FALSE(is_base("b." + longest + "a"));
    const auto three = longest + '.' + longest + '.' + longest + '.';
    CHECK(is_base(three + std::string(61, 'a')));
    CHECK_FALSE(is_base(three + std::string(62, 'a')));
}

TEST_CASE("a link leads to the API's own origin or is refused") {
    const auto origin = api_origin("api", "", "", {}).value();
    CHECK(same_origin_url(origin, "/2010/x?Page=1&t=%2B").value() ==
          "https://api.twilio.com/2010/x?Page=1&t=%2B");
    CHECK(same_origin_url(origin, "https://api.twilio.com/x").value() ==
          "https://api.twilio.com/x");
    for (const char* bad :
         {"", "//evil.test/x", "https://evil.test/", "http://api.twilio.com/x",
          "https://api.twilio.com.evil.test/", "https://api.twilio.com@evil.test/", "x",
          "@evil.test/", "/x y", "/x\r\nHost: evil", "/\\evil.test", "?x"}) {
        CAPTURE(bad);
        CHECK_FALSE(same_origin_url(origin, bad));
    }
}

}  // namespace api_host_test
