#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>

#include "fixture.hpp"

namespace content_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using fake_test::Conversation;
using fake_test::last_of;
using nlohmann::json;
using twiliowa::testing::FakeContent;
using twiliowa::testing::FakeTwilio;

namespace {

HttpResponse call(const Conversation& talk, HttpMethod method, const std::string& path,
                  const std::string& body = {}) {
    HttpRequest request;
    request.method = method;
    request.url = "https://content.twilio.com" + path;
    request.authorization = talk.fake->credentials().authorization();
    request.headers = {{"Content-Type", "application/json"}};
    request.body = body;
    return talk.fake->handle(request);
}

HttpResponse get(const Conversation& talk, const std::string& path) {
    return call(talk, HttpMethod::get, path);
}

const std::string text_content =
    R"({"friendly_name":"order","language":"en","variables":{"1":"there"},)"
    R"("types":{"twilio/text":{"body":"Hi {{1}}, how are you?"}}})";

std::string create(const Conversation& talk, const std::string& body = text_content) {
    const auto response = call(talk, HttpMethod::post, "/v1/Content", body);
    REQUIRE(response.status == 201);
    return json::parse(response.body)["sid"];
}

int code_of(const HttpResponse& response) {
    CHECK(response.status >= 400);
    return json::parse(response.body)["code"];
}

/// What a phone shows of a template, SMS or WhatsApp.
testing::FakeBubble bubble_of(const Conversation& talk, const std::string& types,
                              const TemplateVariables& variables = {}) {
    FakeContent content;
    content.types = types;
    content.variables = {{"1", "one"}, {"2", "two"}};
    const auto sid = talk.fake->add_content(FakeTwilio::demo_account_sid, content);
    const auto message = talk.client.send_template(
        {.to = "+447700900123", .content_sid = sid, .variables = variables});
    CHECK(message.body == talk.fake->bubble(message.sid.str()).body);
    return talk.fake->bubble(message.sid.str());
}

}  // namespace

TEST_CASE("FakeTwilio creates, shows, changes and deletes a template") {
    Conversation talk;
    const auto created = call(talk, HttpMethod::post, "/v1/Content", text_content);
    CHECK(created.status == 201);
    const auto content = json::parse(created.body);
    const std::string sid = content["sid"];
    CHECK(content == json{{"sid", sid},
                          {"account_sid", FakeTwilio::demo_account_sid},
                          {"friendly_name", "order"},
                          {"language", "en"},
                          {"variables", {{"1", "there"}}},
                          {"types", {{"twilio/text", {{"body", "Hi {{1}}, how are you?"}}}}},
                          {"date_created", "2026-01-01T00:00:00Z"},
                          {"date_updated", "2026-01-01T00:00:00Z"},
                          {"url", "https://content.twilio.com/v1/Content/" + sid},
                          {"links",
                           {{"approval_create", "https://content.twilio.com/v1/Content/" + sid +
                                                    "/ApprovalRequests/whatsapp"},
                            {"approval_fetch", "https://content.twilio.com/v1/Content/" + sid +
                                                   "/ApprovalRequests"}}}});
    CHECK(json::parse(get(talk, "/v1/Content/" + sid).body) == content);
    const auto changed = call(talk, HttpMethod::put, "/v1/Content/" + sid,
                              R"({"types":{"twilio/text":{"body":"Bye {{1}}!"}}})");
    CHECK(changed.status == 200);
    CHECK(json::parse(changed.body)["types"]["twilio/text"]["body"] == "Bye {{1}}!");
    // A change names the types again, as the document wants it.
    CHECK(code_of(call(talk, HttpMethod::put, "/v1/Content/" + sid, R"({"language":"de"})")) ==
          20422);
    const auto message = talk.client.send_template({.to = "+447700900123", .content_sid = sid});
    CHECK(message.body == "Bye there!");
    CHECK(call(talk, HttpMethod::delete_, "/v1/Content/" + sid).status == 204);
    CHECK(code_of(get(talk, "/v1/Content/" + sid)) == 20404);
    CHECK(code_of(call(talk, HttpMethod::delete_, "/v1/Content/" + sid)) == 20404);
    const auto refused = talk.client.try_send_template({.to = "+447700900123", .content_sid = sid});
    CHECK(refused.error().code() == 21655);
}

