// Whatever text is put into a definition or a variable: the JSON that goes out is valid and holds
// it, or it is refused here by path.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/content/definition.hpp>
#include <twiliowa/types/error.hpp>

#include "support/show.hpp"

#include "text/utf8.hpp"

namespace content_property_test {

using nlohmann::ordered_json;
using twiliowa::ContentAction;
using twiliowa::ContentDefinition;
using twiliowa::QuickReplyContent;
using twiliowa::TemplateVariables;
using twiliowa::TextContent;

namespace {

void append(std::string& text, char32_t point) {
    const auto byte = [&](char32_t value) { text += static_cast<char>(value); };
    if (point < 0x80) {
        byte(point);
    } else if (point < 0x800) {
        byte(0xc0 | point >> 6);
        byte(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        byte(0xe0 | point >> 12);
        byte(0x80 | (point >> 6 & 0x3f));
        byte(0x80 | (point & 0x3f));
    } else {
        byte(0xf0 | point >> 18);
        byte(0x80 | (point >> 12 & 0x3f));
        byte(0x80 | (point >> 6 & 0x3f));
        byte(0x80 | (point & 0x3f));
    }
}

class Texts {
public:
    /// Any characters, among them many that JSON and placeholders treat in a way of their own.
    std::string next() {
        std::string text;
        for (auto left = random_() % 24; left > 0; --left) append(text, point());
        return text;
    }
    std::uint32_t number(std::uint32_t below) {
        return static_cast<std::uint32_t>(random_() % below);
    }

private:
    char32_t point() {
        constexpr std::u32string_view peculiar = U"\"\\/{}[]:,' \n\r\t\b\f\x7f\x2028\x2029\xfeff";
        switch (random_() % 4) {
            case 0:
                return peculiar[random_() % peculiar.size()];
            case 1:
                return static_cast<char32_t>(1 + random_() % 0x7f);
            case 2:
                return static_cast<char32_t>(random_() % 0x20);
            default: {
                const auto any = static_cast<char32_t>(random_() % 0x110000);
                return any >= 0xd800 && any <= 0xdfff ? 0xfffd : any;
            }
        }
    }
    std::mt19937 random_{20261129};
};

bool is_found(const ContentDefinition& definition, std::string_view path,
              std::string_view problem) {
    const auto findings = definition.check();
    return std::any_of(findings.begin(), findings.end(), [&](const auto& each) {
        return each.path == path && each.problem == problem &&
               each.level == twiliowa::FindingLevel::refuse;
    });
}

}  // namespace

TEST_CASE("any UTF-8 text in any member is in the JSON, and comes back") {
    Texts texts;
    for (int round = 0; round < 1000; ++round) {
        const auto body = texts.next();
        const auto title = texts.next();
        const auto sample = texts.next();
        CAPTURE(body);
        REQUIRE(twiliowa::detail::is_valid_utf8(body + title + sample));
        ContentDefinition definition;
        definition.friendly_name = body;
        definition.variables = {{"1", sample}};
        definition.types = {
            QuickReplyContent{.body = body, .actions = {ContentAction::quick_reply(title, "id")}}};

        const auto json = ordered_json::parse(definition.to_json());
        CHECK(json.value("friendly_name", "") == body);
        CHECK(json["variables"]["1"] == sample);
        const auto& content = json["types"]["twilio/quick-reply"];
        CHECK(content.value("body", "") == body);
        CHECK(content["actions"][0].value("title", "") == title);
        CHECK(ContentDefinition::from_json(definition.to_json()).value() == definition);
        CHECK(is_found(definition, "types.twilio/quick-reply.body", "holds a NUL") ==
              (body.find('\0') != std::string::npos));
    }
}

TEST_CASE("bytes that are no UTF-8 never make JSON that is none, and are refused by path") {
    Texts texts;
    for (int round = 0; round < 1000; ++round) {
        auto body = "x" + texts.next();
        body[texts.number(static_cast<std::uint32_t>(body.size()))] =
            static_cast<char>(0x80 + texts.number(0x80));
        ContentDefinition definition;
        definition.types = {TextContent{.body = body}};
        const auto json = definition.to_json();
        CHECK(twiliowa::detail::is_valid_utf8(json));
        CHECK(ordered_json::accept(json));
        CHECK(is_found(definition, "types.twilio/text.body", "is not valid UTF-8") ==
              !twiliowa::detail::is_valid_utf8(body));
    }
}

TEST_CASE("any UTF-8 value of a variable is in the JSON, or refused by the variable's name") {
    Texts texts;
    std::size_t sent = 0;
    for (int round = 0; round < 1000; ++round) {
        const auto value = texts.next();
        CAPTURE(value);
        const TemplateVariables variables{{"name", value}};
        const auto json = ordered_json::parse(variables.to_json());
        CHECK(json["name"] == value);
        const auto normal =
            ordered_json::parse(variables.to_json(twiliowa::WhitespacePolicy::normalise));
        CHECK(normal["name"].is_string());
        const auto checked = variables.check();
        if (checked) {
            ++sent;
            CHECK_FALSE(value.empty());
            continue;
        }
        CHECK(checked.error().field() == "ContentVariables");
        const std::string what = checked.error().what();
        CHECK(what == twiliowa::test::containing("variable \"name\""));
    }
    CHECK(sent > 20);
}

}  // namespace content_property_test
