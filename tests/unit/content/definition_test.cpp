#include <twiliowa/content/definition.hpp>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/error.hpp>

#include "support/show.hpp"

namespace definition_test {

using nlohmann::ordered_json;
using twiliowa::AuthenticationContent;
using twiliowa::CallToActionContent;
using twiliowa::CardContent;
using twiliowa::CarouselContent;
using twiliowa::ContentAction;
using twiliowa::ContentActionType;
using twiliowa::ContentDefinition;
using twiliowa::ListPickerContent;
using twiliowa::LocationContent;
using twiliowa::MediaContent;
using twiliowa::OtherContent;
using twiliowa::QuickReplyContent;
using twiliowa::TextContent;
using twiliowa::WhatsAppCardContent;
using twiliowa::WhatsAppFlowsContent;

namespace {

ContentDefinition read(std::string_view json) {
    return ContentDefinition::from_json(json).value();
}

/// The same content in one form.
ordered_json parsed(std::string_view json) {
    return ordered_json::parse(json);
}

/// Reads, writes and reads again; gives what was read.
ContentDefinition round_trip(std::string_view json) {
    const auto definition = read(json);
    CHECK(parsed(definition.to_json()) == parsed(json));
    CHECK(read(definition.to_json()) == definition);
    CHECK(read(definition.to_json(4)) == definition);
    return definition;
}

/// A definition of one type.
std::string of_type(const std::string& type, const std::string& content) {
    return R"({"language":"en","types":{")" + type + "\":" + content + "}}";
}

template <class Type>
Type round_trip_type(const std::string& content) {
    const auto definition = round_trip(of_type(std::string(Type::type), content));
    REQUIRE(definition.types.size() == 1);
    CHECK(type_name(definition.types.front()) == Type::type);
    const auto* type = std::get_if<Type>(&definition.types.front());
    REQUIRE(type != nullptr);
    CHECK(type->extra.empty());
    return *type;
}

}  // namespace

