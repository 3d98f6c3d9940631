#include <twiliowa/content/render.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/fake_twilio.hpp>

#include "content/definition_json.hpp"

namespace render_test {

using namespace twiliowa;
using twiliowa::testing::FakeBubble;
using twiliowa::testing::FakeButton;
using twiliowa::testing::FakeContent;
using twiliowa::testing::FakeTwilio;

namespace {

const std::string customer = "+447700900123";

std::vector<RenderedButton> buttons_of(const std::vector<FakeButton>& buttons) {
    std::vector<RenderedButton> rendered;
    for (const auto& each : buttons) {
        rendered.push_back({ContentActionType{each.type}, each.title, each.id, each.value});
    }
    return rendered;
}

/// What the fake drew, in the words of the library.
RenderedContent rendered_of(const FakeBubble& bubble) {
    RenderedContent rendered;
    rendered.type = bubble.type;
    rendered.header = bubble.header;
    rendered.body = bubble.body;
    rendered.footer = bubble.footer;
    rendered.media = bubble.media;
    rendered.buttons = buttons_of(bubble.buttons);
    rendered.list_button = bubble.list_button;
    for (const auto& item : bubble.items) {
        rendered.items.push_back({item.id, item.title, item.description});
    }
    for (const auto& card : bubble.cards) {
        rendered.cards.push_back({card.title, card.body, card.media, buttons_of(card.buttons)});
    }
    if (!bubble.locations.empty()) {
        rendered.latitude = bubble.locations[0].latitude;
        rendered.longitude = bubble.locations[0].longitude;
    }
    return rendered;
}

/// Makes up definitions that can be sent.
class Maker {
public:
    explicit Maker(unsigned seed) : random_(seed) {}

    ContentDefinition definition() {
        ContentDefinition made{.friendly_name = "made"};
        for (const auto* name : {"1", "2", "name"}) {
            if (chance()) made.variables.set(name, "sample " + std::string(name));
        }
        // One of the rich, and at times a plain one beside it.
        made.types.push_back(type(pick(11)));
        if (chance()) {
            auto plain = type(pick(2));
            if (type_name(plain) != type_name(made.types[0])) made.types.push_back(plain);
        }
        return made;
    }
    TemplateVariables values(const ContentDefinition& definition) {
        TemplateVariables values;
        for (const auto* name : {"1", "2", "name"}) {
            // Without a sample it needs a value: 63028.
            const bool needed = definition.variables.find(name) == nullptr;
            if ((needed || chance()) && is_used(definition, name)) {
                values.set(name, word() + " {{1}} \\ \" } €");
            }
        }
        return values;
    }

private:
    bool chance() { return pick(2) == 0; }
    unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
    std::string word() {
        static const std::vector<std::string> words{"order", "Grüße", "is", "ready", "\"quoted\"",
                                                    "{",     "}}",    "{{", "💬",     "a\\b"};
        return words[pick(static_cast<unsigned>(words.size()))];
    }
    static bool is_used(const ContentDefinition& definition, const std::string& name) {
        const auto json = definition.to_json();
        return json.find("{{" + name + "}}") != std::string::npos ||
               json.find("{{ " + name + " }}") != std::string::npos;
    }
    TextField text() {
        std::string text;
        for (unsigned i = 0, count = 1 + pick(5); i < count; ++i) {
            if (!text.empty()) text += ' ';
            switch (pick(6)) {
                case 0:
                    text += "{{1}}";
                    break;
                case 1:
                    text += "{{ name }}";
                    break;
                case 2:
                    text += "{{{2}}}";
                    break;
                default:
                    text += word();
            }
        }
        return text;
    }
    TextField maybe() { return chance() ? text() : TextField{}; }
    std::vector<ContentAction> actions() {
        std::vector<ContentAction> made;
        for (unsigned i = 0, count = 1 + pick(3); i < count; ++i) {
            switch (pick(4)) {
                case 0:
                    made.push_back(ContentAction::quick_reply(text(), maybe()));
                    break;
                case 1:
                    made.push_back(ContentAction::open_url(text(), "https://x.test/{{1}}"));
                    break;
                case 2:
                    made.push_back(ContentAction::call_phone(text(), "+15550100"));
                    break;
                default:
                    made.push_back(ContentAction::copy_code(text(), "{{name}}"));
            }
        }
        return made;
    }
    ContentType type(unsigned which) {
        switch (which) {
            case 0:
                return TextContent{.body = text()};
            case 1:
                return MediaContent{.body = maybe(), .media = {"https://x.test/{{1}}.png"}};
            case 2:
                return LocationContent{.latitude = "1.5", .longitude = "-2", .label = maybe()};
            case 3:
                return QuickReplyContent{.body = text(), .actions = actions()};
            case 4:
                return CallToActionContent{.body = text(), .actions = actions()};
            case 5:
                return ListPickerContent{
                    .body = text(),
                    .button = "Pick",
                    .items = {{.id = "1", .item = text()},
                              {.id = "{{2}}", .item = text(), .description = text()}}};
            case 6:
                return CardContent{.title = maybe(),
                                   .body = text(),
                                   .subtitle = maybe(),
                                   .media = {"https://x.test/a.png"},
                                   .actions = actions()};
            case 7:
                return CarouselContent{
                    .body = text(),
                    .cards = {
                        {.title = maybe(),
                         .body = text(),
                         .media = "https://x.test/{{2}}.png",
                         .actions = actions()},
                        {.body = text(), .media = "https://x.test/b.png", .actions = actions()}}};
            case 8:
                return WhatsAppCardContent{.body = text(),
                                           .footer = maybe(),
                                           .header_text = maybe(),
                                           .actions = actions()};
            case 9:
                return WhatsAppFlowsContent{.body = text(),
                                            .button_text = "Go",
                                            .subtitle = maybe(),
                                            .flow_id = "1",
                                            .flow_token = "{{1}}"};
            default:
                return OtherContent{.type = "twilio/catalog",
                                    .json = R"({"title": "Look", "body": "At {{1}}",
                                                "items": [{"id": "{{2}}", "name": "Shoe"}]})"};
        }
    }

