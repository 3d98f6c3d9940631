// What is checked of a definition as a whole; the rules of each type have tests of their own.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/content/definition.hpp>

namespace check_test {

using twiliowa::CallToActionContent;
using twiliowa::ContentAction;
using twiliowa::ContentActionType;
using twiliowa::ContentDefinition;
using twiliowa::ContentFindings;
using twiliowa::ContentUse;
using twiliowa::FindingLevel;
using twiliowa::OtherContent;
using twiliowa::QuickReplyContent;
using twiliowa::TextContent;

namespace {

/// Each finding as `level path problem`, one a line.
std::string listed(const ContentFindings& findings) {
    std::string lines;
    for (const auto& each : findings) {
        lines += std::string(to_string(each.level)) + ' ' + each.path + ' ' + each.problem + '\n';
    }
    return lines;
}

std::string found(std::string_view json, ContentUse use = ContentUse::session) {
    return listed(ContentDefinition::from_json(json).value().check(use));
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

ContentDefinition definition_of(twiliowa::ContentType content) {
    ContentDefinition definition;
    definition.types.push_back(std::move(content));
    return definition;
}

}  // namespace

TEST_CASE("a sound definition has no findings in any use") {
    auto definition = definition_of(QuickReplyContent{
        .body = "Hi {{1}}, your order comes {{2}}, is that all right?",
        .actions = {ContentAction::quick_reply("Yes"), ContentAction::quick_reply("No")}});
    definition.variables = {{"1", "Lee"}, {"2", "today"}};
    for (const auto use : {ContentUse::any, ContentUse::session, ContentUse::whatsapp}) {
        CHECK(listed(definition.check(use)).empty());
    }
}

TEST_CASE("a definition needs a language and a type") {
    CHECK(found("{}") ==
          "refuse language is missing\n"
          "refuse types is missing\n");
    CHECK(found(R"({"language": "en", "types": {}})") == "refuse types is missing\n");
    CHECK(found(R"({"language": null, "types": null})") ==
          "refuse language is missing\n"
          "refuse types is missing\n");
}

TEST_CASE("members of a wrong kind are found by path, wherever they are") {
    CHECK(found(R"({"language": 5, "friendly_name": [], "variables": "x", "types": true})") ==
          "refuse friendly_name is a list, not text\n"
          "refuse language is a number, not text\n"
          "refuse variables is text, not an object\n"
          "refuse types is true or false, not an object\n");
    const auto of_type = [](const std::string& type, const std::string& json) {
        return found(R"({"language": "en", "types": {")" + type + "\": " + json + "}}");
    };
    CHECK(of_type("twilio/text", "5") == "refuse types.twilio/text is a number, not an object\n");
    CHECK(of_type("twilio/text", R"({"body": 5})") ==
          "refuse types.twilio/text.body is a number, not text\n");
    CHECK(of_type("twilio/media", R"({"media": "https://a.b/c.png"})") ==
          "refuse types.twilio/media.media is text, not a list\n");
    CHECK(of_type("twilio/media", R"({"media": ["https://a.b/c.png", 5]})") ==
          "refuse types.twilio/media.media[1] is a number, not text\n"
          "refuse types.twilio/media.media has more than 1 item\n");
    CHECK(of_type("twilio/location", R"({"latitude": true, "longitude": 5})") ==
          "refuse types.twilio/location.latitude is true or false, not a number or text\n");
    CHECK(of_type("twilio/quick-reply", R"({"body": "Hi", "actions": [{"type": "QUICK_REPLY",
                                            "title": "Yes", "id": {}}, "No"]})") ==
          "refuse types.twilio/quick-reply.actions[1] is text, not an object\n"
          "refuse types.twilio/quick-reply.actions[0].id is an object, not text\n");
    CHECK(of_type("twilio/carousel", R"({"body": "Hi", "cards": [{"body": "b", "media": 5,
                                         "actions": 7}]})") ==
          "refuse types.twilio/carousel.cards[0].media is a number, not text\n"
          "refuse types.twilio/carousel.cards[0].actions is a number, not a list\n"
          "refuse types.twilio/carousel cannot be sent without approval\n"
          "refuse types.twilio/carousel.cards has fewer than 2 items\n");
    CHECK(of_type("whatsapp/authentication",
                  R"({"add_security_recommendation": "yes", "code_expiration_minutes": "5",
                      "actions": [{"type": "COPY_CODE", "copy_code_text": "Copy"}]})") ==
          "refuse types.whatsapp/authentication.add_security_recommendation is text, not true or "
          "false\n"
          "refuse types.whatsapp/authentication.code_expiration_minutes is text, not a number\n"
          "refuse types.whatsapp/authentication cannot be sent without approval\n");
    CHECK(of_type("whatsapp/authentication",
                  R"({"code_expiration_minutes": 5.5,
                      "actions": [{"type": "COPY_CODE", "copy_code_text": "Copy"}]})") ==
          "refuse types.whatsapp/authentication cannot be sent without approval\n"
          "refuse types.whatsapp/authentication.code_expiration_minutes is not a whole number from "
          "1 to 90\n");
}

TEST_CASE("unknown members are Twilio's to judge") {
    CHECK(found(R"({"language": "en", "more": [1], "types": {"twilio/text": {"body": "Hello there",
                    "mood": {"kind": 7}}}})")
              .empty());
}

