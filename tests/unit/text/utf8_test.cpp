#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

#include "text/utf8.hpp"

namespace utf8_test {

namespace detail = twiliowa::detail;
using namespace std::string_literals;
using namespace std::string_view_literals;

TEST_CASE("well-formed UTF-8 is valid up to the edges of each length") {
    for (const auto text :
         {""sv, "\0"sv, "\x7f"sv, "\xc2\x80"sv, "\xdf\xbf"sv, "\xe0\xa0\x80"sv, "\xec\xbf\xbf"sv,
          "\xed\x80\x80"sv, "\xed\x9f\xbf"sv, "\xee\x80\x80"sv, "\xef\xbf\xbf"sv,
          "\xf0\x90\x80\x80"sv, "\xf3\xbf\xbf\xbf"sv, "\xf4\x8f\xbf\xbf"sv, "a\xc3\xa9z"sv}) {
        CAPTURE(text);
        CHECK(detail::is_valid_utf8(text));
    }
}

TEST_CASE("ill-formed UTF-8 is refused wherever it stands") {
    const std::pair<std::string_view, std::string_view> table[] = {
        {"\x80", "lone continuation"},
        {"\xbf", "lone continuation"},
        {"\xc0\x80", "overlong NUL"},
        {"\xc1\xbf", "overlong, two bytes"},
        {"\xe0\x80\x80", "overlong, three bytes"},
        {"\xe0\x9f\xbf", "overlong, three bytes"},
        {"\xf0\x80\x80\x80", "overlong, four bytes"},
        {"\xf0\x8f\xbf\xbf", "overlong, four bytes"},
        {"\xed\xa0\x80", "first surrogate"},
        {"\xed\xbf\xbf", "last surrogate"},
        {"\xed\xa0\xbd\xed\xb8\x80", "surrogate pair"},
        {"\xf4\x90\x80\x80", "above U+10FFFF"},
        {"\xf5\x80\x80\x80", "above U+10FFFF"},
        {"\xf8\x88\x80\x80\x80", "five bytes"},
        {"\xfc\x84\x80\x80\x80\x80", "six bytes"},
        {"\xfe", "never a byte"},
        {"\xff", "never a byte"},
        {"\xc2", "cut after one of two"},
        {"\xe2\x82", "cut after two of three"},
        {"\xe2", "cut after one of three"},
        {"\xf0\x9f\x98", "cut after three of four"},
        {"\xc2\x41", "no continuation"},
        {"\xe2\x41\xac", "no second byte"},
        {"\xe2\x82\x41", "no third byte"},
        {"\xf0\x9f\x41\x80", "no third byte"},
        {"\xf0\x9f\x98\xc0", "no fourth byte"},
    };
    for (const auto& row : table) {
        const auto bytes = row.first;
        const auto what = row.second;
        CAPTURE(what);
        CHECK_FALSE(detail::is_valid_utf8(bytes));
        CHECK_FALSE(detail::is_valid_utf8("ok \xc3\xa9" + std::string(bytes)));
        CHECK_FALSE(detail::is_valid_utf8(std::string(bytes) + "ok"));
    }
}

TEST_CASE("code points are counted, not bytes") {
    CHECK(detail::count_code_points("") == 0);
    CHECK(detail::count_code_points("abc") == 3);
    CHECK(detail::count_code_points("\0"sv) == 1);
    CHECK(detail::count_code_points("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") == 4);
}

TEST_CASE("a byte that is not ASCII is found wherever it stands") {
    for (std::size_t size = 0; size <= 100; ++size) {
        std::string text(size, 'a');
        CAPTURE(size);
        CHECK(detail::is_ascii(text));
        std::size_t overlooked = 0;
        for (auto& c : text) {
            c = '\x80';
            if (detail::is_ascii(text)) ++overlooked;
            c = 'a';
        }
        CHECK(overlooked == 0);
    }
    CHECK(detail::is_ascii("a\x7f\0b"sv));
}

}  // namespace utf8_test
