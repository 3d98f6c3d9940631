#include <twiliowa/webhook/public_url.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace public_url_test {

using namespace twiliowa;
using namespace std::chrono_literals;

namespace {

WebhookRequest request_of(HttpHeaders headers, std::string target = "/whatsapp?a=it's%20&b",
                          std::string scheme = "http", std::string peer = "10.0.0.7") {
    WebhookRequest request;
    request.scheme = std::move(scheme);
    request.target = std::move(target);
    request.headers = std::move(headers);
    request.peer = std::move(peer);
    return request;
}

std::string url_behind(HttpHeaders headers, std::string peer = "10.0.0.7",
                       const ProxyHeaders& believed = {}) {
    headers.emplace_back("Host", "inside:8080");
    const auto url = PublicUrl::behind_proxies({"10.0.0.0/24", "fd00::/8"}, believed);
    return url.url_of(request_of(std::move(headers), "/a", "http", std::move(peer))).value();
}

template <class T>
std::string field_of(const Result<T>& result) {
    REQUIRE_FALSE(result);
    CHECK(result.error().kind() == ErrorKind::invalid_request);
    return result.error().field();
}

}  // namespace

TEST_CASE("a fixed base goes before the target, of which not a byte is changed") {
    const auto request = request_of({{"Host", "evil.example"}, {"X-Forwarded-Host", "evil"}});
    CHECK(PublicUrl::fixed("https://example.com").url_of(request).value() ==
          "https://example.com/whatsapp?a=it's%20&b");
    CHECK(PublicUrl::fixed("https://Example.com:8443/hooks/").url_of(request).value() ==
          "https://Example.com:8443/hooks/whatsapp?a=it's%20&b");
    CHECK(PublicUrl::fixed("https://user:pass@[::1]:1").url_of(request).value() ==
          "https://user:pass@[::1]:1/whatsapp?a=it's%20&b");
}

TEST_CASE("a base that is none is refused by name") {
    for (const std::string_view base :
         {"", "example.com", "ftp://example.com", "https://", "https://example.com?a",
          "https://example.com/#a", "https://exa mple.com", "https://example.com\r\n"}) {
        CAPTURE(base);
        CHECK(field_of(PublicUrl::try_fixed(base)) == "base_url");
    }
    CHECK_THROWS_AS(PublicUrl::fixed("example.com"), InvalidRequestError);
}

TEST_CASE("as received is scheme and Host") {
    const auto url = PublicUrl::as_received();
    CHECK(url.url_of(request_of({{"host", "Example.com:8080"}}, "/a?b")).value() ==
          "http://Example.com:8080/a?b");
    CHECK(url.url_of(request_of({{"Host", "[::1]:80"}}, "/", "HTTPS")).value() ==
          "https://[::1]:80/");
    CHECK(url.url_of(request_of({{"Host", "h"}, {"X-Forwarded-Proto", "https"}}, "/")).value() ==
          "http://h/");
}

TEST_CASE("a target is a path, or the path of a whole URL") {
    const auto url = PublicUrl::fixed("https://example.com");
    const auto of = [&](std::string target) {
        return url.url_of(request_of({}, std::move(target)));
    };
    CHECK(of("http://other/a?b=1").value() == "https://example.com/a?b=1");
    CHECK(of("//a").value() == "https://example.com//a");
    CHECK(of("/Espa\xC3\xB1"
             "a")
              .value() ==
          "https://example.com/Espa\xC3\xB1"
          "a");
    for (const char* target : {"", "*", "a", "?a", "http://other", "http://other?a", "/a b", "/a\n",
                               "/a#b", "/#?c", "@evil.example/", ".evil.example/"}) {
        CAPTURE(target);
        CHECK(field_of(of(target)) == "target");
    }
}