    std::mt19937 random_;
};

}  // namespace

TEST_CASE("what is rendered is what FakeTwilio's customer sees") {
    const auto fake = FakeTwilio::with_account();
    const MessagesClient client{fake->credentials(), fake->client_options()};
    Maker maker{20261129};
    int sent = 0;
    for (int i = 0; i < 1'000; ++i) {
        const auto definition = maker.definition();
        const auto values = maker.values(definition);
        FakeContent content;
        content.types = detail::dump_content_json(detail::write_definition(definition)["types"]);
        content.variables = definition.variables.entries();
        const auto sid = fake->add_content(std::move(content));
        const auto message =
            client.try_send_template({.to = customer, .content_sid = sid, .variables = values});
        CAPTURE(definition.to_json());
        CAPTURE(values.to_json());
        REQUIRE(message);
        if (fake->message(message->sid.str())->error_code) continue;  // 63028 and the like
        ++sent;
        auto rendered = render(definition, values);
        rendered.unfilled.clear();
        REQUIRE(rendered == rendered_of(fake->bubble(message->sid.str())));
        REQUIRE(rendered.body == message->body);
    }
    CHECK(sent > 700);
}

TEST_CASE("an authentication template is rendered in WhatsApp's words around the code") {
    const ContentDefinition definition{
        .types = {AuthenticationContent{
            .add_security_recommendation = true,
            .code_expiration_minutes = 5,
            .actions = {{.type = ContentActionType{ContentActionType::copy_code},
                         .copy_code_text = "Copy"}}}}};
    const auto rendered = render(definition, {{"1", "123456"}});
    CHECK(rendered.body ==
          "*123456* is your verification code. For your security, do not share this code.");
    CHECK(rendered.footer == "This code expires in 5 minutes.");
    REQUIRE(rendered.buttons.size() == 1);
    CHECK(rendered.buttons[0].title == "Copy");
    CHECK(rendered.buttons[0].value == "123456");
}

TEST_CASE("a channel shows the richest type that it can") {
    const ContentDefinition definition{
        .types = {TextContent{.body = "plain"},
                  QuickReplyContent{.body = "rich", .actions = {ContentAction::quick_reply("Yes")}},
                  OtherContent{.type = "novel/type", .json = R"({"body": "new"})"}}};
    CHECK(render(definition).body == "rich");
    CHECK(render(definition, {}, Address::Channel::sms).body == "plain");
    const ContentDefinition novel{
        .types = {OtherContent{.type = "novel/type", .json = R"({"body": "new"})"}}};
    CHECK(render(novel).body == "new");
    CHECK(render(novel).type == "novel/type");
    CHECK(render({}).type.empty());
}

TEST_CASE("a variable that is left out takes its sample, and without one stays as it is written") {
    const ContentDefinition definition{
        .variables = {{"1", "Ann"}},
        .types = {TextContent{.body = "Hi {{1}}, {{ x }} and {{ x }} {{bad name}} {{2}}"}}};
    const auto rendered = render(definition, {{"2", "{{1}}"}});
    CHECK(rendered.body == "Hi Ann, {{ x }} and {{ x }} {{bad name}} {{1}}");
    CHECK(rendered.unfilled == std::vector<std::string>{"x"});
}

}  // namespace render_test
