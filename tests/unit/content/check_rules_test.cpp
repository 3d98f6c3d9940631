// Every row of the table of rules: what is at the limit passes, what is beyond is found by its
// path, in each use as bad as it is there.
#include "content/check_rules.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/content/definition.hpp>

namespace check_rules_test {

using nlohmann::ordered_json;
using twiliowa::ContentDefinition;
using twiliowa::ContentFinding;
using twiliowa::ContentUse;
using twiliowa::FindingLevel;
using twiliowa::detail::RuleKind;
using twiliowa::detail::RuleScope;

namespace {

namespace rules = twiliowa::detail::content_rules;
using Json = ordered_json;

/// Characters of two bytes each.
std::string chars(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "\xc3\xa9";
    return text;
}

Json reply(const std::string& title = "Yes") {
    return {{"type", "QUICK_REPLY"}, {"title", title}, {"id", "yes"}};
}
Json link(const std::string& url = "https://example.com/a", const std::string& title = "Open") {
    return {{"type", "URL"}, {"title", title}, {"url", url}};
}
Json phone(const std::string& number = "+15550100") {
    return {{"type", "PHONE_NUMBER"}, {"title", "Call"}, {"phone", number}};
}
Json copy_code() {
    return {{"type", "COPY_CODE"}, {"title", "Copy"}, {"code", "SAVE10"}};
}
Json voice_call(const Json& minutes = 10080) {
    return {{"type", "VOICE_CALL"}, {"title", "Call us"}, {"ttl_minutes", minutes}};
}
Json times(std::size_t count, const Json& item) {
    auto list = Json::array();
    for (std::size_t i = 0; i < count; ++i) list.push_back(item);
    return list;
}
/// `item` with other members; null removes one.
Json with(Json item, const Json& members) {
    item.merge_patch(members);
    return item;
}
Json card_of_carousel() {
    return {{"title", "One"},
            {"body", "The first of all"},
            {"media", "https://example.com/a.png"},
            {"actions", {reply()}}};
}
Json line_of_list() {
    return {{"id", "one"}, {"item", "One"}, {"description", "The first"}};
}

/// One of each type, of which nothing is to be found where it is used as it should be.
Json sound(std::string_view type) {
    const std::string body = "Hello there, how are you today?";
    if (type == rules::text) return {{"body", body}};
    if (type == rules::media) return {{"body", body}, {"media", {"https://example.com/a.png"}}};
    if (type == rules::location) return {{"latitude", 51.5}, {"longitude", -0.1}};
    if (type == rules::quick_reply) return {{"body", body}, {"actions", {reply()}}};
    if (type == rules::list_picker)
        return {{"body", body}, {"button", "Choose"}, {"items", {line_of_list()}}};
    if (type == rules::call_to_action) return {{"body", body}, {"actions", {link()}}};
    if (type == rules::card) return {{"title", body}, {"subtitle", "Soon"}};
    if (type == rules::carousel)
        return {{"body", body}, {"cards", {card_of_carousel(), card_of_carousel()}}};
    if (type == rules::whatsapp_card) return {{"body", body}, {"footer", "Soon"}};
    if (type == rules::authentication)
        return {{"code_expiration_minutes", 5},
                {"actions", {{{"type", "COPY_CODE"}, {"copy_code_text", "Copy"}}}}};
    return {{"body", body}, {"button_text", "Book"}, {"flow_id", "1"}, {"flow_token", "{{1}}"}};
}

ContentDefinition definition_of(std::string_view type, const Json& content,
                                const Json& samples = {}) {
    Json json{{"language", "en"}, {"types", {{std::string(type), content}}}};
    if (!samples.is_null()) json["variables"] = samples;
    return ContentDefinition::from_json(json.dump()).value();
}

const ContentFinding* find(const std::vector<ContentFinding>& findings, const std::string& path,
                           const std::string& problem) {
    const auto found =
        std::find_if(findings.begin(), findings.end(), [&](const ContentFinding& each) {
            return each.path == path && each.problem.find(problem) != std::string::npos;
        });
    return found == findings.end() ? nullptr : &*found;
}

/// `r` refused, `w` warned of, `-` not found.
char verdict(const std::vector<ContentFinding>& findings, const std::string& path,
             const std::string& problem) {
    const auto* found = find(findings, path, problem);
    if (found == nullptr) return '-';
    return found->level == FindingLevel::refuse ? 'r' : 'w';
}

std::string verdicts(const ContentDefinition& definition, const std::string& path,
                     const std::string& problem) {
    std::string all;
    for (const auto use : {ContentUse::any, ContentUse::session, ContentUse::whatsapp}) {
        all += verdict(definition.check(use), path, problem);
    }
    return all;
}

struct Row {
    std::string_view type;
    std::string_view path;  ///< As in the table of rules.
    RuleKind kind;
    RuleScope scope;
    Json good;                ///< Members of the type at the limit.
    Json bad;                 ///< Members of the type beyond it.
    std::string at;           ///< Where that is found, from the type on.
    std::string says;         ///< What is found.
    std::string_view levels;  ///< In any use, within the window, to be approved.
    Json samples = {};
};

constexpr auto always = RuleScope::always;
constexpr auto session = RuleScope::session;
constexpr auto approval = RuleScope::approval;
constexpr auto on_whatsapp = RuleScope::on_whatsapp;

void add_texts(std::vector<Row>& rows, std::string_view type, std::string_view path,
               std::size_t most, std::optional<std::size_t> with_values = std::nullopt) {
    const std::string name(path);
    const auto too_long = "is longer than " + std::to_string(most) + " characters";
    rows.push_back({type,
                    path,
                    RuleKind::most_characters,
                    always,
                    {{name, chars(most)}},
                    {{name, chars(most + 1)}},
                    name,
                    too_long,
                    "rrr"});
    if (!with_values) return;
    const auto too_wide = "is longer than " + std::to_string(*with_values) + " characters";
    // Ten of them stand in for one variable.
    rows.push_back({type,
                    path,
                    RuleKind::most_with_values,
                    approval,
                    {{name, "{{1}}" + chars(std::min(most, *with_values) - 10)}},
                    {{name, "{{1}}" + chars(std::min(most, *with_values) - 1)}},
                    name,
                    too_wide + " with the samples filled in",
                    "",
                    {{"1", chars(10 + *with_values - std::min(most, *with_values))}}});
}

void add_required(std::vector<Row>& rows, std::string_view type, const char* name,
                  const std::string& says = "is missing") {
    rows.push_back({type,
                    name,
                    RuleKind::required,
                    always,
                    Json::object(),
                    {{name, nullptr}},
                    name,
                    says,
                    "rrr"});
}

void add_approved_text(std::vector<Row>& rows, std::string_view type, const char* name) {
    rows.push_back({type,
                    name,
                    RuleKind::approved_text,
                    approval,
                    {{name, "Dear {{1}}, it is ready now"}},
                    {{name, "{{1}} it is ready now"}},
                    name,
                    "begins with a variable",
                    "w-r"});
}

void add_urls(std::vector<Row>& rows, std::string_view type, std::string_view path,
              const std::string& at, const std::function<Json(const std::string&)>& content) {
    rows.push_back({type,
                    path,
                    RuleKind::media_url,
                    always,
                    content("https://example.com/{{1}}"),
                    content("https://{{1}}/a.png"),
                    at,
                    "has a variable in its domain",
                    "rrr",
                    {{"1", "a.png"}}});
}

/// The rows that buttons have in common, `path` to them, `at` the first one.
void add_buttons(std::vector<Row>& rows, std::string_view type, const std::string& prefix,
                 const std::string& at, const std::function<Json(Json)>& content) {
    static std::vector<std::string> paths;  // views of them are kept
    paths.reserve(64);
    const auto path = [&](const char* rest) -> std::string_view {
        return paths.emplace_back(prefix + rest);
    };
    rows.push_back({type, path("[].type"), RuleKind::required, always, content(link()),
                    content(with(link(), {{"type", nullptr}})), at + ".type", "is missing", "rrr"});
    rows.push_back({type, path("[URL].url"), RuleKind::required, always, content(link()),
                    content(with(link(), {{"url", nullptr}})), at + ".url", "is missing", "rrr"});
    const std::string domain = "https://example.com/";
    rows.push_back({type, path("[URL].url"), RuleKind::most_characters, always,
                    content(link(domain + std::string(1980, 'a'))),
                    content(link(domain + std::string(1981, 'a'))), at + ".url",
                    "is longer than 2000 characters", "rrr"});
    rows.push_back({type, path("[URL].url"), RuleKind::button_url, always,
                    content(link(domain + "a/{{1}}")), content(link(domain + "a?b={{1}}")),
                    at + ".url", "is not after a slash", "rrr"});
    rows.push_back({type, path("[PHONE_NUMBER].phone"), RuleKind::required, always,
                    content(phone()), content(with(phone(), {{"phone", nullptr}})), at + ".phone",
                    "is missing", "rrr"});
    rows.push_back({type, path("[PHONE_NUMBER].phone"), RuleKind::phone, always,
                    content(phone("+123456789012345")), content(phone("0123")), at + ".phone",
                    "is not a phone number", "www"});
    if (type == rules::carousel) return;
    rows.push_back({type, path("[COPY_CODE].code"), RuleKind::required, always,
                    content(copy_code()), content(with(copy_code(), {{"code", nullptr}})),
                    at + ".code", "is missing", "rrr"});
    rows.push_back({type, path("[VOICE_CALL].ttl_minutes"), RuleKind::whole_number, always,
                    content(voice_call(43200)), content(voice_call(43201)), at + ".ttl_minutes",
                    "is not a whole number from 1 to 43200", "rrr"});
}

std::vector<Row> all_rows() {
    std::vector<Row> rows;
    const auto buttons = [](Json list) { return Json{{"actions", std::move(list)}}; };
    const auto one_button = [](Json button) { return Json{{"actions", {std::move(button)}}}; };
    const auto media = [](const std::string& url) { return Json{{"media", {url}}}; };

    // twilio/text
    add_required(rows, rules::text, "body");
    add_texts(rows, rules::text, "body", 1600, 1024);
    add_approved_text(rows, rules::text, "body");

    // twilio/media
    add_required(rows, rules::media, "media");
    const auto two_files = times(2, "https://example.com/a.png");
    rows.push_back({rules::media,
                    "media",
                    RuleKind::most,
                    on_whatsapp,
                    Json::object(),
                    {{"media", two_files}},
                    "media",
                    "has more than 1 item",
                    "wrr"});
    add_urls(rows, rules::media, "media[]", "media[0]", media);
    add_texts(rows, rules::media, "body", 1024, 1024);
    rows.erase(rows.end() - 2);  // on other channels it may be longer
    add_approved_text(rows, rules::media, "body");

    // twilio/location
    rows.push_back({rules::location,
                    "",
                    RuleKind::session_only,
                    approval,
                    {},
                    Json::object(),
                    "",
                    "cannot be submitted to WhatsApp",
                    "w-r"});
    for (const auto& [name, most] : {std::pair{"latitude", 90}, std::pair{"longitude", 180}}) {
        add_required(rows, rules::location, name);
        rows.push_back({rules::location,
                        name,
                        RuleKind::degrees,
                        always,
                        {{name, -most}},
                        {{name, most + 0.1}},
                        name,
                        "is not a number from -",
                        "rrr"});
        rows.push_back({rules::location,
                        name,
                        RuleKind::degrees,
                        always,
                        {{name, "{{1}}"}},
                        {{name, "north"}},
                        name,
                        "is not a number from -",
                        "rrr"});
    }

    // twilio/quick-reply
    const auto replies = [&](std::size_t count) { return buttons(times(count, reply())); };
    add_required(rows, rules::quick_reply, "body");
    add_texts(rows, rules::quick_reply, "body", 1024, 1024);
    add_approved_text(rows, rules::quick_reply, "body");
    add_required(rows, rules::quick_reply, "actions");
    rows.push_back({rules::quick_reply, "actions", RuleKind::most, always, replies(10), replies(11),
                    "actions", "has more than 10 items", "rrr"});
    rows.push_back({rules::quick_reply, "actions", RuleKind::most, session, replies(3), replies(4),
                    "actions", "has more than 3 items", "wr-"});
    rows.push_back({rules::quick_reply, "actions[].type", RuleKind::button_type, always,
                    one_button(reply()), one_button(link()), "actions[0].type",
                    "is not a type of button that twilio/quick-reply takes", "rrr"});
    rows.push_back({rules::quick_reply, "actions[].title", RuleKind::required, always,
                    one_button(reply()), one_button(with(reply(), {{"title", ""}})),
                    "actions[0].title", "is missing", "rrr"});
    rows.push_back({rules::quick_reply, "actions[].title", RuleKind::most_characters, always,
                    one_button(reply(chars(20))), buttons({reply(), reply(chars(21))}),
                    "actions[1].title", "is longer than 20 characters", "rrr"});
    rows.push_back({rules::quick_reply, "actions[].title", RuleKind::no_variable, approval,
                    one_button(reply()), one_button(reply("{{1}}")), "actions[0].title",
                    "has a variable", "w-r"});
    rows.push_back({rules::quick_reply, "actions[].id", RuleKind::most_characters, always,
                    one_button(with(reply(), {{"id", chars(200)}})),
                    one_button(with(reply(), {{"id", chars(201)}})), "actions[0].id",
                    "is longer than 200 characters", "rrr"});

    // twilio/list-picker
    const auto line = [](const Json& members) {
        return Json{{"items", {with(line_of_list(), members)}}};
    };
    rows.push_back({rules::list_picker,
                    "",
                    RuleKind::session_only,
                    approval,
                    {},
                    Json::object(),
                    "",
                    "cannot be submitted to WhatsApp",
                    "w-r"});
    add_required(rows, rules::list_picker, "body");
    add_texts(rows, rules::list_picker, "body", 1024);
    add_required(rows, rules::list_picker, "button");
    rows.push_back({rules::list_picker,
                    "button",
                    RuleKind::most_characters,
                    on_whatsapp,
                    {{"button", chars(20)}},
                    {{"button", chars(21)}},
                    "button",
                    "is longer than 20 characters",
                    "www"});
    add_required(rows, rules::list_picker, "items");
    rows.push_back({rules::list_picker,
                    "items",
                    RuleKind::most,
                    always,
                    {{"items", times(10, line_of_list())}},
                    {{"items", times(11, line_of_list())}},
                    "items",
                    "has more than 10 items",
                    "rrr"});
    for (const auto* name : {"item", "id"}) {
        rows.push_back({rules::list_picker,
                        name == std::string("id") ? "items[].id" : "items[].item",
                        RuleKind::required, always, line({}), line({{name, nullptr}}),
                        std::string("items[0].") + name, "is missing", "rrr"});
    }
    rows.push_back({rules::list_picker, "items[].item", RuleKind::most_characters, always,
                    line({{"item", chars(24)}}), line({{"item", chars(25)}}), "items[0].item",
                    "is longer than 24 characters", "rrr"});
    rows.push_back({rules::list_picker, "items[].id", RuleKind::most_characters, always,
                    line({{"id", chars(200)}}), line({{"id", chars(201)}}), "items[0].id",
                    "is longer than 200 characters", "rrr"});
    rows.push_back({rules::list_picker, "items[].description", RuleKind::most_characters, always,
                    line({{"description", chars(72)}}), line({{"description", chars(73)}}),
                    "items[0].description", "is longer than 72 characters", "rrr"});

    // twilio/call-to-action
    const auto cta = rules::call_to_action;
    add_required(rows, cta, "body");
    add_texts(rows, cta, "body", 640, 1024);
    add_approved_text(rows, cta, "body");
    add_required(rows, cta, "actions");
    rows.push_back({cta, "actions", RuleKind::most, session, buttons(times(3, reply())),
                    buttons(times(4, reply())), "actions", "has more than 3 items", "wr-"});
    rows.push_back({cta, "actions", RuleKind::one_type, session, one_button(link()),
                    buttons({link(), copy_code()}), "actions", "has buttons of several types",
                    "wr-"});
    rows.push_back({cta, "actions[URL]", RuleKind::most, always, buttons(times(2, link())),
                    buttons(times(3, link())), "actions", "has more than 2 buttons of the type URL",
                    "rrr"});
    rows.push_back({cta, "actions[URL]", RuleKind::most, session, one_button(link()),
                    buttons(times(2, link())), "actions", "has more than 1 button of the type URL",
                    "wr-"});
    rows.push_back({cta, "actions[QUICK_REPLY]", RuleKind::most, always, buttons(times(5, reply())),
                    buttons(times(6, reply())), "actions",
                    "has more than 5 buttons of the type QUICK_REPLY", "rrr"});
    rows.push_back({cta, "actions[PHONE_NUMBER]", RuleKind::not_with, always,
                    buttons({phone(), link()}), buttons({phone(), voice_call()}), "actions",
                    "has buttons of the types PHONE_NUMBER and VOICE_CALL", "rrr"});
    rows.push_back({cta, "actions[PHONE_NUMBER]", RuleKind::most, session, one_button(link()),
                    one_button(phone()), "actions", "has a button of the type PHONE_NUMBER",
                    "wr-"});
    rows.push_back({cta, "actions[].type", RuleKind::button_type, always,
                    one_button({{"type", "REQUEST_CONTACT_INFO"}}),
                    one_button({{"type", "request"}}), "actions[0].type",
                    "is no type of button that this version knows", "www"});
    rows.push_back({cta, "actions[].title", RuleKind::most_characters, always,
                    one_button(link("https://a.b/", chars(20))),
                    one_button(link("https://a.b/", chars(21))), "actions[0].title",
                    "is longer than 20 characters", "rrr"});
    add_buttons(rows, cta, "actions", "actions[0]", one_button);

    // twilio/card
    const auto titled = [](Json button, std::size_t length) {
        return with(std::move(button), {{"title", chars(length)}});
    };
    add_texts(rows, rules::card, "title", 1024, 1024);
    (rows.end() - 2)->levels = "wrr";
    (rows.end() - 2)->scope = on_whatsapp;
    add_approved_text(rows, rules::card, "title");
    add_texts(rows, rules::card, "body", 1024, 1024);
    rows.erase(rows.end() - 2);
    add_approved_text(rows, rules::card, "body");
    add_texts(rows, rules::card, "subtitle", 60);
    rows.push_back({rules::card,
                    "subtitle",
                    RuleKind::no_variable,
                    always,
                    {{"subtitle", "Soon"}},
                    {{"subtitle", "at {{1}}"}},
                    "subtitle",
                    "has a variable",
                    "rrr"});
    rows.push_back({rules::card,
                    "media",
                    RuleKind::most,
                    on_whatsapp,
                    Json::object(),
                    {{"media", two_files}},
                    "media",
                    "has more than 1 item",
                    "wrr"});
    add_urls(rows, rules::card, "media[]", "media[0]", media);
    rows.push_back({rules::card, "actions", RuleKind::most, always, replies(10), replies(11),
                    "actions", "has more than 10 items", "rrr"});
    // whatsapp/card
    add_required(rows, rules::whatsapp_card, "body");
    add_texts(rows, rules::whatsapp_card, "body", 1024, 1024);
    add_approved_text(rows, rules::whatsapp_card, "body");
    add_texts(rows, rules::whatsapp_card, "footer", 60);
    rows.push_back({rules::whatsapp_card,
                    "footer",
                    RuleKind::no_variable,
                    always,
                    {{"footer", "Soon"}},
                    {{"footer", "at {{1}}"}},
                    "footer",
                    "has a variable",
                    "rrr"});
    add_texts(rows, rules::whatsapp_card, "header_text", 60);
    rows.push_back({rules::whatsapp_card,
                    "header_text",
                    RuleKind::not_with,
                    always,
                    {{"header_text", "News"}},
                    {{"header_text", "News"}, {"media", {"https://example.com/a.png"}}},
                    "header_text",
                    "cannot go with media",
                    "rrr"});
    rows.push_back({rules::whatsapp_card,
                    "media",
                    RuleKind::most,
                    on_whatsapp,
                    Json::object(),
                    {{"media", two_files}},
                    "media",
                    "has more than 1 item",
                    "wrr"});
    add_urls(rows, rules::whatsapp_card, "media[]", "media[0]", media);
    rows.push_back({rules::whatsapp_card, "actions[QUICK_REPLY]", RuleKind::most, always,
                    replies(10), replies(11), "actions",
                    "has more than 10 buttons of the type QUICK_REPLY", "rrr"});
    rows.push_back({rules::whatsapp_card, "actions[QUICK_REPLY]", RuleKind::most, session,
                    replies(3), replies(4), "actions",
                    "has more than 3 buttons of the type QUICK_REPLY", "wr-"});
    rows.push_back({rules::whatsapp_card, "actions[PHONE_NUMBER]", RuleKind::not_with, always,
                    buttons({phone(), link()}), buttons({voice_call(), phone()}), "actions",
                    "has buttons of the types PHONE_NUMBER and VOICE_CALL", "rrr"});
    for (const auto type : {rules::card, rules::whatsapp_card}) {
        const bool whatsapp = type == rules::whatsapp_card;
        const std::size_t replies_most = whatsapp ? 25 : 20;
        const std::size_t others_most = whatsapp ? 20 : 25;
        rows.push_back({type, "actions[URL]", RuleKind::most, always, buttons(times(2, link())),
                        buttons(times(3, link())), "actions",
                        "has more than 2 buttons of the type URL", "rrr"});
        rows.push_back({type, "actions[].type", RuleKind::button_type, always,
                        one_button(voice_call()),
                        one_button({{"type", "REQUEST_CONTACT_INFO"}, {"title", "Who?"}}),
                        "actions[0].type", "is not a type of button that", "rrr"});
        rows.push_back({type, "actions[].title", RuleKind::required, always, one_button(link()),
                        one_button(with(link(), {{"title", nullptr}})), "actions[0].title",
                        "is missing", "rrr"});
        rows.push_back({type, "actions[QUICK_REPLY].title", RuleKind::most_characters, always,
                        one_button(titled(reply(), replies_most)),
                        buttons({link(), titled(reply(), replies_most + 1)}), "actions[1].title",
                        "is longer than " + std::to_string(replies_most) + " characters", "rrr"});
        rows.push_back({type, "actions[!QUICK_REPLY].title", RuleKind::most_characters, always,
                        one_button(titled(copy_code(), others_most)),
                        one_button(titled(copy_code(), others_most + 1)), "actions[0].title",
                        "is longer than " + std::to_string(others_most) + " characters", "rrr"});
        rows.push_back({type, "actions[].webview_size", RuleKind::word, always,
                        one_button(with(link(), {{"webview_size", "HALF"}})),
                        one_button(with(link(), {{"webview_size", "WIDE"}})),
                        "actions[0].webview_size", "is not a value that this version knows",
                        "www"});
        add_buttons(rows, type, "actions", "actions[0]", one_button);
    }

    // twilio/carousel
    const auto cards = [](const Json& members) {
        return Json{{"cards", times(2, with(card_of_carousel(), members))}};
    };
    const auto card_button = [&](Json button) { return cards({{"actions", {std::move(button)}}}); };
    const auto many_cards = [](std::size_t count) {
        return Json{{"cards", times(count, card_of_carousel())}};
    };
    rows.push_back({rules::carousel,
                    "",
                    RuleKind::approval_only,
                    session,
                    {},
                    Json::object(),
                    "",
                    "cannot be sent without approval",
                    "wr-"});
    add_required(rows, rules::carousel, "body");
    add_texts(rows, rules::carousel, "body", 1024, 1024);
    rows.erase(rows.end() - 2);
    add_approved_text(rows, rules::carousel, "body");
    add_required(rows, rules::carousel, "cards");
    rows.push_back({rules::carousel, "cards", RuleKind::fewest, always, many_cards(2),
                    many_cards(1), "cards", "has fewer than 2 items", "rrr"});
    rows.push_back({rules::carousel, "cards", RuleKind::most, always, many_cards(10),
                    many_cards(11), "cards", "has more than 10 items", "rrr"});
    for (const auto* name : {"body", "media", "actions"}) {
        static std::vector<std::string> paths;
        paths.reserve(3);
        rows.push_back({rules::carousel, paths.emplace_back(std::string("cards[].") + name),
                        RuleKind::required, always, cards({}), cards({{name, nullptr}}),
                        std::string("cards[1].") + name, "is missing", "rrr"});
    }
    rows.push_back({rules::carousel, "cards[].body", RuleKind::approved_text, approval,
                    cards({{"body", "Dear {{1}}, it is ready"}}),
                    cards({{"body", "It is all ready for {{1}}."}}), "cards[1].body",
                    "ends with a variable", "w-r"});
    add_urls(rows, rules::carousel, "cards[].media", "cards[0].media", [&](const std::string& url) {
        return cards({{"media", url}});
    });
    rows.push_back({rules::carousel, "cards[].media", RuleKind::file_ending, always,
                    cards({{"media", "https://example.com/a.MP4"}}),
                    cards({{"media", "https://example.com/a.PDF"}}), "cards[0].media",
                    "is of a kind of file that does not go here", "rrr"});
    rows.push_back({rules::carousel, "cards[].actions", RuleKind::most, always,
                    cards({{"actions", times(2, reply())}}),
                    cards({{"actions", times(3, reply())}}), "cards[0].actions",
                    "has more than 2 items", "rrr"});
    rows.push_back({rules::carousel, "cards[].actions[].type", RuleKind::button_type, always,
                    card_button(phone()), card_button(copy_code()), "cards[0].actions[0].type",
                    "is not a type of button that twilio/carousel takes", "rrr"});
    rows.push_back({rules::carousel, "cards[].actions[].title", RuleKind::required, always,
                    card_button(reply()), card_button(reply("")), "cards[0].actions[0].title",
                    "is missing", "rrr"});
    rows.push_back({rules::carousel, "cards[].actions[].title", RuleKind::most_characters, always,
                    card_button(reply(chars(25))), card_button(reply(chars(26))),
                    "cards[1].actions[0].title", "is longer than 25 characters", "rrr"});
    add_buttons(rows, rules::carousel, "cards[].actions", "cards[0].actions[0]", card_button);

    // whatsapp/authentication
    const auto code_button = [](const Json& members) {
        return Json{
            {"actions", {with({{"type", "COPY_CODE"}, {"copy_code_text", "Copy"}}, members)}}};
    };
    rows.push_back({rules::authentication,
                    "",
                    RuleKind::approval_only,
                    session,
                    {},
                    Json::object(),
                    "",
                    "cannot be sent without approval",
                    "wr-"});
    for (const int minutes : {0, 91}) {
        rows.push_back({rules::authentication,
                        "code_expiration_minutes",
                        RuleKind::whole_number,
                        always,
                        {{"code_expiration_minutes", minutes == 0 ? 1 : 90}},
                        {{"code_expiration_minutes", minutes}},
                        "code_expiration_minutes",
                        "is not a whole number from 1 to 90",
                        "rrr"});
    }
    add_required(rows, rules::authentication, "actions");
    rows.push_back({rules::authentication,
                    "actions",
                    RuleKind::most,
                    always,
                    code_button({}),
                    {{"actions", times(2, code_button({})["actions"][0])}},
                    "actions",
                    "has more than 1 item",
                    "rrr"});
    rows.push_back({rules::authentication, "actions[].type", RuleKind::required, always,
                    code_button({}), code_button({{"type", nullptr}}), "actions[0].type",
                    "is missing", "rrr"});
    rows.push_back({rules::authentication, "actions[].type", RuleKind::button_type, always,
                    code_button({}), code_button({{"type", "URL"}}), "actions[0].type",
                    "is not a type of button that whatsapp/authentication takes", "rrr"});
    rows.push_back({rules::authentication, "actions[].copy_code_text", RuleKind::required, always,
                    code_button({}), code_button({{"copy_code_text", nullptr}}),
                    "actions[0].copy_code_text", "is missing", "rrr"});

    // whatsapp/flows
    add_required(rows, rules::flows, "body");
    add_texts(rows, rules::flows, "body", 1024, 1024);
    add_approved_text(rows, rules::flows, "body");
    add_required(rows, rules::flows, "button_text");
    add_texts(rows, rules::flows, "subtitle", 80);
    add_urls(rows, rules::flows, "media_url", "media_url", [](const std::string& url) {
        return Json{{"media_url", url}};
    });
    rows.push_back({rules::flows,
                    "media_url",
                    RuleKind::file_ending,
                    always,
                    {{"media_url", "https://example.com/a.pdf"}},
                    {{"media_url", "https://example.com/a.gif"}},
                    "media_url",
                    "is of a kind of file that does not go here",
                    "rrr"});
    add_required(rows, rules::flows, "flow_id");
    rows.push_back({rules::flows,
                    "flow_token",
                    RuleKind::a_variable,
                    always,
                    {{"flow_token", "{{ token }}"}},
                    {{"flow_token", "a{{1}}"}},
                    "flow_token",
                    "is not one variable",
                    "rrr"});
    return rows;
}

/// What rows of most_with_values have in common.
void settle(Row& row) {
    if (row.kind != RuleKind::most_with_values) return;
    // A longer sample than the member's own limit is a warning there already.
    const bool own_limit = row.type != rules::text && row.type != rules::media &&
                           row.type != rules::carousel && row.type != rules::call_to_action &&
                           !(row.type == rules::card);
    row.levels = own_limit ? "wwr" : row.type == rules::card && row.path == "title" ? "wwr" : "w-r";
}

}  // namespace

TEST_CASE("one of each type that keeps the rules has no finding where it is meant to go") {
    for (const auto& rule : rules::all) {
        CAPTURE(rule.type);
        const bool session_only = rule.type == rules::location || rule.type == rules::list_picker;
        const auto use = session_only ? ContentUse::session : ContentUse::whatsapp;
        const auto samples = rule.type == rules::flows ? Json{{"1", "x"}} : Json{};
        for (const auto& each : definition_of(rule.type, sound(rule.type), samples).check(use)) {
            FAIL_CHECK(each.text());
        }
    }
}

TEST_CASE("each rule passes what is at its limit and finds what is beyond, by path, in each use") {
    auto rows = all_rows();
    for (auto& row : rows) {
        settle(row);
        const auto path = "types." + std::string(row.type) + (row.at.empty() ? "" : "." + row.at);
        CAPTURE(path);
        CAPTURE(row.says);
        if (!row.good.is_null()) {
            const auto good = definition_of(row.type, with(sound(row.type), row.good), row.samples);
            CHECK(verdicts(good, path, row.says) == "---");
        }
        const auto bad = definition_of(row.type, with(sound(row.type), row.bad), row.samples);
        CHECK(verdicts(bad, path, row.says) == row.levels);
        const auto found = bad.check();
        const auto* finding = find(found, path, row.says);
        REQUIRE(finding != nullptr);
        CHECK(finding->text().starts_with(path + " "));
    }
}

TEST_CASE("no rule is without a row here") {
    const auto rows = all_rows();
    for (const auto& rule : rules::all) {
        CAPTURE(rule.type);
        CAPTURE(rule.path);
        CAPTURE(static_cast<int>(rule.kind));
        CHECK(std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
            return row.type == rule.type && row.path == rule.path && row.kind == rule.kind &&
                   row.scope == rule.scope;
        }));
    }
}

