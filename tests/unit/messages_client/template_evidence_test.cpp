#include "messages_client/template_evidence.hpp"

#include <doctest/doctest.h>

#include <string>

namespace template_evidence_test {

using twiliowa::detail::has_whole_words;
using twiliowa::detail::shows_values;
using twiliowa::detail::single_spaced;

TEST_CASE("a value inside another word is not there") {
    CHECK(has_whole_words("Hi Ann, it left", "Ann"));
    CHECK(has_whole_words("Ann", "Ann"));
    CHECK(has_whole_words("Anna and Ann.", "Ann"));
    CHECK_FALSE(has_whole_words("Hi Anna", "Ann"));
    CHECK_FALSE(has_whole_words("Hi JoAnn", "Ann"));
    CHECK_FALSE(has_whole_words("Hi Ann\xc3\xa9", "Ann"));
    CHECK_FALSE(has_whole_words("order A-1042", "1042"));
    CHECK_FALSE(has_whole_words("order A-10421", "A-1042"));
    CHECK_FALSE(has_whole_words("order A-1042-B", "A-1042"));
    CHECK_FALSE(has_whole_words("pay 10.50 now", "10"));
    CHECK(has_whole_words("order A-1042-", "A-1042"));
    CHECK(has_whole_words("pay 10. Now", "10"));
    CHECK(has_whole_words("It is \"!\"", "!"));
    CHECK_FALSE(has_whole_words("anything", ""));
}

TEST_CASE("a text shows values when it has all of them and one is distinctive") {
    CHECK(shows_values("Hi Ann, A-1042 left", {"Ann", "A-1042"}));
    CHECK_FALSE(shows_values("Hi Anna, A-1042 left", {"Ann", "A-1042"}));
    CHECK_FALSE(shows_values("Hi Ann", {"Ann"}));
    CHECK_FALSE(shows_values("Hi", {}));
}

TEST_CASE("white space is one space each, and none at the ends") {
    CHECK(single_spaced(" Ana\n\n Maria\t") == "Ana Maria");
    CHECK(single_spaced(" \r\n").empty());
}

}  // namespace template_evidence_test
