#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "text/percent.hpp"

namespace percent_test {

namespace detail = twiliowa::detail;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

std::string every_byte() {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
}

std::string form_encoded(std::string_view text) {
    std::string out;
    detail::append_form_encoded(out, text);
    return out;
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    detail::append_percent_encoded(out, text);
    return out;
}

}  // namespace

TEST_CASE("form encoding keeps letters, digits and *-._ and makes a space a plus") {
    CHECK(form_encoded("") == "");
    CHECK(form_encoded("AZaz09*-._") == "AZaz09*-._");
    CHECK(form_encoded("a b+c~d&e=f%") == "a+b%2Bc%7Ed%26e%3Df%25");
    CHECK(form_encoded("\0\n\x7f"sv) == "%00%0A%7F");
    CHECK(form_encoded("\xc3\xa9\xf0\x9f\x98\x80") == "%C3%A9%F0%9F%98%80");
}

TEST_CASE("RFC 3986 encoding keeps letters, digits and -._~ and makes a space %20") {
    CHECK(percent_encoded("") == "");
    CHECK(percent_encoded("AZaz09-._~") == "AZaz09-._~");
    CHECK(percent_encoded("a b+c*d/e?f#g:h") == "a%20b%2Bc%2Ad%2Fe%3Ff%23g%3Ah");
    CHECK(percent_encoded("../x") == "..%2Fx");
    CHECK(percent_encoded("\0\xff"sv) == "%00%FF");
}

TEST_CASE("both encodings decode to every byte they were given") {
    const auto bytes = every_byte();
    CHECK(detail::percent_decode(form_encoded(bytes), true) == bytes);
    CHECK(detail::percent_decode(percent_encoded(bytes), false) == bytes);
}

TEST_CASE("decoding takes hexadecimal digits of either case") {
    CHECK(detail::percent_decode("%2b%2B%c3%A9", false) == "++\xc3\xa9");
    CHECK(detail::percent_decode("%00x", false) == "\0x"s);
}

TEST_CASE("a plus is a space only where it is said to be one") {
    CHECK(detail::percent_decode("a+b%2Bc", true) == "a b+c");
    CHECK(detail::percent_decode("a+b%2Bc", false) == "a+b+c");
}

TEST_CASE("an escape that is none stays as it is") {
    for (const auto text : {""sv, "%"sv, "%%"sv, "%4"sv, "a%"sv, "a%4"sv, "%zz"sv, "%4g"sv, "%g4"sv,
                            "% 1"sv, "%-1"sv, "%0x"sv, "%\0\0"sv, "%\xff\xff"sv}) {
        CAPTURE(text);
        CHECK(detail::percent_decode(text, false) == text);
    }
    CHECK(detail::percent_decode("%%41", false) == "%A");
    CHECK(detail::percent_decode("%2541", false) == "%41");
}

TEST_CASE("an escape that the end of a view cuts off is not read past it") {
    constexpr std::string_view whole = "a%41";
    CHECK(detail::percent_decode(whole.substr(0, 3), false) == "a%4");
    CHECK(detail::percent_decode(whole.substr(0, 2), false) == "a%");
    CHECK(detail::percent_decode(whole, false) == "aA");
}

}  // namespace percent_test