TEST_CASE("a Host header that is no host gets into no URL") {
    const auto url = PublicUrl::as_received();
    for (const std::string host :
         {"",    " ",      "a b",     "a/b", "a@b",  "user:pw@b",  "a\r\nX: y",     "a?b",
          "a#b", "a\\b",   "a:b",     "a:",  "a:-1", "a:65536",    "a:99999999999", "[::1",
          "[x]", "[::1]x", "[::1]:x", "::1", "a,b",  "caf\xC3\xA9"}) {
        CAPTURE(host);
        CHECK(field_of(url.url_of(request_of({{"Host", host}}))) == "Host");
    }
    CHECK(field_of(url.url_of(request_of({{"Host", std::string("a\0b", 3)}}))) == "Host");
    CHECK(field_of(url.url_of(request_of({{"Host", std::string(301, 'a')}}))) == "Host");
    CHECK(field_of(url.url_of(request_of({{"Host", "a"}}, "/", ""))) == "scheme");
    CHECK(field_of(url.url_of(request_of({{"Host", "a"}}, "/", "ftp"))) == "scheme");
}

TEST_CASE("a listed proxy says where the request was made to") {
    CHECK(url_behind({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "example.com"}}) ==
          "https://example.com/a");
    CHECK(url_behind({{"X-Forwarded-Proto", "https"}}) == "https://inside:8080/a");
    CHECK(url_behind({}) == "http://inside:8080/a");
    CHECK(url_behind({{"X-Forwarded-Proto", "https"},
                      {"X-Forwarded-Host", "example.com"},
                      {"X-Forwarded-Port", "8443"},
                      {"X-Forwarded-Prefix", "/hooks/"}},
                     "10.0.0.7", {.prefix = true}) == "https://example.com:8443/hooks/a");
    CHECK(url_behind({{"X-Forwarded-Host", "example.com"}, {"X-Forwarded-Prefix", "/hooks"}}) ==
          "http://example.com/a");
    CHECK(url_behind({{"X-Forwarded-Proto", "https"},
                      {"X-Forwarded-Host", "example.com"},
                      {"X-Forwarded-Port", "443"}}) == "https://example.com/a");
    CHECK(url_behind({{"X-Forwarded-Host", "example.com:81"}, {"X-Forwarded-Port", "82"}}) ==
          "http://example.com:81/a");
    const ProxyHeaders standard{.forwarded = true};
    CHECK(url_behind({{"Forwarded", "for=1.2.3.4;Proto=https;host=\"example.com:8443\""}},
                     "10.0.0.7", standard) == "https://example.com:8443/a");
    CHECK(url_behind({{"Forwarded", "host=\"exa\\mple.com\" ; proto=https"}}, "10.0.0.7",
                     standard) == "https://example.com/a");
    CHECK(url_behind({{"X-Forwarded-Host", "example.com"}}, "10.0.0.7", standard) ==
          "http://inside:8080/a");
    CHECK(url_behind({{"Forwarded", "host=evil.example"}}) == "http://inside:8080/a");
}

TEST_CASE("headers that say two things about one request are refused, whichever would count") {
    for (const bool forwarded : {false, true}) {
        const auto url = PublicUrl::behind_proxies({"10.0.0.7"}, {.forwarded = forwarded});
        const auto of = [&](HttpHeaders headers) {
            headers.emplace_back("Host", "inside");
            return url.url_of(request_of(std::move(headers), "/a"));
        };
        CHECK(field_of(of({{"Forwarded", "host=evil.example"},
                           {"X-Forwarded-Host", "example.com"}})) == "Forwarded");
        CHECK(field_of(of({{"Forwarded", "proto=http"}, {"X-Forwarded-Proto", "https"}})) ==
              "Forwarded");
        CHECK(of({{"Forwarded", "host=Example.com;proto=HTTPS"},
                  {"X-Forwarded-Host", "example.com"},
                  {"X-Forwarded-Proto", "https"}})
                  .has_value());
    }
}

TEST_CASE("a list of several entries counts only with one for each hop") {
    const auto url = PublicUrl::behind_proxies({"10.0.0.7"});
    CHECK(field_of(url.url_of(request_of({{"Host", "inside"},
                                          {"X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.0.0.7"},
                                          {"X-Forwarded-Host", "evil.example, example.com"}}))) ==
          "X-Forwarded-Host");
    CHECK(field_of(url.url_of(request_of(
              {{"Host", "inside"}, {"X-Forwarded-Host", "evil.example, example.com"}}))) ==
          "X-Forwarded-Host");
}

