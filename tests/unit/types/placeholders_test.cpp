#include <twiliowa/types/placeholders.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace placeholders_test {

using twiliowa::find_placeholder;
using twiliowa::is_variable_name;

namespace {

/// The first placeholder of `text`, between bars: `a|{{1}}|b`.
std::string cut(std::string_view text, std::size_t from = 0) {
    const auto found = find_placeholder(text, from);
    if (!found) return "none";
    return std::string(text.substr(0, found->begin)) + '|' +
           std::string(text.substr(found->begin, found->end - found->begin)) + '|' +
           std::string(text.substr(found->end));
}

std::string name(std::string_view text) {
    const auto found = find_placeholder(text);
    return found ? std::string(found->name) : "none";
}

}  // namespace

// Known when the program is compiled.
static_assert(find_placeholder("Hi {{1}}!")->begin == 3);
static_assert(find_placeholder("Hi {{1}}!")->end == 8);
static_assert(find_placeholder("Hi {{ name }}")->name == "name");
static_assert(find_placeholder("Hi {{a-b}}")->name.empty());
static_assert(!find_placeholder("Hi {1}"));
static_assert(is_variable_name("coupon_code_2026"));
static_assert(!is_variable_name("coupon_code_20261"));

TEST_CASE("a placeholder is a name in two braces on each side") {
    CHECK(cut("Hi {{1}}, your {{2}}") == "Hi |{{1}}|, your {{2}}");
    CHECK(cut("Hi {{1}}, your {{2}}", 8) == "Hi {{1}}, your |{{2}}|");
    CHECK(cut("{{coupon_code}}") == "|{{coupon_code}}|");
    CHECK(name("{{Coupon_2}}") == "Coupon_2");
    CHECK(cut("") == "none");
    CHECK(cut("no {1} and no }}") == "none");
    CHECK(cut("{{1}}", 1) == "none");
    CHECK(cut("{{1}}", 100) == "none");
}

TEST_CASE("blanks around the name do not count") {
    CHECK(name("{{ 1 }}") == "1");
    CHECK(cut("a{{  1   }}b") == "a|{{  1   }}|b");
    CHECK(name("{{\t1}}").empty());
    CHECK(name("{{a b}}").empty());
}

TEST_CASE("a malformed placeholder is told, with no name") {
    for (const std::string text : {"{{}}", "{{ }}", "{{1", "{{1}", "{{a-b}}", "{{a.b}}", "{{",
                                   "{{\xc3\xa9}}", "{{12345678901234567}}", "{{1} }"}) {
        CAPTURE(text);
        const auto found = find_placeholder("x" + text + "y");
        REQUIRE(found.has_value());
        CHECK(found->name.empty());
        CHECK(found->begin == 1);
        CHECK(found->end >= 3);
        CHECK(found->end <= text.size() + 1);
    }
    CHECK(cut("a{{}}b") == "a|{{}}|b");
    // What stands behind one that is not closed is still found.
    CHECK(cut("{{1 {{2}}") == "|{{|1 {{2}}");
    CHECK(cut("{{1 {{2}}", 2) == "{{1 |{{2}}|");
}

TEST_CASE("of three braces the last two open a placeholder, the first two close one") {
    CHECK(cut("{{{1}}}") == "{|{{1}}|}");
    CHECK(cut("{{{{1}}}}") == "{{|{{1}}|}}");
    CHECK(cut("{{{") == "{|{{|");
}

TEST_CASE("a name has 1 to 16 letters, digits and underscores") {
    CHECK(is_variable_name("1"));
    CHECK(is_variable_name("_"));
    CHECK(is_variable_name(std::string(16, 'a')));
    CHECK_FALSE(is_variable_name(std::string(17, 'a')));
    for (const std::string each : {"", " ", "a b", "a-b", "\xc3\xa9", "a\n"}) {
        CAPTURE(each);
        CHECK_FALSE(is_variable_name(each));
    }
}

TEST_CASE("whatever the text, the pieces that the placeholders cut put together are the text") {
    std::mt19937 random(11);
    const std::string_view pieces[] = {"{", "}", "{{", "}}", "1", " ", "a", "\xc3\xa9", "-"};
    for (int round = 0; round < 20000; ++round) {
        std::string text;
        for (auto left = random() % 12; left > 0; --left) text += pieces[random() % 9];
        CAPTURE(text);
        std::string joined;
        std::size_t done = 0;
        while (const auto found = find_placeholder(text, done)) {
            REQUIRE(found->begin >= done);
            REQUIRE(found->end >= found->begin + 2);
            REQUIRE(found->end <= text.size());
            joined += text.substr(done, found->begin - done);
            joined += text.substr(found->begin, found->end - found->begin);
            done = found->end;
        }
        joined += text.substr(done);
        REQUIRE(joined == text);
        REQUIRE(text.find("{{", done) == std::string::npos);
    }
}

}  // namespace placeholders_test
