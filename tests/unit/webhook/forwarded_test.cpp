#include "webhook/forwarded.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

namespace forwarded_test {

using namespace twiliowa;
using twiliowa::detail::ForwardedFamily;
using twiliowa::detail::ForwardedRequest;
using twiliowa::detail::read_forwarded;

namespace {

bool is_ours(std::string_view address) {
    return address == "10.0.0.8" || address == "10.0.0.9" || address == "fd00::1" ||
           address == "[fd00::1]";
}

Result<ForwardedRequest> read(HttpHeaders headers,
                              ForwardedFamily family = ForwardedFamily::x_forwarded,
                              std::string scheme = "http") {
    WebhookRequest request;
    request.scheme = std::move(scheme);
    request.headers = std::move(headers);
    return read_forwarded(request, family, is_ours);
}

Result<ForwardedRequest> read_standard(std::string forwarded) {
    return read({{"Forwarded", std::move(forwarded)}}, ForwardedFamily::forwarded);
}

}  // namespace

TEST_CASE("where no header says anything, nothing is said") {
    for (const auto family : {ForwardedFamily::x_forwarded, ForwardedFamily::forwarded}) {
        const auto said = read({{"Host", "inside"}}, family).value();
        CHECK(said.proto.empty());
        CHECK(said.host.empty());
        CHECK(said.port.empty());
        CHECK(said.prefix.empty());
    }
}

TEST_CASE("each family names the headers that it was read from") {
    const auto x = read({{"x-forwarded-proto", " https "},
                         {"X-Forwarded-Host", "a.example"},
                         {"X-Forwarded-Port", "8443"},
                         {"X-Forwarded-Prefix", "/hooks"}})
                       .value();
    CHECK(x.proto == "https");
    CHECK(x.host == "a.example");
    CHECK(x.port == "8443");
    CHECK(x.prefix == "/hooks");
    CHECK(x.host_header == "X-Forwarded-Host");
    const auto standard = read_standard("for=1.2.3.4;Host=a.example;proto=https").value();
    CHECK(standard.proto == "https");
    CHECK(standard.host == "a.example");
    CHECK(standard.host_header == "Forwarded");
}

TEST_CASE("lines of one name are one list, in their order") {
    const auto said = read({{"X-Forwarded-For", "6.6.6.6"},
                            {"X-Forwarded-For", "1.2.3.4, 10.0.0.8"},
                            {"X-Forwarded-Host", "evil.example,a.example"},
                            {"X-Forwarded-Host", "inside"}});
    REQUIRE(said);
    CHECK(said->host == "a.example");
    const auto standard = read({{"Forwarded", "for=6.6.6.6;host=evil.example"},
                                {"Forwarded", "for=1.2.3.4;host=a.example"},
                                {"Forwarded", "for=10.0.0.8;host=inside"}},
                               ForwardedFamily::forwarded);
    REQUIRE(standard);
    CHECK(standard->host == "a.example");
}

TEST_CASE("a hop of ours is known with a port or without, of either version of IP") {
    for (const std::string hop :
         {"10.0.0.8", "10.0.0.8:4711", "fd00::1", "[fd00::1]", "[fd00::1]:4711"}) {
        CAPTURE(hop);
        const auto said = read(
            {{"X-Forwarded-For", "1.2.3.4, " + hop}, {"X-Forwarded-Host", "a.example, inside"}});
        REQUIRE(said);
        CHECK(said->host == "a.example");
        const auto standard =
            read_standard("for=1.2.3.4;host=a.example,for=\"" + hop + "\";host=inside");
        REQUIRE(standard);
        CHECK(standard->host == "a.example");
    }
    const auto other = read({{"X-Forwarded-For", "1.2.3.4, 11.0.0.8"},
                             {"X-Forwarded-Host", "evil.example, a.example"}});
    REQUIRE(other);
    CHECK(other->host == "a.example");
}

TEST_CASE("the first hop is read, even if it is one of ours") {
    CHECK(
        read({{"X-Forwarded-For", "10.0.0.9, 10.0.0.8"}, {"X-Forwarded-Host", "a.example, inside"}})
            ->host == "a.example");
    CHECK(read_standard("for=10.0.0.9;host=a.example, for=10.0.0.8;host=inside")->host ==
          "a.example");
}

TEST_CASE("the families are compared in the scheme of the request where none names one") {
    const HttpHeaders headers{{"Forwarded", "host=\"a.example:443\""},
                              {"X-Forwarded-Host", "a.example"}};
    for (const auto family : {ForwardedFamily::x_forwarded, ForwardedFamily::forwarded}) {
        CHECK(read(headers, family, "https").has_value());
        CHECK_FALSE(read(headers, family, "http").has_value());
    }
}

TEST_CASE("quoted text may hold what separates, and escapes") {
    CHECK(read_standard("for=\"a,b;c=d\";host=\"a\\.exam\\ple\"")->host == "a.example");
    CHECK(read_standard("host=\"a\" ; proto=https , ")->host.empty());  // the last element is empty
}

TEST_CASE("what is not a list of pairs is refused, not read in part") {
    for (const auto* text : {"host", "host=\"a", "host=\"a\\", "host=\"a\"b", "host=\"a\"b=c",
                             "host=\"a\" b=c", "=;host", "\"host\"=a"}) {
        CAPTURE(text);
        for (const auto family : {ForwardedFamily::x_forwarded, ForwardedFamily::forwarded}) {
            const auto said = read({{"Forwarded", text}}, family);
            REQUIRE_FALSE(said);
            CHECK(said.error().field() == "Forwarded");
        }
    }
}

}  // namespace forwarded_test
