#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/form.hpp"

namespace form_test {

namespace detail = twiliowa::detail;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("form fields are encoded and joined by ampersands") {
    std::string body;
    detail::append_form_field(body, "To", "whatsapp:+1 2");
    detail::append_form_field(body, "Body", "");
    detail::append_form_field(body, "a&b", "c=d");
    CHECK(body == "To=whatsapp%3A%2B1+2&Body=&a%26b=c%3Dd");
    CHECK(detail::parse_form(body) ==
          Fields{{"To", "whatsapp:+1 2"}, {"Body", ""}, {"a&b", "c=d"}});
}

TEST_CASE("parsing a form keeps order, repeated and empty fields") {
    CHECK(detail::parse_form("b=1&a=2&b=3&b=1") ==
          Fields{{"b", "1"}, {"a", "2"}, {"b", "3"}, {"b", "1"}});
    CHECK(detail::parse_form("a&b=&=c&=") == Fields{{"a", ""}, {"b", ""}, {"", "c"}, {"", ""}});
    CHECK(detail::parse_form("a=b=c") == Fields{{"a", "b=c"}});
}

TEST_CASE("parsing a form skips what is between ampersands and nothing") {
    CHECK(detail::parse_form("").empty());
    CHECK(detail::parse_form("&").empty());
    CHECK(detail::parse_form("&&&").empty());
    CHECK(detail::parse_form("&a=1&&b=2&") == Fields{{"a", "1"}, {"b", "2"}});
}

TEST_CASE("parsing a form survives broken escapes and NUL") {
    CHECK(detail::parse_form("a=%&b=%4&%zz=1") == Fields{{"a", "%"}, {"b", "%4"}, {"%zz", "1"}});
    CHECK(detail::parse_form("a\0b=c\0d"sv) == Fields{{"a\0b"s, "c\0d"s}});
    CHECK(detail::parse_form("a%00=%26%3D") == Fields{{"a\0"s, "&="}});
}

TEST_CASE("a form with very many fields is cut at the limit") {
    std::string body;
    for (int i = 0; i < 5000; ++i) body += "a=1&";
    CHECK(detail::parse_form(body).size() == 1000);
    CHECK(detail::parse_form(body, 3).size() == 3);
    CHECK(detail::parse_form(body, 0).empty());
    CHECK(detail::parse_form(std::string(100'000, '&'), 1).empty());
}

}  // namespace form_test