TEST_CASE("with a list of hosts no other is taken, whoever names it") {
    const auto received = PublicUrl::as_received({"Bot.example.com", "bot.example.com:8443"});
    CHECK(received.url_of(request_of({{"Host", "bot.example.com"}}, "/a")).value() ==
          "http://bot.example.com/a");
    CHECK(received.url_of(request_of({{"Host", "bot.example.com:8443"}}, "/a")));
    CHECK(field_of(received.url_of(request_of({{"Host", "evil.example"}}, "/a"))) == "Host");
    CHECK(field_of(received.url_of(request_of({{"Host", "bot.example.com:1"}}, "/a"))) == "Host");
    const auto behind = PublicUrl::behind_proxies({"10.0.0.7"}, {.hosts = {"bot.example.com"}});
    CHECK(behind.url_of(request_of({{"X-Forwarded-Host", "bot.example.com"}}, "/a")));
    CHECK(field_of(behind.url_of(request_of({{"X-Forwarded-Host", "evil.example"}}, "/a"))) ==
          "X-Forwarded-Host");
}

TEST_CASE("the prefix counts with either family, since Forwarded has none") {
    const ProxyHeaders both{.forwarded = true, .prefix = true};
    CHECK(url_behind(
              {{"Forwarded", "host=example.com;proto=https"}, {"X-Forwarded-Prefix", "/hooks/"}},
              "10.0.0.7", both) == "https://example.com/hooks/a");
    CHECK(url_behind(
              {{"Forwarded", "host=example.com;proto=https"}, {"X-Forwarded-Prefix", "/hooks/"}},
              "10.0.0.7", {.forwarded = true}) == "https://example.com/a");
    const auto url = PublicUrl::behind_proxies({"10.0.0.7"}, both);
    CHECK(field_of(url.url_of(
              request_of({{"Host", "inside"}, {"X-Forwarded-Prefix", "/evil, /hooks"}}))) ==
          "X-Forwarded-Prefix");
}

TEST_CASE("the hosts of a list are compared with what stands in the URL") {
    const auto of = [](std::vector<std::string> hosts, HttpHeaders headers) {
        const auto url = PublicUrl::behind_proxies({"10.0.0.7"}, {.hosts = std::move(hosts)});
        headers.emplace_back("X-Forwarded-Proto", "https");
        return url.url_of(request_of(std::move(headers), "/a"));
    };
    const HttpHeaders on_port{{"Host", "bot.example.com"}, {"X-Forwarded-Port", "8443"}};
    CHECK(of({"bot.example.com:8443"}, on_port).value_or("refused") ==
          "https://bot.example.com:8443/a");
    CHECK(of({"bot.example.com"}, on_port).value_or("refused") == "refused");
    // The scheme's own port is the same place, written or not.
    const HttpHeaders on_default{{"Host", "bot.example.com"}, {"X-Forwarded-Port", "443"}};
    CHECK(of({"bot.example.com"}, on_default).value_or("refused") == "https://bot.example.com/a");
    CHECK(of({"bot.example.com:443"}, on_default).value_or("refused") ==
          "https://bot.example.com/a");
    CHECK(of({"bot.example.com"}, {{"Host", "bot.example.com:443"}}).value_or("refused") ==
          "https://bot.example.com:443/a");
    CHECK(of({"bot.example.com"}, {{"Host", "bot.example.com:80"}}).value_or("refused") ==
          "refused");
}

