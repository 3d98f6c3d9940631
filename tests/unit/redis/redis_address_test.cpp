#include "redis/address.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "support/show.hpp"

namespace redis_address_test {

using namespace twiliowa;
using namespace twiliowa::detail;
using twiliowa::test::containing;

namespace {

std::string problem(std::string_view url) {
    const auto read = parse_redis_url(url);
    if (read) return "it was read";
    CHECK(read.error().kind() == ErrorKind::invalid_request);
    CHECK(read.error().field() == "url");
    CHECK_FALSE(read.error().hint().empty());
    const std::string text = std::string{read.error().what()} + std::string{read.error().hint()};
    CHECK(text.find("canary") == std::string::npos);
    return read.error().what();
}

}  // namespace

TEST_CASE("a Redis URL is read with its defaults") {
    const auto plain = parse_redis_url("redis://cache.example.com").value();
    CHECK(plain.host == "cache.example.com");
    CHECK(plain.port == "6379");
    CHECK(plain.database == 0);
    CHECK(plain.user.empty());
    CHECK_FALSE(plain.tls);
    const auto whole = parse_redis_url("rediss://shop%3A1@[::1]:6380/15").value();
    CHECK(whole.host == "::1");
    CHECK(whole.port == "6380");
    CHECK(whole.database == 15);
    CHECK(whole.user == "shop:1");
    CHECK(whole.tls);
    CHECK(parse_redis_url("redis://host/").value().database == 0);
    CHECK(parse_redis_url("redis://[fe80::1%eth0]:6380").value().host == "fe80::1%eth0");
    CHECK(parse_redis_url("redis://[::ffff:192.0.2.1]").value().host == "::ffff:192.0.2.1");
}

TEST_CASE("a Redis URL of a socket is read") {
    const auto socket = parse_redis_url("unix:///run/redis/redis.sock").value();
    CHECK(socket.host.empty());
    CHECK(socket.path == "/run/redis/redis.sock");
    CHECK(parse_redis_url("unix://shop@/run/a%20b?db=3").value().path == "/run/a b");
    CHECK(parse_redis_url("unix://shop@/run/a%20b?db=3").value().database == 3);
    CHECK(parse_redis_url("unix://shop@/run/a%20b?db=3").value().user == "shop");
}

TEST_CASE("what is no Redis URL is refused, and not quoted") {
    for (const std::string_view url : {"",
                                       "canary",
                                       "canary:6379",
                                       "http://canary",
                                       "redis:canary",
                                       "redis://",
                                       "redis://:6379",
                                       "redis://[canary",
                                       "redis://[::1]canary",
                                       "redis://[canary]",
                                       "redis://[[]",
                                       "redis://[]",
                                       "redis://[192.0.2.1]",
                                       "redis://can]ary",
                                       "redis://canary:0",
                                       "redis://canary:65536",
                                       "redis://canary:x",
                                       "redis://canary/x",
                                       "redis://canary/-1",
                                       "redis://canary/0/1",
                                       "redis://canary/0?ssl=1",
                                       "redis://canary/0#x",
                                       "redis://@canary",
                                       "redis://%4@canary",
                                       "redis://%00@canary",
                                       "redis://canary host",
                                       "redis://canary\nx",
                                       "unix://canary",
                                       "unix://",
                                       "unix:///canary?x=1",
                                       "unix:///canary?db=x",
                                       "redis://canary/9999999999"}) {
        CAPTURE(url);
        CHECK(problem(url) != "it was read");
    }
    CHECK(problem(std::string_view{"redis://canary\0x", 16}) != "it was read");
}

TEST_CASE("a password in a Redis URL is refused, wherever it stands and whatever it holds") {
    for (const std::string_view url :
         {"redis://user:canary@host", "redis://:canary@host:6379/0", "rediss://u:can/ary@host",
          "rediss://u:can?ary@host", "redis://u:can@canary@host", "unix://u:canary@/run/redis"}) {
        CAPTURE(url);
        CHECK(problem(url) == containing("holds a password"));
    }
}

}  // namespace redis_address_test
