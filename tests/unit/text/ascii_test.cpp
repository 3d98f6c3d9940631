#include "text/ascii.hpp"

#include <doctest/doctest.h>

namespace ascii_test {

using namespace twiliowa::detail;

TEST_CASE("trimming takes the named characters off both ends, and none from within") {
    CHECK(trim(" \ta \tb\t ", blanks) == "a \tb");
    CHECK(trim("a", blanks) == "a");
    CHECK(trim("\r\n a b \r\n", white_space) == "a b");
    CHECK(trim("\ra\n", blanks) == "\ra\n");
    CHECK(trim("--a-b--", "-") == "a-b");
}

TEST_CASE("trimming what is nothing else leaves nothing") {
    CHECK(trim("", blanks).empty());
    CHECK(trim(" \t \t", blanks).empty());
    CHECK(trim_front("  ", blanks).empty());
    CHECK(trim_back("  ", blanks).empty());
}

TEST_CASE("one end is trimmed without the other") {
    CHECK(trim_front(" a ", blanks) == "a ");
    CHECK(trim_back(" a ", blanks) == " a");
}

}  // namespace ascii_test
