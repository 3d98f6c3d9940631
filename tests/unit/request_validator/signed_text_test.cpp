#include "request_validator/signed_text.hpp"

#include <doctest/doctest.h>

#include <string>

namespace signed_text_test {

using twiliowa::detail::DecodedForm;
using twiliowa::detail::signed_text;

namespace {

std::string text_of(const std::string& body) {
    DecodedForm form;
    REQUIRE(form.read(body, 1000));
    return std::string{signed_text(form)};
}

}  // namespace

TEST_CASE("what is signed is sorted by the bytes of the names, names before values") {
    CHECK(text_of("").empty());
    CHECK(text_of("b=2&a=1") == "a1b2");
    CHECK(text_of("To=x&From=y&a=z&%C3%A9=e") ==
          "FromyToxaz\xc3\xa9"
          "e");
    // Longer than the eight bytes that are compared first.
    CHECK(text_of("MediaUrl10=k&MediaUrl1=b&MediaUrl=a") == "MediaUrlaMediaUrl1bMediaUrl10k");
}

TEST_CASE("a value that comes twice for a name is signed once, others in their order") {
    CHECK(text_of("a=2&a=1&a=2") == "a1a2");
    CHECK(text_of("a=&a=&b=") == "ab");
}

TEST_CASE("any number of fields is sorted") {
    std::string body;
    std::string sorted;
    for (int i = 299; i >= 0; --i) body += "n" + std::to_string(1000 + i) + "=v&";
    for (int i = 0; i < 300; ++i) sorted += "n" + std::to_string(1000 + i) + "v";
    CHECK(text_of(body) == sorted);
}

}  // namespace signed_text_test