TEST_CASE("families that name one place in two ways agree") {
    for (const bool forwarded : {false, true}) {
        const auto url = PublicUrl::behind_proxies({"10.0.0.7"}, {.forwarded = forwarded});
        const auto of = [&](HttpHeaders headers) {
            headers.emplace_back("Host", "inside");
            return url.url_of(request_of(std::move(headers), "/a"));
        };
        CHECK(of({{"Forwarded", "host=\"A.example:443\";proto=https"},
                  {"X-Forwarded-Host", "a.example"}})
                  .has_value());
        CHECK(of({{"Forwarded", "host=\"a.example:80\""}, {"X-Forwarded-Host", "a.example"}})
                  .has_value());
        CHECK(of({{"Forwarded", "host=\"a.example:8443\";proto=https"},
                  {"X-Forwarded-Host", "a.example"},
                  {"X-Forwarded-Port", "8443"}})
                  .has_value());
        CHECK(of({{"Forwarded", "host=a.example;proto=https"},
                  {"X-Forwarded-Host", "a.example"},
                  {"X-Forwarded-Port", "8080"}})
                  .has_value());
        CHECK(field_of(of({{"Forwarded", "host=\"a.example:443\";proto=http"},
                           {"X-Forwarded-Host", "a.example"}})) == "Forwarded");
        CHECK(field_of(of({{"Forwarded", "host=\"a.example:8443\";proto=https"},
                           {"X-Forwarded-Host", "a.example:9443"},
                           {"X-Forwarded-Port", "8443"}})) == "Forwarded");
    }
}

TEST_CASE("a header that cannot be used is named as the one that was read") {
    const auto url =
        PublicUrl::behind_proxies({"10.0.0.7"}, {.forwarded = true, .hosts = {"a.example"}});
    const auto field = [&](const std::string& forwarded, const std::string& host = "a.example") {
        return field_of(url.url_of(request_of({{"Host", host}, {"Forwarded", forwarded}})));
    };
    CHECK(field("proto=javascript;host=a.example") == "Forwarded");
    CHECK(field("proto=https;host=\"a/b\"") == "Forwarded");
    CHECK(field("proto=https;host=evil.example") == "Forwarded");
    CHECK(field("proto=https", "evil.example") == "Host");
}

TEST_CASE("peers that are not listed say nothing, in whatever form an address is written") {
    const HttpHeaders headers{{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "evil.example"}};
    for (const char* peer : {"10.0.1.7", "11.0.0.7", "", "10.0.0.7:1", "10.0.0", "010.0.0.7",
                             "fe80::1", "::ffff:10.0.1.7", "proxy"}) {
        CAPTURE(peer);
        CHECK(url_behind(headers, peer) == "http://inside:8080/a");
    }
    for (const char* peer : {"10.0.0.0", "10.0.0.255", "::ffff:10.0.0.7", "fd12::7", "[fd12::7]"}) {
        CAPTURE(peer);
        CHECK(url_behind(headers, peer) == "https://evil.example/a");
    }
}

TEST_CASE("of several hops counts the outermost that listed proxies vouch for") {
    // A caller sends headers of his own; the proxy appends.
    CHECK(url_behind({{"X-Forwarded-For", "6.6.6.6, 1.2.3.4"},
                      {"X-Forwarded-Proto", "http, https"},
                      {"X-Forwarded-Host", "evil.example, example.com"}}) ==
          "https://example.com/a");
    CHECK(url_behind({{"Forwarded", "for=6.6.6.6;host=evil.example;proto=http"},
                      {"Forwarded", "for=1.2.3.4;host=example.com;proto=https"}},
                     "10.0.0.7", {.forwarded = true}) == "https://example.com/a");
    // Two proxies of ours: the inner one came from the outer one's address.
    CHECK(url_behind({{"X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.0.0.8"},
                      {"X-Forwarded-Proto", "http,https,http"},
                      {"X-Forwarded-Host", "evil.example,example.com,inside"}}) ==
          "https://example.com/a");
    CHECK(url_behind({{"Forwarded",
                       "for=1.2.3.4;host=example.com;proto=https, "
                       "for=\"[fd00::1]:4711\";host=inside;proto=http"}},
                     "10.0.0.7", {.forwarded = true}) == "https://example.com/a");
    // Each proxy overwrites: there is one entry only.
    CHECK(url_behind({{"X-Forwarded-For", "1.2.3.4, 10.0.0.8"},
                      {"X-Forwarded-Proto", "https"},
                      {"X-Forwarded-Host", "example.com"}}) == "https://example.com/a");
}