TEST_CASE("FakeTwilio refuses a template that cannot be") {
    Conversation talk;
    const auto refused = [&](const std::string& body) {
        return code_of(call(talk, HttpMethod::post, "/v1/Content", body));
    };
    CHECK(refused("") == 20001);
    CHECK(refused("[]") == 20001);
    CHECK(refused("{}") == 20422);
    CHECK(refused(R"({"language":"en","types":{}})") == 20422);
    CHECK(refused(R"({"language":"en","types":{"twilio/text":{}}})") == 20422);
    CHECK(refused(R"({"language":"en","types":{"twilio/text":"x"}})") == 20422);
    CHECK(refused(R"({"language":"en","types":{"text":{"body":"x"}}})") == 20422);
    CHECK(refused(R"({"language":1,"types":{"twilio/text":{"body":"x"}}})") == 20422);
    const auto refused_type = [&](const std::string& name, const std::string& type) {
        CAPTURE(name);
        CHECK(refused(R"({"language":"en","types":{")" + name + "\":" + type + "}}") == 20422);
    };
    refused_type("twilio/text", R"({"body":7})");
    refused_type("twilio/quick-reply", R"({"body":"x","actions":"Yes"})");
    refused_type("twilio/quick-reply", R"({"body":"x","actions":["Yes"]})");
    refused_type("twilio/quick-reply", R"({"body":"x","actions":[{"id":"yes"}]})");
    refused_type("twilio/call-to-action", R"({"body":"x","actions":[{"title":"Go"}]})");
    CHECK(call(talk, HttpMethod::post, "/v1/Content",
               R"({"language":"en","types":{"twilio/call-to-action":)"
               R"({"body":"x","actions":[{"type":"REQUEST_CONTACT_INFO"}]}}})")
              .status == 201);
    for (const std::string minutes :
         {"0", "43201", "-1", "1.5", "true", "[]", R"("soon")", R"("{{1}} minutes")", R"("")"}) {
        const auto action = R"({"actions":[{"type":"VOICE_CALL","ttl_minutes":)" + minutes + "}]";
        refused_type("twilio/call-to-action", action + R"(,"body":"x"})");
        refused_type("whatsapp/card", action + R"(,"body":"x"})");
        refused_type("twilio/card", action + R"(,"title":"x"})");
        refused_type("twilio/carousel",
                     R"({"body":"x","cards":[{"body":"a","media":"m",)" + action.substr(1) + "}]}");
    }
    refused_type("twilio/list-picker", R"({"body":"x","button":"b","items":[{"id":"a"}]})");
    refused_type("twilio/carousel", R"({"body":"x","cards":[{"body":"a"}]})");
    refused_type("twilio/catalog", "{}");
    refused_type("twilio/flows", R"({"body":"x","button_text":"b","pages":[]})");
    refused_type("whatsapp/authentication", R"({"actions":[{}]})");
    const std::string good = R"("language":"en","types":{"twilio/text":{"body":"x"}})";
    CHECK(refused("{" + good + R"(,"variables":{"1":2}})") == 20422);
    CHECK(refused("{" + good + R"(,"variables":{"a b":"c"}})") == 20422);
    CHECK(refused("{" + good + R"(,"variables":[]})") == 20422);
    HttpRequest request;
    request.url = "https://content.twilio.com/v1/Content";
    CHECK(talk.fake->handle(request).status == 401);
    CHECK(call(talk, HttpMethod::put, "/v1/Content").status == 405);
}

