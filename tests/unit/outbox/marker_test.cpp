#include "outbox/marker.hpp"

#include <doctest/doctest.h>

namespace marker_test {

using twiliowa::JobId;
using twiliowa::detail::Marker;
using twiliowa::detail::with_marker;

namespace {

Marker some_marker() {
    return {0xdeadbeef, JobId{{0, 1, 2, 3, 4, 5, 6, 7, 8, 255}}, {9, 10, 11, 12, 13, 14}};
}

}  // namespace

TEST_CASE("a marker is 32 characters of base32, and is read back") {
    const auto text = some_marker().str();
    CHECK(text.size() == 32);
    // Of Python's base64.b32encode, in lower case.
    CHECK(text == "32w353yaaebagbafaydqr7yjbifqydio");
    CHECK(Marker::parse(text) == some_marker());
}

TEST_CASE("what was cut, or is written otherwise, is no marker") {
    const auto text = some_marker().str();
    for (std::size_t length = 0; length < text.size(); ++length) {
        CHECK_FALSE(Marker::parse(text.substr(0, length)));
    }
    CHECK_FALSE(Marker::parse(text + "a"));
    for (const char wrong : {'A', '1', '0', '8', '=', ' ', '\0'}) {
        auto other = text;
        other[5] = wrong;
        CHECK_FALSE(Marker::parse(other));
    }
}

TEST_CASE("a marker stands behind the query and before the fragment") {
    const auto marker = some_marker();
    const auto part = "twj=" + marker.str();
    CHECK(with_marker("https://a.example/s", marker) == "https://a.example/s?" + part);
    CHECK(with_marker("https://a.example/s?job=1", marker) == "https://a.example/s?job=1&" + part);
    CHECK(with_marker("https://a.example/s?", marker) == "https://a.example/s?" + part);
    CHECK(with_marker("https://a.example/s?a=1&", marker) == "https://a.example/s?a=1&" + part);
    CHECK(with_marker("https://a.example/s#rc=5&rp=all", marker) ==
          "https://a.example/s?" + part + "#rc=5&rp=all");
    CHECK(with_marker("https://a.example/s?a=1#rc=5?", marker) ==
          "https://a.example/s?a=1&" + part + "#rc=5?");
}

}  // namespace marker_test
