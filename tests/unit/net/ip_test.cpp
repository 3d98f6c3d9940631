#include "net/ip.hpp"

#include <doctest/doctest.h>

#include <string>

namespace ip_test {

using twiliowa::detail::IpNetwork;
using twiliowa::detail::is_ip4;
using twiliowa::detail::is_public_address;
using twiliowa::detail::parse_ip_address;

TEST_CASE("an address is read with or without brackets; one of IPv4 is its mapped form") {
    CHECK(parse_ip_address("10.0.0.7") == parse_ip_address("::ffff:10.0.0.7"));
    CHECK(parse_ip_address("[fd00::1]") == parse_ip_address("fd00:0::1"));
    CHECK(is_ip4(*parse_ip_address("10.0.0.7")));
    CHECK(is_ip4(*parse_ip_address("::ffff:10.0.0.7")));
    CHECK_FALSE(is_ip4(*parse_ip_address("::10.0.0.7")));
    for (const std::string text :
         {"", "[]", "[::1", "::1]", "10.0.0", "10.0.0.7/8", "a", "::1%lo"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_ip_address(text));
    }
}

TEST_CASE("a network holds the addresses that share its first bits, to the bit") {
    const auto contains = [](const char* network, const char* address) {
        return IpNetwork::parse(network).value().contains(std::string_view{address});
    };
    CHECK(contains("10.0.0.0/8", "10.255.255.255"));
    CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
    CHECK(contains("172.16.0.0/12", "172.31.255.255"));
    CHECK_FALSE(contains("172.16.0.0/12", "172.32.0.0"));
    CHECK(contains("10.0.0.7", "10.0.0.7"));
    CHECK_FALSE(contains("10.0.0.7", "10.0.0.6"));
    CHECK(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
    CHECK(contains("fd00::/8", "[fdff::1]"));
    CHECK_FALSE(contains("fd00::/8", "fe00::1"));
    CHECK(contains("0.0.0.0/0", "8.8.8.8"));
    CHECK_FALSE(contains("0.0.0.0/0", "2600::1"));
    CHECK(contains("::/0", "8.8.8.8"));
    CHECK_FALSE(contains("::/0", "localhost"));
}

TEST_CASE("what is neither an address nor a network is none") {
    for (const std::string text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
                                   "10.0.0.0/8x", "::/129", "10.0.0.0/8/8", "localhost"}) {
        CAPTURE(text);
        CHECK_FALSE(IpNetwork::parse(text));
    }
}

TEST_CASE("addresses of the public internet are public, up to the edge of the special blocks") {
    for (const std::string address :
         {"1.1.1.1",         "9.255.255.255",   "11.0.0.0",         "52.216.8.1",
          "100.63.255.255",  "100.128.0.0",     "126.255.255.255",  "128.0.0.0",
          "169.253.255.255", "169.255.0.0",     "172.15.255.255",   "172.32.0.0",
          "192.0.1.0",       "192.0.3.0",       "192.88.98.255",    "192.88.100.0",
          "192.167.255.255", "192.169.0.0",     "198.17.255.255",   "198.20.0.0",
          "198.51.99.255",   "198.51.101.0",    "203.0.112.255",    "203.0.114.0",
          "223.255.255.255", "2600:9000::1",    "2a00:1450::8a",    "2001:200::1",
          "2001:db7::1",     "2001:db9::1",     "2606:4700::1111",  "3ffe:ffff::1",
          "3fff:1000::1",    "::ffff:52.0.0.1", "64:ff9b::1.1.1.1", "2002:101:101::1"}) {
        CAPTURE(address);
        CHECK(is_public_address(address));
    }
}

TEST_CASE("IPv4 addresses with a special purpose are not public") {
    for (const std::string address :
         {"0.0.0.0",      "0.255.255.255",   "10.0.0.0",   "10.255.255.255",
          "100.64.0.0",   "100.127.255.255", "127.0.0.1",  "127.255.255.255",
          "169.254.0.0",  "169.254.169.254", "172.16.0.0", "172.31.255.255",
          "192.0.0.0",    "192.0.0.255",     "192.0.2.1",  "192.88.99.1",
          "192.168.0.0",  "192.168.255.255", "198.18.0.0", "198.19.255.255",
          "198.51.100.7", "203.0.113.255",   "224.0.0.1",  "239.255.255.255",
          "240.0.0.1",    "255.255.255.255"}) {
        CAPTURE(address);
        CHECK_FALSE(is_public_address(address));
        CHECK_FALSE(is_public_address("::ffff:" + address));
        CHECK_FALSE(is_public_address("64:ff9b::" + address));
    }
}

TEST_CASE("IPv6 addresses with a special purpose are not public") {
    for (const std::string address : {"::",                  // unspecified
                                      "::1",                 // loopback
                                      "::1.1.1.1",           // IPv4-compatible
                                      "::ffff:0:1.1.1.1",    // translated
                                      "64:ff9b:1::1.1.1.1",  // local NAT64
                                      "64:ff9b::1:1.1.1.1",  // not the /96
                                      "100::1",              // discard
                                      "2001::1",             // Teredo
                                      "2001:10::1",          // ORCHID
                                      "2001:20::1",          // ORCHIDv2
                                      "2001:1ff:ffff::1",  // protocol assignments, the last of them
                                      "2001:db8::1",       // documentation
                                      "3fff::1",           // documentation
                                      "3fff:fff::1",       //
                                      "2002:a00:1::1",     // 6to4 of 10.0.0.1
                                      "2002:7f00:1::1",    // 6to4 of 127.0.0.1
                                      "2002:a9fe:a9fe::1",  // 6to4 of 169.254.169.254
                                      "4000::1",            // not given out
                                      "5f00::1",            // segment routing
                                      "fc00::1",            // unique local
                                      "fdff:ffff::1",       //
                                      "fe80::1",            // link-local
                                      "fec0::1",            // site-local
                                      "ff02::1"}) {         // multicast
        CAPTURE(address);
        CHECK_FALSE(is_public_address(address));
    }
}

TEST_CASE("what is no plain numeric address is not public") {
    for (const std::string text :
         {"", "localhost", "1.1.1", "1.1.1.1.", "01.1.1.1", "0x1.1.1.1", "16843009", "1.1.1.1 ",
          "fe80::1%eth0", "2600::1%lo", "[2600::1]", "1.1.1.1:443", "1.1.1.256",
          "2600:0000:0000:0000:0000:0000:255.255.255.255.255.255"}) {
        CAPTURE(text);
        CHECK_FALSE(is_public_address(text));
    }
    CHECK_FALSE(is_public_address(std::string("1.1.1.1\0", 8)));
}

}  // namespace ip_test