TEST_CASE("forwarded headers that cannot be used are refused by name") {
    const auto url = PublicUrl::behind_proxies({"10.0.0.7"}, {.prefix = true});
    const auto field = [&](HttpHeaders headers) {
        headers.emplace_back("Host", "inside");
        return field_of(url.url_of(request_of(std::move(headers))));
    };
    CHECK(field({{"X-Forwarded-Proto", "javascript"}}) == "X-Forwarded-Proto");
    CHECK(field({{"X-Forwarded-Host", "a/b"}}) == "X-Forwarded-Host");
    CHECK(field({{"X-Forwarded-Host", "user@b"}}) == "X-Forwarded-Host");
    CHECK(field({{"X-Forwarded-Port", "80/"}}) == "X-Forwarded-Port");
    CHECK(field({{"X-Forwarded-Prefix", "hooks"}}) == "X-Forwarded-Prefix");
    CHECK(field({{"X-Forwarded-Prefix", "/a?b"}}) == "X-Forwarded-Prefix");
    CHECK(field({{"Forwarded", "host=\"unclosed"}}) == "Forwarded");
    CHECK(field({{"Forwarded", "host"}}) == "Forwarded");
    CHECK(field({{"Forwarded", "host=\"a\"b"}}) == "Forwarded");
}

TEST_CASE("proxies are addresses or networks") {
    CHECK(field_of(PublicUrl::try_behind_proxies({})) == "peers");
    for (const std::string peer : {"", "proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
                                   "10.0.0.0/8/8", "fd00::/129", "10.0.0", "10.0.0.256"}) {
        CAPTURE(peer);
        CHECK(field_of(PublicUrl::try_behind_proxies({"127.0.0.1", peer})) == "peers[1]");
    }
    const auto everybody = PublicUrl::behind_proxies({"0.0.0.0/0"});
    CHECK(everybody.url_of(request_of({{"X-Forwarded-Host", "a"}}, "/")).value() == "http://a/");
    CHECK_THROWS_AS(PublicUrl::behind_proxies({"proxy"}), InvalidRequestError);
}

TEST_CASE("the URL for Twilio has the fragment that makes it try again") {
    const auto url = PublicUrl::fixed("https://example.com/hooks");
    CHECK(url.webhook_url("/whatsapp?a=1") == "https://example.com/hooks/whatsapp?a=1");
    CHECK(url.webhook_url("/whatsapp", {.retries = 3, .retry_on = "all"}) ==
          "https://example.com/hooks/whatsapp#rc=3&rp=all");
    CHECK(field_of(url.try_webhook_url("whatsapp")) == "path");
    CHECK(field_of(url.try_webhook_url("/a#b")) == "path");
    CHECK(field_of(url.try_webhook_url("/a", {.retries = 6})) == "retries");
    CHECK(field_of(PublicUrl::as_received().try_webhook_url("/a")) == "base_url");
    CHECK_THROWS_AS(static_cast<void>(url.webhook_url("a")), InvalidRequestError);
}

TEST_CASE("connection overrides are within Twilio's ranges") {
    CHECK(connection_fragment({}).value().empty());
    CHECK(connection_fragment({.connect_timeout = 1s,
                               .read_timeout = 15s,
                               .total_timeout = 100ms,
                               .retries = 0,
                               .retry_on = "5xx,ct,rt",
                               .edge = "dublin"})
              .value() == "#ct=1000&rt=15000&tt=100&rc=0&rp=5xx,ct,rt&e=dublin");
    CHECK(field_of(connection_fragment({.connect_timeout = 10001ms})) == "connect_timeout");
    CHECK(field_of(connection_fragment({.connect_timeout = 99ms})) == "connect_timeout");
    CHECK(field_of(connection_fragment({.read_timeout = 15001ms})) == "read_timeout");
    CHECK(field_of(connection_fragment({.total_timeout = 0ms})) == "total_timeout");
    CHECK(field_of(connection_fragment({.retries = -1})) == "retries");
    for (const char* list : {"3xx", "ct,", ",ct", "ct, rt", "ALL", "all&rc=5"}) {
        CAPTURE(list);
        CHECK(field_of(connection_fragment({.retry_on = list})) == "retry_on");
    }
    CHECK(field_of(connection_fragment({.edge = "atlantis"})) == "edge");
}