TEST_CASE("an unknown type is passed with one warning, its variables are checked") {
    CHECK(found(R"({"language": "en", "types": {"twilio/catalog": {"body": 5, "items": []}}})") ==
          "warn types.twilio/catalog is passed unchecked, but for its variables\n");
    CHECK(found(R"({"language": "en", "variables": {"1": "x"},
                    "types": {"twilio/schedule": {"slots": [{"at": "{{}} {{1}}"}]}}})") ==
          "refuse types.twilio/schedule.slots[0].at has a malformed placeholder\n"
          "warn types.twilio/schedule is passed unchecked, but for its variables\n");
    CHECK(listed(definition_of(OtherContent{.type = "twilio/new", .json = "{"}).check()) ==
          "refuse types.twilio/new is not valid JSON\n");
    CHECK(listed(definition_of(OtherContent{.type = "twilio/new", .json = "[]"}).check()) ==
          "refuse types.twilio/new is a list, not an object\n");
    CHECK(listed(definition_of(OtherContent{.json = "{}"}).check()) ==
          "refuse types[0] has no name\n"
          "warn types[0] is passed unchecked, but for its variables\n");
}

TEST_CASE("a known type that is given as JSON is checked like any other") {
    const auto text = definition_of(OtherContent{.type = "twilio/text", .json = R"({"body": 5})"});
    CHECK(listed(text.check()) == "refuse types.twilio/text.body is a number, not text\n");
}

TEST_CASE("a type that is there twice, of which one would be lost, is refused") {
    ContentDefinition definition;
    definition.types = {TextContent{.body = "Hello there"}, TextContent{.body = "Goodbye"}};
    CHECK(listed(definition.check(ContentUse::session)) ==
          "refuse types.twilio/text is there twice\n");
    definition.types = {TextContent{.body = "Hello there"},
                        OtherContent{.type = "twilio/text", .json = "{}"}};
    CHECK(contains(listed(definition.check(ContentUse::session)), "is there twice"));
}

TEST_CASE("unknown members that are no object, and would be lost, are refused") {
    ContentDefinition definition;
    definition.extra = "[1]";
    auto buttons = CallToActionContent{
        .body = "Hello there", .actions = {ContentAction::open_url("Open", "https://a.b/")}};
    buttons.actions.front().extra = "not JSON";
    definition.types = {TextContent{.body = "Hello there", .extra = "{"}, buttons};
    CHECK(listed(definition.check(ContentUse::session)) ==
          "refuse extra has unknown members that are not a JSON object\n"
          "refuse types.twilio/text has unknown members that are not a JSON object\n"
          "refuse types.twilio/call-to-action.actions[0] has unknown members that are not a JSON "
          "object\n");
}

TEST_CASE("bytes that would not go out as they are, are refused by path") {
    ContentDefinition definition;
    definition.friendly_name = "a\xff";
    definition.types = {TextContent{.body = std::string("a\0b", 3)}};
    definition.variables = {{"1", "\xc3"}};
    const auto lines = listed(definition.check());
    CHECK(contains(lines, "refuse friendly_name is not valid UTF-8\n"));
    CHECK(contains(lines, "refuse variables.1 is not valid UTF-8\n"));
    CHECK(contains(lines, "refuse types.twilio/text.body holds a NUL\n"));
}

TEST_CASE("several faults are found at once, refusals first") {
    const std::string_view json = R"({"language": "en", "variables": {"1": "", "3": "x"}, "types": {
        "twilio/quick-reply": {"body": "{{1}}", "actions": [
            {"type": "URL", "title": "A title that is far too long"}, {"type": "QUICK_REPLY"}]},
        "twilio/text": {}}})";
    CHECK(found(json, ContentUse::any) ==
          "refuse types.twilio/quick-reply.actions[0].type is not a type of button that "
          "twilio/quick-reply takes\n"
          "refuse types.twilio/quick-reply.actions[1].title is missing\n"
          "refuse types.twilio/quick-reply.actions[0].title is longer than 20 characters\n"
          "refuse types.twilio/text.body is missing\n"
          "refuse variables.1 is empty\n"
          "warn types.twilio/quick-reply.body begins with a variable\n"
          "warn types.twilio/quick-reply.body ends with a variable\n"
          "warn types.twilio/quick-reply.body has too few words for its variables\n"
          "warn variables.3 is used in no text\n");
}

TEST_CASE("no finding repeats a value, or a name that may be somebody's") {
    const std::string_view json = R"({"language": "SECRET", "friendly_name": 5,
        "variables": {"447700900123": "SECRET", "first name": "SECRET", "2": 447700900123},
        "types": {"447700900123": {"SECRET phrase": "{{}}"},
                  "twilio/text": {"body": "{{447700900124}} SECRET {{"},
                  "twilio/call-to-action": {"body": "SECRET", "actions": [
                      {"type": "SECRET", "title": "SECRET SECRET SECRET SECRET"},
                      {"type": "URL", "title": "a", "url": "SECRET"},
                      {"type": "PHONE_NUMBER", "title": "a", "phone": "447700900123"}]}}})";
    for (const auto use : {ContentUse::any, ContentUse::session, ContentUse::whatsapp}) {
        const auto findings = ContentDefinition::from_json(json).value().check(use);
        CHECK(findings.size() > 5);
        for (const auto& each : findings) {
            CAPTURE(each.text());
            CHECK_FALSE(contains(each.text(), "SECRET"));
            CHECK_FALSE(contains(each.text(), "44770"));
        }
    }
}

TEST_CASE("every refusal says the way out where there is more than one") {
    const auto findings = ContentDefinition::from_json(R"({"types": {"twilio/list-picker": {
        "body": "Hello", "items": []}}})")
                              .value()
                              .check(ContentUse::whatsapp);
    CHECK(findings.size() == 4);
    for (const auto& each : findings) {
        CAPTURE(each.text());
        CHECK_FALSE(each.hint.empty());
    }
}

}  // namespace check_test
