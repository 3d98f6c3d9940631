#include <twiliowa/content/template_text.hpp>

#include <doctest/doctest.h>
#include <string>
#include <string_view>

#include <twiliowa/content/definition.hpp>
#include <twiliowa/content/template_value.hpp>

namespace template_text_test {

using twiliowa::named;
using twiliowa::template_text;
using twiliowa::TemplateText;
using twiliowa::TemplateValue;
using twiliowa::TemplateVariables;

TEST_CASE("A template's text names its variables, each once, in the order of the text") {
    constexpr auto text = template_text<"{{order}} for {{ name }}: {{order}}, {{2}}">;
    static_assert(text.size == 3);
    CHECK(text.text() == "{{order}} for {{ name }}: {{order}}, {{2}}");
    CHECK(text.names()[0] == "order");
    CHECK(text.names()[1] == "name");
    CHECK(text.names()[2] == "2");
}

TEST_CASE("Values without names are those of {{1}}, {{2}}, wherever they stand in the text") {
    const std::string_view name = "Ann";
    const std::string order = "order";
    CHECK(template_text<"Your {{2}} is ready, {{1}}">.variables(name, order) ==
          TemplateVariables{{"1", "Ann"}, {"2", "order"}});
}

TEST_CASE("More than nine values go to the numbers that they have") {
    const auto variables =
        template_text<"{{12}}{{11}}{{10}}{{9}}{{8}}{{7}}{{6}}{{5}}{{4}}{{3}}{{2}}{{1}}">.variables(
            "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l");
    REQUIRE(variables.find("12") != nullptr);
    CHECK(*variables.find("12") == "l");
    CHECK(*variables.find("1") == "a");
}

TEST_CASE("Values with names may come in any order") {
    const auto name = named<"name">(std::string{"Ann"});
    CHECK(template_text<"Hi {{name}}, your {{order}}">.variables(named<"order">("42"), name) ==
          TemplateVariables{{"order", "42"}, {"name", "Ann"}});
    CHECK(template_text<"Hi {{1}}">.variables(named<"1">("Ann")) ==
          TemplateVariables{{"1", "Ann"}});
}

TEST_CASE("A text without variables takes no values") {
    static_assert(TemplateText<"Hello, { brace }">::size == 0);
    CHECK(template_text<"Hello">.variables().empty());
    CHECK(template_text<"">.text().empty());
}

TEST_CASE("A template's text is the body of a definition") {
    const twiliowa::TextContent content{.body = template_text<"Hi {{1}}, welcome">};
    CHECK(content.body == "Hi {{1}}, welcome");
}

TEST_CASE("A template's value is a text that cannot be left out") {
    static_assert(!std::is_default_constructible_v<TemplateValue>);
    static_assert(!std::is_constructible_v<TemplateValue, const char*, const char*>);
    const TemplateValue value = "Ann";
    CHECK(TemplateVariables{{"1", value}} == TemplateVariables{{"1", "Ann"}});
}

TEST_CASE("A template's value may be left to its default, in so many words") {
    TemplateVariables variables;
    TemplateValue{"Ann"}.fill(variables, "1");
    TemplateValue{twiliowa::use_default}.fill(variables, "2");
    CHECK(variables == TemplateVariables{{"1", "Ann"}}.use_default("2"));
    CHECK(TemplateValue{twiliowa::use_default}.uses_default());
    CHECK_FALSE(TemplateValue{""}.uses_default());
}

}  // namespace template_text_test
