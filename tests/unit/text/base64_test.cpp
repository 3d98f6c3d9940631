#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "text/base64.hpp"

namespace base64_test {

namespace detail = twiliowa::detail;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

std::string every_byte() {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
}

std::string base64_of(std::string_view bytes) {
    std::string out;
    detail::append_base64(out, bytes);
    return out;
}

std::string base64url_of(std::string_view bytes) {
    std::string out;
    detail::append_base64url(out, bytes);
    return out;
}

/// "-" for what is none.
std::string from_base64url(std::string_view text) {
    std::string out(text.size(), '\0');
    const auto size = detail::decode_base64url_into(
        text, {reinterpret_cast<unsigned char*>(out.data()), out.size()});
    return size ? out.substr(0, *size) : "-";
}

}  // namespace

TEST_CASE("base64 gives the test vectors of RFC 4648, both ways") {
    const std::pair<std::string_view, std::string_view> vectors[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (const auto& vector : vectors) {
        CAPTURE(vector.first);
        CHECK(base64_of(vector.first) == vector.second);
        CHECK(detail::decode_base64(vector.second) == std::string(vector.first));
    }
}

TEST_CASE("base64 keeps every byte, NUL too, at every length") {
    const auto bytes = every_byte();
    for (std::size_t length = 0; length <= bytes.size(); ++length) {
        const auto part = bytes.substr(bytes.size() - length) + bytes.substr(0, 1);
        CHECK(detail::decode_base64(base64_of(part)) == part);
    }
}

TEST_CASE("base64 is appended to what is there") {
    std::string out = "Basic ";
    detail::append_base64(out, "a:b");
    CHECK(out == "Basic YTpi");
}

TEST_CASE("base64 is decoded into what has room for it, and into nothing smaller") {
    std::array<unsigned char, 4> room{};
    CHECK(detail::decode_base64_into("Zm9vYg==", room) == 4u);
    CHECK(std::string(room.begin(), room.end()) == "foob");
    CHECK_FALSE(detail::decode_base64_into("Zm9vYmE=", room));
    CHECK(detail::decode_base64_into("", {}) == 0u);
    CHECK_FALSE(detail::decode_base64_into("Zg==", {}));
}

TEST_CASE("base64 that is not strict is refused") {
    for (const auto text : {"Z"sv, "Zg"sv, "Zg="sv, "Zg==="sv, "===="sv, "="sv, "Z==="sv, "Zg=a"sv,
                            "Zg==Zg=="sv, "Zm9v\n"sv, " Zm9v"sv, "Zm 9"sv, "Zm-_"sv, "Zm\0v"sv,
                            "Zm9v\0\0\0\0"sv, "Zh=="sv, "Zm9="sv, "\xff\xff\xff\xff"sv}) {
        CAPTURE(text);
        CHECK_FALSE(detail::decode_base64(text));
    }
}

TEST_CASE("base64 for URLs is the same without padding, with - and _") {
    CHECK(base64url_of("foob") == "Zm9vYg");
    CHECK(base64url_of("fooba") == "Zm9vYmE");
    CHECK(base64url_of("\xfb\xff") == "-_8");
    const auto bytes = every_byte();
    for (std::size_t length = 0; length <= bytes.size(); ++length) {
        const auto part = bytes.substr(bytes.size() - length);
        CHECK(from_base64url(base64url_of(part)) == part);
    }
}

TEST_CASE("base64 for URLs that is not strict is refused") {
    for (const auto text : {"Z"sv, "Zg=="sv, "Zm9vY"sv, "Zm9v\n"sv, " Zm9v"sv, "Zm+/"sv, "+_8"sv,
                            "Zm\0v"sv, "Zh"sv, "Zm9vYmF"sv, "Zg\xff"sv, "\xff\xff\xff\xff"sv}) {
        CAPTURE(text);
        CHECK(from_base64url(text) == "-");
    }
    std::array<unsigned char, 4> room{};
    CHECK(detail::decode_base64url_into("Zm9vYg", room) == 4u);
    CHECK_FALSE(detail::decode_base64url_into("Zm9vYmE", room));
}

}  // namespace base64_test
