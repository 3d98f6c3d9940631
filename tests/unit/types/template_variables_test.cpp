#include <twiliowa/types/template_variables.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/types/error.hpp>
#include <twiliowa/types/outbound.hpp>

namespace template_variables_test {

using twiliowa::OutboundMessage;
using twiliowa::OutboundTemplate;
using twiliowa::TemplateVariables;
using twiliowa::WhitespacePolicy;

namespace {

std::string refusal(const TemplateVariables& variables,
                    WhitespacePolicy policy = WhitespacePolicy::refuse) {
    const auto checked = variables.check(policy);
    if (checked) return {};
    CHECK(checked.error().field() == "ContentVariables");
    return checked.error().what();
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("good variables become one JSON object, in order") {
    const TemplateVariables variables{{"1", "Lee"}, {"name", "a \"b\" \\ \xc3\xa9"}};
    CHECK(refusal(variables).empty());
    CHECK(variables.to_json() == "{\"1\":\"Lee\",\"name\":\"a \\\"b\\\" \\\\ \xc3\xa9\"}");
    CHECK(TemplateVariables::positional({"x", "y"}).to_json() == R"({"1":"x","2":"y"})");
    CHECK(TemplateVariables{}.to_json() == "{}");
}

TEST_CASE("each broken rule is refused with the variable's name and never its value") {
    CHECK(contains(refusal({{"1", ""}}), "variable \"1\" is empty"));
    CHECK(contains(refusal({{"1", "a"}, {"1", "b"}}), "variable \"1\" is there twice"));
    // A name that may be somebody's number is not repeated.
    CHECK(contains(refusal({{"1", "a"}, {"447700900123", ""}}), "variable number 2 is empty"));
    CHECK(contains(refusal({{"tel447700900123", ""}}), "variable number 1 is empty"));
    CHECK(
        contains(refusal({{"first name", "secret"}}), "variable number 1 has an impossible name"));
    CHECK(contains(refusal({{"", "secret"}}), "variable number 1"));
    CHECK(contains(refusal({{std::string(17, 'a'), "secret"}}), "impossible name"));
    CHECK(contains(refusal({{"1", "\xff"}}), "UTF-8"));
    CHECK(contains(refusal({{"2", std::string(1601, 'x')}}), "\"2\" has more than 1600"));
    std::string wide;
    for (int i = 0; i < 1600; ++i) wide += "\xc3\xa9";
    CHECK(refusal({{"2", wide}}).empty());
    CHECK_FALSE(contains(refusal({{"first name", "secret"}}), "secret"));
    std::vector<std::string> many(101, "x");
    CHECK(contains(refusal(TemplateVariables::positional(many)), "101"));
}

TEST_CASE("one value and all of them are normalised as they would be sent") {
    using twiliowa::normalised_variable;
    CHECK(normalised_variable("  a\n\tb     c  d ") == "a b c  d");
    CHECK(normalised_variable("").empty());
    CHECK(normalised_variable("\r\n").empty());
    CHECK(normalised_variable("\xe4\nx") == "\xe4 x");
    TemplateVariables variables{{"1", " a\nb"}, {"name", "\t"}, {"3", "c"}};
    variables.use_default("4");
    const auto normalised = variables.normalised();
    CHECK(normalised.to_json() == variables.to_json(WhitespacePolicy::normalise));
    CHECK(*normalised.find("1") == "a b");
    CHECK(normalised.uses_default("4"));
    CHECK(*variables.find("1") == " a\nb");
}

TEST_CASE("white space is refused, normalised or allowed, as asked") {
    CHECK(TemplateVariables{{"3", "  a  b "}}.to_json(WhitespacePolicy::normalise) ==
          R"({"3":"a  b"})");  // what WhatsApp takes stays, but for the ends
    const std::vector<std::pair<std::string, std::string>> cases{{"a\nb", "line break"},
                                                                 {"a\tb", "tab"},
                                                                 {"a     b", "four spaces"},
                                                                 {"a\r\nb", "line break"}};
    for (const auto& [value, reason] : cases) {
        const TemplateVariables variables{{"3", value}};
        CHECK(contains(refusal(variables), reason));
        CHECK(contains(refusal(variables), "\"3\""));
        CHECK(variables.check().error().code() == 63013);
        CHECK(refusal(variables, WhitespacePolicy::normalise).empty());
        CHECK(variables.to_json(WhitespacePolicy::normalise) == R"({"3":"a b"})");
        CHECK(refusal(variables, WhitespacePolicy::allow).empty());
    }
    CHECK(refusal({{"3", "a    b"}}).empty());
}

TEST_CASE("a value of nothing but white space is blank, unless white space is allowed") {
    for (const std::string value :
         {" ", " \n ", "\t", "\xc2\xa0", "\xe3\x80\x80 \xe2\x80\xa8", "\x1f"}) {
        CAPTURE(value);
        const TemplateVariables variables{{"3", value}};
        CHECK(contains(refusal(variables), "\"3\" is blank"));
        CHECK(contains(refusal(variables, WhitespacePolicy::normalise), "\"3\" is blank"));
        CHECK(refusal(variables, WhitespacePolicy::allow).empty());
    }
    CHECK(contains(refusal({{"3", ""}}, WhitespacePolicy::allow), "is empty"));
}

TEST_CASE("every line separator of Unicode is a line break") {
    for (const std::string separator : {"\v", "\f", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"}) {
        CAPTURE(separator);
        const TemplateVariables variables{{"3", "a " + separator + "b"}};
        CHECK(contains(refusal(variables), "\"3\" holds a line break"));
        CHECK(variables.check().error().code() == 63013);
        CHECK(refusal(variables, WhitespacePolicy::normalise).empty());
        CHECK(variables.to_json(WhitespacePolicy::normalise) == R"({"3":"a b"})");
    }
}

TEST_CASE("what merely looks like white space in bytes is left alone") {
    const std::string text =
        "\xc2\xa3 \xe2\x82\xac\xc2\xa0\xe3\x81\x82\xe2\x80\x94 \xf0\x9f\x98\x80";
    CHECK(refusal({{"3", text}}).empty());
    CHECK(TemplateVariables{{"3", text + '\n'}}.to_json(WhitespacePolicy::normalise) ==
          "{\"3\":\"" + text + "\"}");
}

TEST_CASE("a NUL is refused whatever the policy, another control character goes as white space") {
    const std::string with_nul("a\0b", 3);
    for (const auto policy :
         {WhitespacePolicy::refuse, WhitespacePolicy::normalise, WhitespacePolicy::allow}) {
        CHECK(contains(refusal({{"3", with_nul}}, policy), "\"3\" holds a NUL"));
    }
    for (const std::string value : {"a\x1b"
                                    "b",
                                    "a\x7f"
                                    "b",
                                    "a \x01\x02 b"}) {
        CAPTURE(value);
        const TemplateVariables variables{{"3", value}};
        CHECK(contains(refusal(variables), "\"3\" holds a control character"));
        CHECK(refusal(variables, WhitespacePolicy::normalise).empty());
        CHECK(variables.to_json(WhitespacePolicy::normalise) == R"({"3":"a b"})");
        CHECK(refusal(variables, WhitespacePolicy::allow).empty());
    }
}

TEST_CASE("variables that are required are there and not blank") {
    const TemplateVariables variables{{"1", "Lee"}, {"order", " \n"}};
    CHECK(variables.try_require_all({}).has_value());
    CHECK(variables.try_require_all({"1"}).has_value());
    const auto missing = variables.try_require_all({"1", "date", "order"});
    REQUIRE_FALSE(missing);
    CHECK(missing.error().field() == "ContentVariables");
    CHECK(missing.error().code() == 21656);
    CHECK(contains(missing.error().what(), "variable \"date\" is missing"));
    CHECK(contains(variables.try_require_all({"order"}).error().what(), "\"order\" is blank"));
    const std::vector<std::string_view> names{"1", "first name"};
    CHECK(
        contains(variables.try_require_all(names).error().what(), "variable number 2 is missing"));
    CHECK_NOTHROW(variables.require_all({"1"}));
    CHECK_THROWS_AS(variables.require_all(names), twiliowa::InvalidRequestError);
}

TEST_CASE("a blank value gives way to a fallback") {
    TemplateVariables variables;
    variables.set_or("1", "Lee", "there").set_or("2", "", "there").set_or("3", " \t", "there");
    CHECK(variables.to_json() == R"({"1":"Lee","2":"there","3":"there"})");
    variables.set_or("1", "\xc2\xa0", "you");
    CHECK(*variables.find("1") == "you");
    CHECK(contains(refusal(TemplateVariables{}.set_or("1", "", " ")), "\"1\" is blank"));
}

TEST_CASE("JSON from elsewhere is taken only as a flat object of strings") {
    const auto good = TemplateVariables::from_json(R"( {"1":"Lee","2":"\u00e9"} )");
    REQUIRE(good);
    CHECK(*good->find("2") == "\xc3\xa9");
    CHECK(TemplateVariables::from_json("{}")->empty());
    const std::vector<std::pair<std::string, std::string>> bad{
        {"", "not valid JSON"},
        {"{\"1\":\"a\"", "not valid JSON"},
        {"{\"1\":\"a\"} x", "not valid JSON"},
        {"[]", "an array"},
        {"\"x\"", "a JSON string"},
        {"null", "null"},
        {R"({"1":5})", "variable \"1\" is a number"},
        {R"({"1":null})", "variable \"1\" is null"},
        {R"({"1":true})", "variable \"1\" is a boolean"},
        {R"({"1":{"a":"b"}})", "variable \"1\" is an object"},
        {R"({"1":["a"]})", "variable \"1\" is an array"},
        {R"({"1":"a","1":"b"})", "variable \"1\" is there twice"},
        {"{\"1\":\"\xff\"}", "UTF-8"},
    };
    for (const auto& refused : bad) {
        const auto& json = refused.first;
        const auto& reason = refused.second;
        CAPTURE(json);
        const auto result = TemplateVariables::from_json(json);
        REQUIRE_FALSE(result);
        CHECK(contains(result.error().what(), reason));
        CHECK(result.error().code() == 21656);
    }
}

TEST_CASE("deeply nested JSON is refused, not recursed into") {
    CHECK_FALSE(TemplateVariables::from_json(std::string(1'000'000, '[')));
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
    CHECK_FALSE(TemplateVariables::from_json(deep));
}

TEST_CASE("one brace too many makes the same variables") {
    const TemplateVariables plain{{"1", "Lee"}, {"2", "A"}};
    const OutboundTemplate braced{.variables = {{{"1", "Lee"}, {"2", "A"}}}};
    CHECK(braced.variables == plain);
    const OutboundTemplate one{.variables = {{{"1", "Lee"}}}};
    CHECK(one.variables == TemplateVariables{{"1", "Lee"}});
    const OutboundMessage extra{.extra = {{{"Tags", "x"}, {"Other", "y"}}}};
    REQUIRE(extra.extra.size() == 2);
    CHECK(extra.extra[1].second == "y");
}

TEST_CASE("names and values may be any texts") {
    const std::string name = "1";
    const std::string_view value = "Lee";
    const TemplateVariables::Entry entry{"2", "A"};
    CHECK(TemplateVariables{{name, value}, entry} == TemplateVariables{{"1", "Lee"}, {"2", "A"}});
}

}  // namespace template_variables_test
