#include <twiliowa/content/approval.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <twiliowa/content/definition.hpp>

using twiliowa::AuthenticationContent;
using twiliowa::check_approval_request;
using twiliowa::ContentDefinition;
using twiliowa::TemplateCategory;
using twiliowa::TextContent;

namespace {

const TemplateCategory utility{TemplateCategory::utility};

/// The texts of what is found, one a line.
std::string found(std::string_view name, const TemplateCategory& category = utility) {
    std::string texts;
    for (const auto& each : check_approval_request(name, category)) {
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
    CHECK(check_approval_request("", TemplateCategory{}).size() == 2);
}

TEST_CASE("a one-time code is of the category AUTHENTICATION") {
    ContentDefinition code;
    code.types = {AuthenticationContent{}};
    const auto refused = check_approval_request("code", utility, code);
    REQUIRE(refused.size() == 1);
    CHECK(refused.front().path == "category");
    CHECK(contains(refused.front().problem, "whatsapp/authentication"));
    CHECK(check_approval_request("code", TemplateCategory{TemplateCategory::authentication}, code)
              .empty());
    ContentDefinition text;
    text.types = {TextContent{.body = "Hello"}};
    CHECK(check_approval_request("text", utility, text).empty());
}
