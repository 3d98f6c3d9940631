#include "text/media_type.hpp"

#include <doctest/doctest.h>

#include <string>

namespace media_type_test {

using namespace twiliowa::detail;

TEST_CASE("a media type is read without its parameters and the blanks around it") {
    CHECK(bare_media_type("text/xml") == "text/xml");
    CHECK(bare_media_type(" text/xml ; charset=utf-8") == "text/xml");
    CHECK(bare_media_type("\ttext/xml\t;charset=utf-8") == "text/xml");
    CHECK(bare_media_type(";charset=utf-8").empty());
}

TEST_CASE("media types are compared as wholes, in any case") {
    CHECK(is_media_type("Text/XML; charset=utf-8", "text/xml"));
    CHECK_FALSE(is_media_type("text/xml2", "text/xml"));
    CHECK_FALSE(is_media_type("text/xm", "text/xml"));
    CHECK_FALSE(is_media_type("", "text/xml"));
}

TEST_CASE("a form's type has a tab or a blank around it, or is not said at all") {
    for (const std::string type :
         {"application/x-www-form-urlencoded", "application/x-www-form-urlencoded\t;charset=UTF-8",
          "\tapplication/x-www-form-urlencoded", " Application/X-WWW-Form-URLencoded ", "", " ",
          ";charset=UTF-8"}) {
        CAPTURE(type);
        CHECK(is_form_type(type));
    }
    for (const std::string type :
         {"application/json", "multipart/form-data", "x-application/x-www-form-urlencoded",
          "application/x-www-form-urlencoded,text/html"}) {
        CAPTURE(type);
        CHECK_FALSE(is_form_type(type));
    }
}

}  // namespace media_type_test