TEST_CASE("every type is read with every member and written as it was") {
    CHECK(round_trip_type<TextContent>(R"({"body":"Hello"})").body == "Hello");

    const auto media =
        round_trip_type<MediaContent>(R"({"body":"b","media":["https://a.b/c","https://d.e/f"]})");
    CHECK(media.body == "b");
    CHECK(media.media == twiliowa::TextList{"https://a.b/c", "https://d.e/f"});

    const auto place = round_trip_type<LocationContent>(
        R"({"latitude":51.5,"longitude":"{{1}}","label":"l","id":"i","address":"a"})");
    CHECK(place.latitude == "51.5");
    CHECK(place.longitude == "{{1}}");
    CHECK(place.label + place.id + place.address == "lia");

    const auto replies = round_trip_type<QuickReplyContent>(
        R"({"body":"b","actions":[{"type":"QUICK_REPLY","title":"t","id":"i"},{"title":"u"}]})");
    CHECK(replies.body == "b");
    REQUIRE(replies.actions.size() == 2);
    CHECK(replies.actions[0] == ContentAction::quick_reply("t", "i"));
    CHECK(replies.actions[1].type.empty());

    const auto links = round_trip_type<CallToActionContent>(
        R"({"body":"b","actions":[{"type":"URL","title":"t","url":"u"},)"
        R"({"type":"PHONE_NUMBER","title":"t","phone":"p"},)"
        R"({"type":"COPY_CODE","title":"t","code":"c"},)"
        R"({"type":"VOICE_CALL","title":"t","ttl_minutes":60},)"
        R"({"type":"VOICE_CALL","ttl_minutes":"{{1}}"},{"type":"NEW"}]})");
    REQUIRE(links.actions.size() == 6);
    CHECK(links.actions[0] == ContentAction::open_url("t", "u"));
    CHECK(links.actions[1] == ContentAction::call_phone("t", "p"));
    CHECK(links.actions[2] == ContentAction::copy_code("t", "c"));
    CHECK(links.actions[3].ttl_minutes == "60");
    CHECK(links.actions[4].ttl_minutes == "{{1}}");
    CHECK(links.actions[5].type == "NEW");

    const auto list = round_trip_type<ListPickerContent>(
        R"({"body":"b","button":"c","items":[{"id":"i","item":"t","description":"d"}]})");
    CHECK(list.body + list.button == "bc");
    REQUIRE(list.items.size() == 1);
    CHECK(list.items[0].id + list.items[0].item + list.items[0].description == "itd");

    const auto card = round_trip_type<CardContent>(
        R"({"title":"t","body":"b","subtitle":"s","media":["m"],)"
        R"("actions":[{"type":"URL","title":"t","url":"u","webview_size":"TALL"}]})");
    CHECK(card.title + card.body + card.subtitle + card.media.at(0) == "tbsm");
    CHECK(card.actions.at(0).webview_size == "TALL");

    const auto carousel = round_trip_type<CarouselContent>(
        R"({"body":"b","cards":[{"title":"t","body":"c","media":"m",)"
        R"("actions":[{"type":"QUICK_REPLY","title":"t"}]}]})");
    CHECK(carousel.body == "b");
    const auto& first = carousel.cards.at(0);
    CHECK(first.title + first.body + first.media + first.actions.at(0).title == "tcmt");

    const auto framed = round_trip_type<WhatsAppCardContent>(
        R"({"body":"b","footer":"f","header_text":"h","media":["m"],)"
        R"("actions":[{"type":"PHONE_NUMBER","title":"t","phone":"p"}]})");
    CHECK(framed.body + framed.footer + framed.header_text + framed.media.at(0) == "bfhm");
    CHECK(framed.actions.at(0) == ContentAction::call_phone("t", "p"));

    const auto code = round_trip_type<AuthenticationContent>(
        R"({"add_security_recommendation":false,"code_expiration_minutes":5,)"
        R"("actions":[{"type":"COPY_CODE","copy_code_text":"c"}]})");
    CHECK(code.add_security_recommendation == false);
    CHECK(code.code_expiration_minutes == 5);
    CHECK(code.actions.at(0).copy_code_text == "c");

    const auto flow = round_trip_type<WhatsAppFlowsContent>(
        R"({"body":"b","button_text":"t","subtitle":"s","media_url":"m","flow_id":"i",)"
        R"("flow_token":"{{1}}","flow_first_page_id":"p","is_flow_first_page_endpoint":true})");
    CHECK(flow.body + flow.button_text + flow.subtitle + flow.media_url == "btsm");
    CHECK(flow.flow_id + flow.flow_token + flow.flow_first_page_id == "i{{1}}p");
    CHECK(flow.is_flow_first_page_endpoint == true);
}

TEST_CASE("name, language, samples and several types keep their order") {
    const auto definition = round_trip(
        R"({"friendly_name":"n","language":"pt_BR","variables":{"2":"b","1":"a"},)"
        R"("types":{"twilio/text":{"body":"b"},"twilio/card":{"title":"t"},"x/y":{"z":1}}})");
    CHECK(definition.friendly_name == "n");
    CHECK(definition.language == "pt_BR");
    CHECK(definition.variables == twiliowa::TemplateVariables{{"2", "b"}, {"1", "a"}});
    REQUIRE(definition.types.size() == 3);
    CHECK(type_name(definition.types[2]) == "x/y");
}

TEST_CASE("types and members that nobody knows yet survive, wherever they are") {
    const auto definition = round_trip(
        R"({"language":"en","types":{"twilio/new":{"a":[1,{"b":null}]},"twilio/quick-reply":)"
        R"({"body":"b","actions":[{"type":"QUICK_REPLY","title":"t","tone":{"x":[]}}],"mood":1.5}},)"
        R"("policy":{"until":"2027"},"flags":[true]})");
    CHECK(std::get<OtherContent>(definition.types[0]).json == R"({"a":[1,{"b":null}]})");
    const auto& replies = std::get<QuickReplyContent>(definition.types[1]);
    CHECK(replies.extra == R"({"mood":1.5})");
    CHECK(replies.actions[0].extra == R"({"tone":{"x":[]}})");
    CHECK(definition.extra == R"({"policy":{"until":"2027"},"flags":[true]})");
}

TEST_CASE("members of a kind that is not expected survive") {
    for (const std::string content :
         {R"({"body":5})", R"({"body":["a"],"actions":[]})", R"({"body":"b","actions":[{},7]})",
          R"({"actions":{"type":"URL"}})", R"({"body":"b","actions":[{"title":7,"id":true}]})"}) {
        CAPTURE(content);
        const auto written = read(of_type("twilio/quick-reply", content)).to_json();
        // Only what is empty is left out.
        auto wanted = parsed(of_type("twilio/quick-reply", content));
        auto& type = wanted["types"]["twilio/quick-reply"];
        if (type.contains("actions") && type["actions"].empty()) type.erase("actions");
        CHECK(parsed(written) == wanted);
        CHECK(read(written) == read(of_type("twilio/quick-reply", content)));
    }
    round_trip(R"({"language":5,"friendly_name":{},"variables":{"1":5,"2":"x"},"types":[1]})");
    round_trip(R"({"language":"en","types":{"twilio/text":5,"twilio/media":{"media":["a",5]}}})");
    round_trip(
        of_type("whatsapp/authentication",
                R"({"code_expiration_minutes":4294967296,"add_security_recommendation":1})"));
}

TEST_CASE("null is the same as absent") {
    const auto definition =
        read(R"({"friendly_name":null,"language":"en","variables":null,"types":{"twilio/text":)"
             R"({"body":"b"},"twilio/media":null,"twilio/card":{"title":"t","media":null,)"
             R"("actions":null,"new":null}}})");
    CHECK(definition.to_json() ==
          R"({"language":"en","types":{"twilio/text":{"body":"b"},"twilio/card":)"
          R"({"title":"t","new":null}}})");
    CHECK(read(R"({"language":null})").language.empty());
}

TEST_CASE("what only an answer has is left out") {
    const auto answer = read(
        R"({"sid":"HX00000000000000000000000000000000","account_sid":"AC","url":"u","links":{},)"
        R"("date_created":"d","date_updated":null,"approvals":{},"approval_requests":{},)"
        R"("approval_content":{},"legacy_body":"l","language":"en","types":{"twilio/text":)"
        R"({"body":"b","sid":"kept"}}})");
    CHECK(answer.to_json() ==
          R"({"language":"en","types":{"twilio/text":{"body":"b","sid":"kept"}}})");
}

TEST_CASE("a number that is given as text is written as a number") {
    const auto place = of_type("twilio/location", R"({"latitude":"51.50","longitude":" 1 "})");
    CHECK(read(place).to_json() ==
          of_type("twilio/location", R"({"latitude":51.5,"longitude":1})"));
    CHECK(read(read(place).to_json()) == read(place));
    CHECK(read(of_type("twilio/location", R"({"latitude":"north"})")).to_json() ==
          of_type("twilio/location", R"({"latitude":"north"})"));
}

TEST_CASE(
    "a definition that is not one JSON object, or nests too deeply, is refused by its field") {
    const auto refusal = [](std::string_view json) {
        const auto result = ContentDefinition::from_json(json);
        REQUIRE_FALSE(result);
        CHECK(result.error().kind() == twiliowa::ErrorKind::invalid_request);
        CHECK(result.error().field() == "definition");
        return std::string(result.error().what());
    };
    using twiliowa::test::containing;
    CHECK(refusal("") == containing("is not valid JSON"));
    CHECK(refusal("{") == containing("is not valid JSON"));
    CHECK(refusal("{}{}") == containing("is not valid JSON"));
    CHECK(refusal("{'SECRET': 1}") == containing("is not valid JSON"));
    CHECK(refusal("{'SECRET': 1}").find("SECRET") == std::string::npos);
    CHECK(refusal("[]") == containing("is not a JSON object"));
    CHECK(refusal("null") == containing("is not a JSON object"));
    CHECK(refusal("{\"a\":\"\xff\"}") == containing("is not valid UTF-8"));
    CHECK(refusal("{\"a\":\"\\ud800\"}") == containing("is not valid JSON"));
    CHECK(refusal("{\"a\":1e999}") == containing("is not valid JSON"));

    const auto nested = [](int levels) {
        return "{\"a\":" + std::string(static_cast<std::size_t>(levels - 1), '[') +
               std::string(static_cast<std::size_t>(levels - 1), ']') + "}";
    };
    round_trip(nested(32));
    CHECK(refusal(nested(33)) == containing("nests deeper than 32 levels"));
    CHECK(refusal(nested(1000000)) == containing("nests deeper than 32 levels"));
}

TEST_CASE("a large definition is read, checked and written") {
    std::string json = R"({"language":"en","types":{"twilio/text":{"body":")";
    json += std::string(100000, 'x') + R"("},"twilio/quick-reply":{"body":"b","actions":[)";
    for (int i = 0; i < 1000; ++i) json += R"({"title":"t{{1}}"},)";
    json += R"({}]}}})";
    const auto definition = round_trip(json);
    CHECK(refuses(definition.check()));
}