TEST_CASE("the client is the peer, unless a listed proxy names another") {
    const auto client = [](const PublicUrl& url, std::string peer, HttpHeaders headers) {
        WebhookRequest request;
        request.peer = std::move(peer);
        request.headers = std::move(headers);
        return url.client_of(request);
    };
    const auto behind = PublicUrl::behind_proxies({"10.0.0.0/8"});
    const auto fixed = PublicUrl::fixed("https://example.com", {"10.0.0.0/8"});
    for (const auto& url : {behind, fixed}) {
        CHECK(client(url, "10.0.0.7", {}) == "10.0.0.7");
        CHECK(client(url, "10.0.0.7", {{"x-forwarded-for", " 203.0.113.9 "}}) == "203.0.113.9");
        CHECK(client(url, "203.0.113.1", {{"X-Forwarded-For", "203.0.113.9"}}) == "203.0.113.1");
        CHECK(client(url, "10.0.0.7", {{"Forwarded", "for=203.0.113.9"}}) == "10.0.0.7");
        // Several lines are one list.
        CHECK(client(url, "10.0.0.7",
                     {{"X-Forwarded-For", "6.6.6.6"},
                      {"X-Forwarded-For", "203.0.113.9, 10.1.1.1"}}) == "203.0.113.9");
        // All of ours: the one that began.
        CHECK(client(url, "10.0.0.7", {{"X-Forwarded-For", "10.2.2.2, 10.1.1.1"}}) == "10.2.2.2");
        CHECK(client(url, "10.0.0.7", {{"X-Forwarded-For", "[2001:db8::1]:443"}}) == "2001:db8::1");
        CHECK(client(url, "10.0.0.7", {{"X-Forwarded-For", "[2001:db8::1"}}) == "10.0.0.7");
        CHECK(client(url, "10.0.0.7", {{"X-Forwarded-For", "203.0.113.9, garbage, 10.1.1.1"}}) ==
              "10.0.0.7");
        // Many that the client made up cost nothing, and are believed in nothing.
        std::string many;
        for (int i = 0; i < 100'000; ++i) many += "10.0.0.9, ";
        CHECK(client(url, "10.0.0.7", {{"X-Forwarded-For", many + "203.0.113.9"}}) ==
              "203.0.113.9");
    }
    const auto standard =
        PublicUrl::fixed("https://example.com", {"10.0.0.0/8"}, {.forwarded = true});
    CHECK(
        client(standard, "10.0.0.7",
               {{"Forwarded", R"(for=6.6.6.6, for="[2001:db8::1]:443";proto=https, for=10.1.1.1)"},
                {"X-Forwarded-For", "203.0.113.9"}}) == "2001:db8::1");
    CHECK(client(standard, "10.0.0.7", {{"Forwarded", "for=unknown"}}) == "10.0.0.7");
    CHECK(client(standard, "10.0.0.7", {{"Forwarded", "for=\"203.0.113.9"}}) == "10.0.0.7");
    CHECK(client(standard, "203.0.113.1", {{"Forwarded", "for=203.0.113.9"}}) == "203.0.113.1");
    CHECK(client(PublicUrl::as_received(), "10.0.0.7", {{"X-Forwarded-For", "203.0.113.9"}}) ==
          "10.0.0.7");
    CHECK_FALSE(PublicUrl::try_fixed("https://example.com", {"x"}).has_value());
    CHECK_FALSE(PublicUrl::try_fixed("https://example.com", TextList{}).has_value());
    CHECK_FALSE(PublicUrl::try_fixed("example.com", {"10.0.0.7"}).has_value());
}

}  // namespace public_url_test
