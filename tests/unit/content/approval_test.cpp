#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <twiliowa/content/template.hpp>

namespace approval_test {

using twiliowa::ApprovalRequest;
using twiliowa::AuthenticationContent;
using twiliowa::ContentDefinition;
using twiliowa::TemplateCategory;
using twiliowa::TextContent;

namespace {

const TemplateCategory utility{TemplateCategory::utility};

/// The texts of what is found, one a line.
std::string found(const std::string& name, const TemplateCategory& category = utility) {
    std::string texts;
    for (const auto& each : ApprovalRequest{.name = name, .category = category}.check()) {
        CHECK(each.level == twiliowa::FindingLevel::refuse);
        texts += each.text() + '\n';
    }
    return texts;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the name of an approval has small letters, digits and underscores, at most 512") {
    CHECK(found("order_shipped_2").empty());
    CHECK(found(std::string(512, 'a')).empty());
    CHECK(contains(found(std::string(513, 'a')), "name is longer than 512 characters"));
    CHECK(contains(found(""), "name is missing"));
    for (const std::string name : {"Order", "order shipped", "order-shipped", "\xc3\xa9", "a\n"}) {
        CAPTURE(name);
        CHECK(contains(found(name), "name holds other characters than a to z, 0 to 9 and _"));
        CHECK_FALSE(contains(found(name), name + " "));
    }
}

TEST_CASE("the category of an approval is one of three words") {
    for (const auto word : {TemplateCategory::utility, TemplateCategory::marketing,
                            TemplateCategory::authentication}) {
        CHECK(found("a", TemplateCategory{word}).empty());
    }
    CHECK(contains(found("a", {}), "category is missing: use one of UTILITY"));
    CHECK(contains(found("a", TemplateCategory{"utility"}),
                   "category is not a category that WhatsApp knows"));
}

TEST_CASE("a name and a category that are both wrong are told together") {
    CHECK(ApprovalRequest{}.check().size() == 2);
}

TEST_CASE("a one-time code is of the category AUTHENTICATION") {
    ContentDefinition code;
    code.types = {AuthenticationContent{}};
    const auto refused = ApprovalRequest{.name = "code", .category = utility}.check(code);
    REQUIRE(refused.size() == 1);
    CHECK(refused.front().path == "category");
    CHECK(contains(refused.front().problem, "whatsapp/authentication"));
    const TemplateCategory authentication{TemplateCategory::authentication};
    CHECK(ApprovalRequest{.name = "code", .category = authentication}.check(code).empty());
    ContentDefinition text;
    text.types = {TextContent{.body = "Hello"}};
    CHECK(ApprovalRequest{.name = "text", .category = utility}.check(text).empty());
}

}  // namespace approval_test
