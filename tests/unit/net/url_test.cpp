#include "net/url.hpp"

#include <doctest/doctest.h>

#include <string>

namespace url_test {

using namespace twiliowa::detail;

TEST_CASE("an authority is split into user, host and port, and nothing is lost") {
    const auto whole = split_authority("user:pass@word@example.com:8080");
    REQUIRE(whole);
    CHECK(whole->user == "user:pass@word@");
    CHECK(whole->host == "example.com");
    CHECK(whole->port == ":8080");

    const auto host = split_authority("example.com");
    REQUIRE(host);
    CHECK(host->user.empty());
    CHECK(host->host == "example.com");
    CHECK(host->port.empty());

    const auto empty_port = split_authority("example.com:");
    REQUIRE(empty_port);
    CHECK(empty_port->port == ":");
}

TEST_CASE("the colons within an IPv6 address are not the one before a port") {
    const auto bare = split_authority("[::1]");
    REQUIRE(bare);
    CHECK(bare->host == "[::1]");
    CHECK(bare->port.empty());
    const auto with_port = split_authority("a:b@[2001:db8::1]:443");
    REQUIRE(with_port);
    CHECK(with_port->host == "[2001:db8::1]");
    CHECK(with_port->port == ":443");
}

TEST_CASE("what is no authority is not split") {
    for (const std::string text :
         {"", "@", "user@", ":80", "]", "a]", "[::1", "[::1]x", "x[::1]", "[]", "[", "a:b", "a:1b",
          "a:-1", "a:+1", "a:123456", "a:1:2", "[::1]:x", "[::1]]"}) {
        CAPTURE(text);
        CHECK_FALSE(split_authority(text));
    }
}

TEST_CASE("a port counts from 1 to 65535; without one another counts") {
    CHECK(split_authority("a")->port_or(443) == 443);
    CHECK(split_authority("a:1")->port_or(443) == 1);
    CHECK(split_authority("a:65535")->port_or(443) == 65535);
    for (const std::string text : {"a:", "a:0", "a:65536", "a:99999"}) {
        CAPTURE(text);
        CHECK_FALSE(split_authority(text)->port_or(443));
    }
}

TEST_CASE("two authorities name one place, with the scheme's port or without it") {
    CHECK(is_same_place("https", "A.example", "a.example:443"));
    CHECK(is_same_place("http", "a.example:80", "a.example"));
    CHECK(is_same_place("https", "[::1]:8443", "[::1]:8443"));
    CHECK_FALSE(is_same_place("https", "a.example:0", "a.example:0"));
    CHECK_FALSE(is_same_place("https", "a.example", "a.example:80"));
    CHECK_FALSE(is_same_place("https", "a.example:8443", "a.example"));
    CHECK_FALSE(is_same_place("https", "a.example", "b.example"));
    CHECK_FALSE(is_same_place("https", "user@a.example", "a.example"));
    CHECK_FALSE(is_same_place("https", "a.example", "a.example:1:2"));
}

TEST_CASE("a URL is split without changing a byte") {
    const auto url = split_url("HTTPS://User:p@Host.example:8443/a/b?c=d&e=f#rc=3");
    REQUIRE(url);
    CHECK(url->origin == "HTTPS://User:p@Host.example");
    CHECK(url->scheme == "HTTPS");
    CHECK(url->host == "Host.example");
    CHECK(url->port == ":8443");
    CHECK(url->rest == "/a/b?c=d&e=f");
    CHECK(url->query() == "c=d&e=f");
    CHECK(url->is_https());
    CHECK(url->default_port() == ":443");

    const auto bare = split_url("http://h?q");
    REQUIRE(bare);
    CHECK(bare->host == "h");
    CHECK(bare->rest == "?q");
    CHECK(bare->default_port() == ":80");
    CHECK(split_url("http://h")->rest.empty());
}

TEST_CASE("what is no absolute http or https URL is not split") {
    for (const std::string text :
         {"", "/path", "ftp://a", "https:/a", "https://", "https:///a", "https://]", "https://a]",
          "https://[::1]x", "https://a:b/", "https://#a", "httpss://a", "://a"}) {
        CAPTURE(text);
        CHECK_FALSE(split_url(text));
    }
}

TEST_CASE("host and port of a URL are those it leads to, or none at all") {
    CHECK(host_and_port("https://a/b").host == "a");
    CHECK(host_and_port("https://a/b").port == 443);
    CHECK(host_and_port("http://a").port == 80);
    CHECK(host_and_port("http://u:p@[::1]:8080/").host == "[::1]");
    CHECK(host_and_port("http://u:p@[::1]:8080/").port == 8080);
    CHECK(host_and_port("no url").host.empty());
    CHECK(host_and_port("no url").port == 0);
    CHECK(host_and_port("").host.empty());
}

TEST_CASE("a URL for Twilio is absolute, clean, and has a host") {
    for (const std::string good :
         {"https://a", "HTTP://a.example:8080/b?c#d", "https://u:p@a/", "https://[::1]/\xc3\xa9"}) {
        CAPTURE(good);
        CHECK(web_url_problem(good).empty());
    }
    for (const std::string bad :
         {"", "a", "ftp://a", "https://", "https:///a", "https://u@/", "https://a:b/",
          "https://a b", "https://a/\n", "https://a/\x7f", "https://a/\xff"}) {
        CAPTURE(bad);
        CHECK_FALSE(web_url_problem(bad).empty());
    }
}

TEST_CASE("a query is what follows the first question mark, without the fragment") {
    CHECK(query_of("/a?b=c?d#e?f") == "b=c?d");
    CHECK(query_of("/a#b?c").empty());
    CHECK(query_of("/a?").empty());
    CHECK(query_of("/a").empty());
    CHECK(query_of("").empty());
    CHECK(without_fragment("a#b#c") == "a");
}

TEST_CASE("a query's value is found by the whole name, undecoded, the first of several") {
    CHECK(raw_query_value("a=1&bodySHA256=%41&bodySHA256=2", "bodySHA256") == "%41");
    CHECK(raw_query_value("xbodySHA256=1&bodySHA256", "bodySHA256") == "");
    CHECK_FALSE(raw_query_value("xbodySHA256=1&bodysha256=2", "bodySHA256"));
    CHECK_FALSE(raw_query_value("", "bodySHA256"));
}

}  // namespace url_test
