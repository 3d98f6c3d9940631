#include "text/decoded_form.hpp"

#include <doctest/doctest.h>

#include <string>

using twiliowa::detail::DecodedForm;

TEST_CASE("a form's fields stay in their order, decoded, repeated ones too") {
    DecodedForm form;
    REQUIRE(form.read("b=1+2&a=%41&&b=1&c&=x&d=a=b", 10));
    REQUIRE(form.fields().size() == 6);
    CHECK(form.fields()[0].name() == "b");
    CHECK(form.fields()[0].value() == "1 2");
    CHECK(form.fields()[1].value() == "A");
    CHECK(form.fields()[3].value().empty());
    CHECK(form.fields()[4].name().empty());
    CHECK(form.fields()[5].name_and_value() == "da=b");
    CHECK(form.first("b") == "1 2");
    CHECK(form.first("c") == "");
    CHECK_FALSE(form.first("e").has_value());
}

TEST_CASE("an escape that is none stays as it is, at the end, too") {
    DecodedForm form;
    REQUIRE(form.read("a=%4&b=%zz&c=%", 10));
    CHECK(form.first("a") == "%4");
    CHECK(form.first("b") == "%zz");
    CHECK(form.first("c") == "%");
}

TEST_CASE("a form of more fields than may be says so, and has the first of them") {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "f" + std::to_string(i) + "=" + std::to_string(i) + "&";
    DecodedForm form;
    CHECK(form.read(text, 100));
    CHECK(form.fields().size() == 100);
    CHECK(form.first("f99") == "99");
    CHECK_FALSE(form.read(text, 99));
    CHECK(form.fields().size() == 99);
    CHECK(form.fields()[98].name() == "f98");
    CHECK_FALSE(form.read("a=1", 0));
    CHECK(form.fields().empty());
}

TEST_CASE("what was read before is forgotten") {
    DecodedForm form;
    REQUIRE(form.read("a=1&b=2", 10));
    REQUIRE(form.read("", 10));
    CHECK(form.fields().empty());
    REQUIRE(form.read("c=3", 10));
    CHECK(form.fields().size() == 1);
}