TEST_CASE("a card needs a title or a body, and one member more") {
    const auto problem = [](const Json& members) {
        const auto found = definition_of(rules::card, members).check();
        for (const auto& each : found) {
            if (each.path == "types.twilio/card") return each.problem;
        }
        return std::string();
    };
    CHECK(problem({{"subtitle", "Soon"}}) == "has neither a title nor a body");
    CHECK(problem({{"title", "Hello"}}) == "has nothing but a title");
    CHECK(problem({{"body", "Hello"}}) == "has nothing but a body");
    CHECK(problem({{"title", "Hello"}, {"body", "There"}}).empty());
    CHECK(problem({{"title", "Hello"}, {"media", {"https://example.com/a.png"}}}).empty());
    CHECK(problem({{"body", "Hello"}, {"actions", {reply()}}}).empty());
}

TEST_CASE("title and body of a carousel's card share 160 characters") {
    const auto found = [](std::size_t title, const std::string& body, const Json& samples = {}) {
        auto content = sound(rules::carousel);
        content["cards"][1]["title"] = chars(title);
        content["cards"][1]["body"] = body;
        return verdicts(definition_of(rules::carousel, content, samples),
                        "types.twilio/carousel.cards[1]", "more than 160 characters together");
    };
    CHECK(found(60, chars(100)) == "---");
    CHECK(found(61, chars(100)) == "rrr");
    CHECK(found(60, chars(99) + "{{1}}") == "---");
    CHECK(found(60, chars(99) + "{{1}}", {{"1", "ab"}}) == "www");
}