TEST_CASE("FakeTwilio lets a call be made for 1 to 43,200 minutes, or as many as a variable says") {
    Conversation talk;
    for (const std::string minutes :
         {"1", "10080", "43200", R"("{{ 1 }}")", R"("43200")", "null"}) {
        CAPTURE(minutes);
        create(talk, R"({"language":"en","types":{"twilio/call-to-action":{"body":"x","actions":[)"
                     R"({"type":"VOICE_CALL","title":"Call","ttl_minutes":)" +
                         minutes + "}]}}}");
    }
    // Of other actions it is nothing.
    create(talk, R"({"language":"en","types":{"twilio/call-to-action":{"body":"x","actions":[)"
                 R"({"type":"URL","url":"https://x.test","ttl_minutes":0}]}}})");
}

TEST_CASE("FakeTwilio deletes a template in the WhatsApp account, too, or not") {
    Conversation talk;
    for (const std::string query : {"", "?deleteInWaba=true", "?deleteInWaba=false"}) {
        CAPTURE(query);
        const auto sid = create(talk);
        CHECK(call(talk, HttpMethod::delete_, "/v1/Content/" + sid + query).status == 204);
        CHECK(code_of(get(talk, "/v1/Content/" + sid)) == 20404);
    }
    const auto sid = create(talk);
    CHECK(code_of(call(talk, HttpMethod::delete_,
                       "/v1/Content/" + sid + "?deleteInWaba=perhaps")) == 20422);
    CHECK(get(talk, "/v1/Content/" + sid).status == 200);
}

TEST_CASE("FakeTwilio lists templates in pages") {
    Conversation talk;
    for (int i = 0; i < 6; ++i) create(talk);
    const auto first = json::parse(get(talk, "/v1/Content?PageSize=3").body);
    CHECK(first["contents"].size() == 3);
    CHECK(first["meta"]["key"] == "contents");
    CHECK(first["meta"]["page_size"] == 3);
    CHECK(first["meta"]["previous_page_url"].is_null());
    std::string next = first["meta"]["next_page_url"];
    CHECK(next.starts_with("https://content.twilio.com/v1/Content?"));
    std::size_t seen = 3;
    while (!next.empty()) {
        const auto page = json::parse(get(talk, next.substr(26)).body);
        seen += page["contents"].size();
        const auto& url = page["meta"]["next_page_url"];
        next = url.is_null() ? std::string{} : url.get<std::string>();
    }
    CHECK(seen == 7);
    CHECK(code_of(get(talk, "/v1/Content?PageToken=PAHX1")) == 20422);
    const auto both = json::parse(get(talk, "/v1/ContentAndApprovals").body);
    CHECK(both["contents"][0]["approval_requests"]["status"] == "unsubmitted");
}

TEST_CASE("FakeTwilio keeps how long a template may be tried to be sent") {
    Conversation talk;
    const auto sid = create(talk);
    const auto path = "/v1/Content/" + sid + "/ApprovalRequests";
    const auto request = [&](const std::string& seconds) {
        return call(talk, HttpMethod::post, path + "/whatsapp",
                    R"({"name":"order","category":"UTILITY","send_ttl_seconds":)" + seconds + "}");
    };
    for (const std::string bad : {R"("3600")", "1.5", "true", "99999999999"}) {
        CAPTURE(bad);
        CHECK(code_of(request(bad)) == 20422);
    }
    const auto received = request("3600");
    REQUIRE(received.status == 201);
    CHECK(json::parse(received.body)["send_ttl_seconds"] == 3600);
    CHECK(json::parse(get(talk, path).body)["whatsapp"]["send_ttl_seconds"] == 3600);
    Conversation later;
    later.fake->load(talk.fake->save());
    CHECK(json::parse(get(later, path).body)["whatsapp"]["send_ttl_seconds"] == 3600);
    CHECK_FALSE(
        json::parse(get(talk, "/v1/Content/" + create(talk) + "/ApprovalRequests").body)["whatsapp"]
            .contains("send_ttl_seconds"));
}

TEST_CASE("FakeTwilio has a template approved in time, or not") {
    Conversation talk;
    const auto request = [&](const std::string& sid, const std::string& body) {
        return call(talk, HttpMethod::post, "/v1/Content/" + sid + "/ApprovalRequests/whatsapp",
                    body);
    };
    const auto status = [&](const std::string& sid) {
        const auto body = get(talk, "/v1/Content/" + sid + "/ApprovalRequests").body;
        return json::parse(body)["whatsapp"]["status"].get<std::string>();
    };
    const auto sid = create(talk);
    CHECK(status(sid) == "unsubmitted");
    const auto unapproved = talk.client.send_template({.to = "+447700900123", .content_sid = sid});
    talk.fake->advance(10s);
    CHECK(talk.fake->message(unapproved.sid.str()).value().error_code == 63016);

    const std::string good = R"({"name":"order_on_its_way","category":"UTILITY"})";
    const auto received = request(sid, good);
    CHECK(received.status == 201);
    CHECK(json::parse(received.body) == json{{"name", "order_on_its_way"},
                                             {"category", "UTILITY"},
                                             {"content_type", "twilio/text"},
                                             {"status", "received"},
                                             {"rejection_reason", ""},
                                             {"allow_category_change", true}});
    CHECK(status(sid) == "received");
    // The answer of a fetch has more members than those that are named.
    CHECK(json::parse(get(talk, "/v1/Content/" + sid + "/ApprovalRequests").body)["whatsapp"]
              .contains("flows"));
    CHECK(code_of(request(sid, good)) == 20422);
    talk.fake->advance(2s);
    CHECK(status(sid) == "pending");
    talk.fake->advance(60s);
    CHECK(status(sid) == "approved");
    talk.client.send_template({.to = "+447700900123", .content_sid = sid});
    talk.fake->run_until_idle();
    CHECK(last_of(talk.statuses) == "delivered");

    const auto bad = create(talk);
    CHECK(code_of(request(bad, R"({"name":"Order","category":"UTILITY"})")) == 20422);
    CHECK(code_of(request(bad, R"({"name":"order","category":"SPAM"})")) == 20422);
    CHECK(code_of(request(bad, R"({"name":"order"})")) == 20422);
    CHECK(code_of(request("HX0000000000000000000000000000000f", good)) == 20404);
    CHECK(request(bad, R"({"name":"please_reject","category":"MARKETING"})").status == 201);
    talk.fake->run_until_idle();
    CHECK(status(bad) == "rejected");
    const auto rejected = talk.client.send_template({.to = "+447700900123", .content_sid = bad});
    talk.fake->run_until_idle();
    CHECK(talk.fake->message(rejected.sid.str()).value().error_code == 63040);
}

TEST_CASE("FakeTwilio changes no template that WhatsApp was asked to approve") {
    Conversation talk;
    const auto sid = create(talk);
    CHECK(call(talk, HttpMethod::post, "/v1/Content/" + sid + "/ApprovalRequests/whatsapp",
               R"({"name":"order","category":"UTILITY"})")
              .status == 201);
    const auto change = [&] {
        return code_of(call(talk, HttpMethod::put, "/v1/Content/" + sid,
                            R"({"types":{"twilio/text":{"body":"Bye {{1}}!"}}})"));
    };
    CHECK(change() == 20422);
    talk.fake->run_until_idle();
    CHECK(change() == 20422);
    const auto message = talk.client.send_template({.to = "+447700900123", .content_sid = sid});
    CHECK(message.body == "Hi there, how are you?");
}

TEST_CASE("FakeTwilio approves nothing that only a conversation can hold") {
    Conversation talk;
    const auto outcome = [&](const std::string& types) {
        const auto sid = create(talk, R"({"language":"en","types":)" + types + "}");
        const auto path = "/v1/Content/" + sid + "/ApprovalRequests";
        CHECK(
            call(talk, HttpMethod::post, path + "/whatsapp", R"({"name":"n","category":"UTILITY"})")
                .status == 201);
        talk.fake->run_until_idle();
        return json::parse(get(talk, path).body)["whatsapp"]["status"].get<std::string>();
    };
    CHECK(outcome(R"({"twilio/list-picker":{"body":"b","button":"c","items":[]}})") == "rejected");
    CHECK(outcome(R"({"twilio/location":{"latitude":1,"longitude":2}})") == "rejected");
    CHECK(outcome(R"({"twilio/media":{"media":["https://example.com/a.png"]}})") == "approved");
}

TEST_CASE("FakeTwilio has WhatsApp turn down an approved template that is filled in badly") {
    Conversation talk;
    FakeContent content;
    content.body = "Hi {{1}}, your code is {{2}}!";
    content.variables = {{"1", "there"}};
    const auto sid = talk.fake->add_content(FakeTwilio::demo_account_sid, content);
    const auto outcome = [&](const char* variables) {
        OutboundMessage message;
        message.to = "+447700900123";
        message.content_sid = sid;
        message.extra = {{"ContentVariables", variables}};
        const auto sent = talk.client.send(message);
        CHECK(sent.status == MessageStatus::queued);
        talk.fake->run_until_idle();
        return talk.fake->message(sent.sid.str()).value().error_code.value_or(0);
    };
    CHECK(outcome(R"({"2":"x"})") == 0);
    CHECK(outcome(R"({"2":"four    spaces"})") == 0);
    CHECK(outcome(R"({"2":"five     spaces"})") == 63013);
    CHECK(outcome(R"({"2":"two\nlines"})") == 63013);
    CHECK(outcome(R"({"2":"a\ttab"})") == 63013);
    CHECK(outcome(R"({"1":"Lee"})") == 63028);
    CHECK(outcome((R"({"2":")" + std::string(1100, 'x') + R"("})").c_str()) == 63021);
}

TEST_CASE("FakeTwilio draws every type of template with its variables") {
    Conversation talk;
    SUBCASE("text") {
        CHECK(bubble_of(talk, R"({"twilio/text":{"body":"{{1}} and {{2}}"}})", {{"2", "B"}}).body ==
              "one and B");
    }
    SUBCASE("media") {
        const auto bubble = bubble_of(
            talk,
            R"({"twilio/media":{"body":"See {{1}}","media":["https://example.com/{{2}}.png"]}})");
        CHECK(bubble.media == std::vector<std::string>{"https://example.com/two.png"});
        CHECK(talk.fake->messages().at(0).num_media == 1);
    }
    SUBCASE("location") {
        const auto bubble = bubble_of(
            talk, R"({"twilio/location":{"latitude":37.5,"longitude":-122,"label":"{{1}}"}})");
        REQUIRE(bubble.locations.size() == 1);
        CHECK(bubble.locations[0].latitude == "37.5");
        CHECK(bubble.locations[0].longitude == "-122");
        CHECK(bubble.body == "one");
    }
    SUBCASE("call to action") {
        const auto bubble = bubble_of(talk, R"({"twilio/call-to-action":{"body":"Go","actions":[
            {"type":"URL","title":"Open","url":"https://example.com/{{1}}"},
            {"type":"PHONE_NUMBER","title":"Call","phone":"+15551234567"}]}})");
        REQUIRE(bubble.buttons.size() == 2);
        CHECK(bubble.buttons[0].type == "URL");
        CHECK(bubble.buttons[0].value == "https://example.com/one");
        CHECK(bubble.buttons[1].value == "+15551234567");
    }
    SUBCASE("card, with its fallback unused") {
        const auto bubble = bubble_of(talk, R"({"twilio/text":{"body":"plain"},
            "twilio/card":{"title":"T {{1}}","subtitle":"S","media":["https://example.com/a.png"],
            "actions":[{"type":"QUICK_REPLY","title":"Go {{2}}","id":"go"}]}})");
        CHECK(bubble.type == "twilio/card");
        CHECK(bubble.body == "T one");
        CHECK(bubble.footer == "S");
        CHECK(bubble.buttons[0].title == "Go two");
    }
    SUBCASE("WhatsApp card") {
        const auto bubble = bubble_of(talk, R"({"whatsapp/card":{"body":"B","footer":"F",
            "header_text":"H {{1}}","actions":[]}})");
        CHECK(bubble.header == "H one");
        CHECK(bubble.body == "B");
        CHECK(bubble.footer == "F");
    }
    SUBCASE("carousel") {
        const auto bubble = bubble_of(talk, R"({"twilio/carousel":{"body":"Pick","cards":[
            {"title":"A","body":"a","media":"https://example.com/a.png",
             "actions":[{"type":"QUICK_REPLY","title":"A","id":"a"}]},
            {"title":"B","body":"b","media":"https://example.com/b.png",
             "actions":[{"type":"QUICK_REPLY","title":"B","id":"b"}]}]}})");
        CHECK(bubble.body == "Pick");
        CHECK(bubble.buttons.empty());
        REQUIRE(bubble.cards.size() == 2);
        const auto& card = bubble.cards[1];
        CHECK(card.title == "B");
        CHECK(card.body == "b");
        CHECK(card.media == std::vector<std::string>{"https://example.com/b.png"});
        REQUIRE(card.buttons.size() == 1);
        CHECK(card.buttons[0].id == "b");
        CHECK(talk.fake->messages().at(0).num_media == 2);
        talk.lee().taps("b");
        CHECK(last_of(talk.fake->parameters(last_of(talk.lee().conversation()).sid.str())).second ==
              "b");
    }
    SUBCASE("schedule") {
        const auto bubble = bubble_of(talk, R"({"twilio/schedule":{"id":"1","title":"When?",
            "timeSlots":"Monday 10:00, {{1}}"}})");
        CHECK(bubble.body == "When?");
        CHECK(bubble.footer == "Monday 10:00, one");
    }
    SUBCASE("flow") {
        const auto bubble = bubble_of(talk, R"({"whatsapp/flows":{"body":"Sign up",
            "button_text":"Start","flow_id":"1"}})");
        CHECK(bubble.list_button == "Start");
    }
    SUBCASE("authentication") {
        const auto bubble = bubble_of(talk, R"({"whatsapp/authentication":{
            "add_security_recommendation":true,"code_expiration_minutes":5,
            "actions":[{"type":"COPY_CODE","copy_code_text":"Copy"}]}})",
                                      {{"1", "123456"}});
        CHECK(bubble.body.starts_with("*123456* is your verification code."));
        CHECK(bubble.footer == "This code expires in 5 minutes.");
        CHECK(bubble.buttons[0].value == "123456");
    }
    SUBCASE("a type nobody knows") {
        CHECK(bubble_of(talk, R"({"twilio/hologram":{"body":"{{1}}"}})").body == "one");
    }
    SUBCASE("nonsense in every place") {
        for (const auto* type :
             {R"({"twilio/text":{"body":1}})", R"({"twilio/text":[]})", R"({"twilio/card":null})",
              R"({"twilio/list-picker":{"items":[1,null,[]]}})",
              R"({"twilio/carousel":{"cards":{"media":5}}})",
              R"({"twilio/carousel":{"cards":[1,null,[]]}})",
              R"({"twilio/schedule":{"timeSlots":[1,null,{}]}})"}) {
            bubble_of(talk, type);
        }
    }
}

TEST_CASE("FakeTwilio shows that the business is typing") {
    Conversation talk;
    const auto sid = talk.lee().sends_text("Hello");
    const auto typing = [&](const std::string& body) {
        HttpRequest request;
        request.method = HttpMethod::post;
        request.url = "https://messaging.twilio.com/v2/Indicators/Typing.json";
        request.authorization = talk.fake->credentials().authorization();
        request.body = body;
        return talk.fake->handle(request);
    };
    CHECK_FALSE(talk.lee().sees_typing());
    const auto done = typing("channel=whatsapp&messageId=" + sid);
    CHECK(done.status == 200);
    CHECK(json::parse(done.body) == json{{"success", true}});
    CHECK(talk.lee().sees_typing());
    talk.fake->advance(25s);
    CHECK_FALSE(talk.lee().sees_typing());
    CHECK(code_of(typing("channel=sms&messageId=" + sid)) == 20422);
    CHECK(code_of(typing("channel=whatsapp&messageId=SM0")) == 20404);
    CHECK(code_of(typing("channel=whatsapp&messageId=" + talk.send_template().sid.str())) == 20422);
}

}  // namespace content_test
