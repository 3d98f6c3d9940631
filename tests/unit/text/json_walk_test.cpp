#include "text/json_walk.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace json_walk_test {

using namespace twiliowa::detail;

namespace {

/// `path=value` of each value and `path{` of each object, and whether it was a document.
std::string walked(std::string_view json, std::size_t deepest = 16) {
    std::string all;
    const bool whole =
        walk_json(json,
                  {.on_value =
                       [&](std::string_view path, const JsonScalar& value) {
                           all.append(path).append("=");
                           all += value.text     ? std::string(*value.text)
                                  : value.number ? std::to_string(*value.number)
                                                 : "-";
                           all += ' ';
                       },
                   .on_object = [&](std::string_view path) { all.append(path).append("{ "); }},
                  deepest);
    return all + (whole ? "whole" : "broken");
}

}  // namespace

TEST_CASE("each value of a document has its path") {
    CHECK(walked(R"({"a": 1, "b": {"c": "x", "d": {"e": null}}, "f": true})") ==
          "{ a=1 b{ b.c=x b.d{ b.d.e=- f=- whole");
    CHECK(walked(R"({"s": [{"n": "1"}, {"n": "2", "m": [3, 4]}, 5], "t": 6})") ==
          "{ s[]{ s[].n=1 s[]{ s[].n=2 s[].m[]=3 s[].m[]=4 s[]=5 t=6 whole");
    CHECK(walked(R"({"": 1, "a": {"": 2}})") == "{ =1 a{ a.=2 whole");
    CHECK(walked("{}") == "{ whole");
}

TEST_CASE("what is no document, or whose root is no object, is not whole") {
    CHECK(walked("") == "broken");
    CHECK(walked("[1]") == "[]=1 broken");
    CHECK(walked(R"("x")") == "=x broken");
    CHECK(walked(R"({"a": 1)") == "{ a=1 broken");
}

TEST_CASE("what lies too deep is passed over, and what follows it has its own path again") {
    CHECK(walked(R"({"a": {"b": {"c": 1}, "d": 2}, "e": [[3]], "f": 4})", 2) ==
          "{ a{ a.d=2 f=4 whole");
    std::string deep = R"({"x":)";
    for (int i = 0; i < 100'000; ++i) deep += '[';
    for (int i = 0; i < 100'000; ++i) deep += ']';
    CHECK(walked(deep + R"(,"y":1})") == "{ y=1 whole");
}

TEST_CASE("a scalar is read as text, number or date, if it is one") {
    CHECK(JsonScalar{.text = "7"}.as_int() == 7);
    CHECK(JsonScalar{.number = 8}.as_int() == 8);
    CHECK_FALSE(JsonScalar{.number = 1LL << 40}.as_int());
    CHECK_FALSE(JsonScalar{.text = "x"}.as_int());
    CHECK(JsonScalar{}.as_text().empty());
    CHECK(JsonScalar{.text = "2026-01-02T03:04:05Z"}.as_date().has_value());
    CHECK_FALSE(JsonScalar{.text = "soon"}.as_date());
}

}  // namespace json_walk_test