TEST_CASE("every card of a carousel has the same types of buttons in the same order") {
    const auto found = [](const Json& second) {
        auto content = sound(rules::carousel);
        content["cards"][0]["actions"] = {reply(), link()};
        content["cards"][1]["actions"] = second;
        return verdicts(definition_of(rules::carousel, content),
                        "types.twilio/carousel.cards[1].actions", "has other types of buttons");
    };
    CHECK(found({reply("No"), link()}) == "---");
    CHECK(found({link(), reply()}) == "rrr");
    CHECK(found({reply()}) == "rrr");
}

TEST_CASE("the sample of a one-time code has fewer than 15 characters, and needs no placeholder") {
    const auto of_code = [](const std::string& code) {
        return definition_of(rules::authentication, sound(rules::authentication), {{"1", code}});
    };
    CHECK(of_code(std::string(14, '1')).check(ContentUse::whatsapp).empty());
    CHECK(verdicts(of_code(std::string(15, '1')), "variables.1", "is a one-time code of 15") ==
          "rrr");
}

TEST_CASE("with values of 640 to 1,024 characters a call to action is warned of, beyond refused") {
    const Json body{{"body", "{{1}}" + chars(600)}, {"actions", {link()}}};
    const auto found = [&](std::size_t length, const std::string& says) {
        return verdicts(definition_of(rules::call_to_action, body, {{"1", chars(length)}}),
                        "types.twilio/call-to-action.body", says);
    };
    CHECK(found(40, "samples") == "---");
    CHECK(found(41, "longer than 640 characters with the samples") == "www");
    CHECK(found(424, "longer than 1024") == "---");
    CHECK(found(425, "longer than 1024 characters with the samples") == "w-r");
}

}  // namespace check_rules_test