TEST_CASE("contents are the same whatever the order of names and the spelling of placeholders") {
    const auto same = [](std::string_view one, std::string_view other) {
        const bool forth = read(one).same_content(read(other));
        CHECK(forth == read(other).same_content(read(one)));
        return forth;
    };
    const std::string text =
        R"({"language":"en","variables":{"1":"a","2":"b"},"types":)"
        R"({"twilio/text":{"body":"Hi {{1}}"},"x/y":{"a":1,"b":["{{ 2 }}"]}}})";
    CHECK(same(text, R"({"types":{"x/y":{"b":["{{2}}"],"a":1},"twilio/text":{"body":)"
                     R"("Hi {{ 1 }}"}},"variables":{"2":"b","1":"a"},"language":"en"})"));
    CHECK(same(text, text));
    CHECK_FALSE(same(text, R"({"language":"en"})"));
    CHECK_FALSE(same(of_type("twilio/text", R"({"body":"Hi {{1}}"})"),
                     of_type("twilio/text", R"({"body":"Hi {{2}}"})")));
    // What is malformed is no placeholder, and the order of a list counts.
    CHECK_FALSE(same(of_type("twilio/text", R"({"body":"Hi {{ a-b }}"})"),
                     of_type("twilio/text", R"({"body":"Hi {{a-b}}"})")));
    CHECK_FALSE(same(of_type("twilio/media", R"({"media":["a","b"]})"),
                     of_type("twilio/media", R"({"media":["b","a"]})")));
}

TEST_CASE("definitions are aggregates that know what was left empty") {
    ContentDefinition definition;
    CHECK(definition.to_json() == R"({"language":"en"})");
    definition.types = {QuickReplyContent{
        .body = "Come?",
        .actions = {ContentAction::quick_reply("Yes"), ContentAction::quick_reply("No", "never")}}};
    CHECK(definition.to_json() ==
          of_type("twilio/quick-reply",
                  R"({"body":"Come?","actions":[{"type":"QUICK_REPLY","title":"Yes","id":"Yes"},)"
                  R"({"type":"QUICK_REPLY","title":"No","id":"never"}]})"));
    CHECK(definition.to_json(2).find("\n  \"language\": \"en\"") != std::string::npos);
}

TEST_CASE("a known member wins over one of its name among the unknown") {
    ContentDefinition definition;
    definition.types = {TextContent{.body = "Hello", .extra = R"({"body":5,"mood":1})"}};
    CHECK(definition.to_json() == of_type("twilio/text", R"({"body":"Hello","mood":1})"));
}

}  // namespace definition_test
