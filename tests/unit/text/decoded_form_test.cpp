#include "text/decoded_form.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace decoded_form_test {

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

TEST_CASE("a form leaves room for all of its text, in its own buffer or in a larger one") {
    for (const std::size_t size : {1U, 1023U, 1024U, 1025U, 1026U, 2047U, 2048U, 2049U, 4097U}) {
        CAPTURE(size);
        DecodedForm form;
        const std::string body(size, 'x');  // a name alone: nothing of it is left out
        REQUIRE(form.read(body, 10));
        REQUIRE(form.text().size() == size);
        std::fill_n(form.room(), size, 'y');
        REQUIRE(form.fields().size() == 1);
        // Told before it is read: what was written over it would lead anywhere.
        REQUIRE(form.room() == form.fields()[0].data + size);
        CHECK(form.fields()[0].name() == body);
    }
}

TEST_CASE("fields keep their order and their text, in their first place or in a larger one") {
    for (const std::size_t count : {63U, 64U, 65U, 66U, 129U}) {
        CAPTURE(count);
        std::string text;
        for (std::size_t i = 0; i < count; ++i) text += "&f=" + std::to_string(i);
        DecodedForm form;
        REQUIRE(form.read(text, count));
        REQUIRE(form.fields().size() == count);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (form.fields()[i].value() != std::to_string(i)) ++wrong;
        }
        CHECK(wrong == 0);
    }
}

}  // namespace decoded_form_test
