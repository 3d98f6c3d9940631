#include <twiliowa/testing/fake_twilio.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "text/form.hpp"

using namespace std::chrono_literals;
using namespace twiliowa;
using nlohmann::json;
using twiliowa::testing::FakeContent;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::FakeTwilioOptions;
using twiliowa::testing::ManualClock;

namespace {

using Form = std::vector<std::pair<std::string, std::string>>;

const std::string account{FakeTwilio::demo_account_sid};
const std::string sender{FakeTwilio::demo_sender};
const std::string service{FakeTwilio::demo_messaging_service_sid};
const std::string content{FakeTwilio::demo_content_sid};
const std::string recipient = "whatsapp:+447700900123";
const std::string messages_path = "/2010-04-01/Accounts/" + account + "/Messages.json";

std::string message_path(const std::string& sid, const std::string& rest = {}) {
    return "/2010-04-01/Accounts/" + account + "/Messages/" + sid + rest + ".json";
}

Form text_form() {
    return {{"To", recipient}, {"From", sender}, {"Body", "Hello"}};
}

/// The form with one parameter set to another value, or left out when that is empty.
Form with(Form form, const std::string& name, const std::string& value) {
    form.erase(std::remove_if(form.begin(), form.end(),
                              [&](const auto& entry) { return entry.first == name; }),
               form.end());
    if (!value.empty()) form.emplace_back(name, value);
    return form;
}

Form template_form(const std::string& variables = {}) {
    return with({{"To", recipient}, {"From", sender}, {"ContentSid", content}}, "ContentVariables",
                variables);
}

struct Twilio {
    std::shared_ptr<FakeTwilio> fake = FakeTwilio::with_account();

    HttpRequest request(HttpMethod method, const std::string& path, std::string body = {}) const {
        HttpRequest request;
        request.method = method;
        request.url = "https://api.twilio.com" + path;
        request.authorization = fake->credentials().authorization();
        request.body = std::move(body);
        return request;
    }
    HttpResponse get(const std::string& path) const {
        return fake->handle(request(HttpMethod::get, path));
    }
    HttpResponse remove(const std::string& path) const {
        return fake->handle(request(HttpMethod::delete_, path));
    }
    HttpResponse post(const std::string& path, const Form& form) const {
        std::string body;
        for (const auto& [name, value] : form) detail::append_form_field(body, name, value);
        return fake->handle(request(HttpMethod::post, path, body));
    }
    HttpResponse create(const Form& form) const { return post(messages_path, form); }
    json created(const Form& form) const {
        const auto response = create(form);
        REQUIRE_MESSAGE(response.status == 201, response.body);
        return json::parse(response.body);
    }
    std::string created_sid(const Form& form) const { return created(form)["sid"]; }
    json listed(const std::string& query = {}) const {
        const auto response = get(messages_path + query);
        REQUIRE_MESSAGE(response.status == 200, response.body);
        return json::parse(response.body);
    }
    ManualClock& clock() const { return dynamic_cast<ManualClock&>(*fake->clock()); }
};

void check_refused(const HttpResponse& response, int status, int code) {
    CAPTURE(response.body);
    CHECK(response.status == status);
    const auto body = json::parse(response.body);
    CHECK(body["code"] == code);
    CHECK(body["status"] == status);
    CHECK(body["message"].is_string());
    CHECK(body["more_info"] == "https://www.twilio.com/docs/errors/" + std::to_string(code));
    CHECK(response.header("Content-Type") == "application/json");
    CHECK(response.header("Twilio-Request-Id").size() == 34);
}

std::vector<std::string> sids_of(const json& page) {
    std::vector<std::string> sids;
    for (const auto& message : page["messages"]) sids.push_back(message["sid"]);
    return sids;
}

}  // namespace

// ---- Create.

TEST_CASE("FakeTwilio answers a created message with every field of the API") {
    const Twilio twilio;
    const auto response = twilio.create(text_form());
    CHECK(response.status == 201);
    CHECK(response.header("content-type") == "application/json");
    const auto request_id = response.header("Twilio-Request-Id");
    CHECK(request_id.starts_with("RQ"));
    CHECK(request_id.size() == 34);
    CHECK(response.header("Twilio-Concurrent-Requests") == "1");
    CHECK_FALSE(response.header("Twilio-Request-Duration").empty());

    const auto message = json::parse(response.body);
    const std::string sid = message["sid"];
    CHECK(sid.starts_with("SM"));
    CHECK(sid.size() == 34);
    const json expected = {
        {"account_sid", account},
        {"api_version", "2010-04-01"},
        {"body", "Hello"},
        {"date_created", "Thu, 01 Jan 2026 00:00:00 +0000"},
        {"date_sent", nullptr},
        {"date_updated", "Thu, 01 Jan 2026 00:00:00 +0000"},
        {"direction", "outbound-api"},
        {"error_code", nullptr},
        {"error_message", nullptr},
        {"from", sender},
        {"messaging_service_sid", nullptr},
        {"num_media", "0"},
        {"num_segments", "1"},
        {"price", nullptr},
        {"price_unit", "USD"},
        {"sid", sid},
        {"status", "queued"},
        {"subresource_uris",
         {{"media", message_path(sid, "/Media")}, {"feedback", message_path(sid, "/Feedback")}}},
        {"to", recipient},
        {"uri", message_path(sid)},
    };
    CHECK(message == expected);
}

TEST_CASE("FakeTwilio accepts a message through a messaging service and picks the sender later") {
    const Twilio twilio;
    auto form = with(text_form(), "From", "");
    form.emplace_back("MessagingServiceSid", service);
    const auto message = twilio.created(form);
    CHECK(message["status"] == "accepted");
    CHECK(message["from"].is_null());
    CHECK(message["num_segments"] == "0");
    CHECK(message["messaging_service_sid"] == service);

    twilio.fake->set_status(message["sid"].get<std::string>(), "sent");
    const auto sent = twilio.fake->message(message["sid"].get<std::string>());
    REQUIRE(sent);
    CHECK(sent->from == sender);
    CHECK(sent->num_segments == 1);
}

TEST_CASE("FakeTwilio keeps a scheduled message") {
    const Twilio twilio;
    auto form = text_form();
    form.insert(form.end(), {{"MessagingServiceSid", service},
                             {"ScheduleType", "fixed"},
                             {"SendAt", "2026-01-02T00:00:00Z"}});
    const auto message = twilio.created(form);
    CHECK(message["status"] == "scheduled");
    CHECK(message["date_sent"].is_null());
}

TEST_CASE("FakeTwilio renders a template with its variables and defaults") {
    const Twilio twilio;
    CHECK(twilio.created(template_form(R"({"1":"Lee","2":"42"})"))["body"] ==
          "Hi Lee, your order 42 is on its way");
    CHECK(twilio.created(template_form(R"({"1":"Lee"})"))["body"] ==
          "Hi Lee, your order 0000 is on its way");
    CHECK(twilio.created(template_form())["body"] == "Hi there, your order 0000 is on its way");
    CHECK(twilio.created(template_form("{}"))["body"] == "Hi there, your order 0000 is on its way");
    CHECK(twilio.created(template_form(R"({"1":"{{2}}"})"))["body"] ==
          "Hi {{2}}, your order 0000 is on its way");
}

TEST_CASE("FakeTwilio renders named variables and leaves what has no value") {
    const Twilio twilio;
    FakeContent greeting;
    greeting.body = "{{ name }}: {{code}} {{name}} {{";
    const auto sid = twilio.fake->add_content(account, greeting);
    CHECK(sid.starts_with("HX"));
    auto form = with(template_form(R"({"name":"Zo\u00eb"})"), "ContentSid", sid);
    CHECK(twilio.created(form)["body"] == "Zo\u00eb: {{code}} Zo\u00eb {{");
}

TEST_CASE("FakeTwilio takes one file on WhatsApp and drops the others") {
    const Twilio twilio;
    auto form = text_form();
    form.emplace_back("MediaUrl", "https://example.org/a.png");
    form.emplace_back("MediaUrl", "https://example.org/b.pdf");
    const auto message = twilio.created(form);
    CHECK(message["num_media"] == "1");
    CHECK(message["sid"].get<std::string>().starts_with("MM"));
}

TEST_CASE("FakeTwilio keeps every parameter, known to it or not") {
    const Twilio twilio;
    auto form = text_form();
    for (const auto* name :
         {"ProvideFeedback", "ForceDelivery", "SmartEncoded", "ShortenUrls", "SendAsMms"}) {
        form.emplace_back(name, "true");
    }
    form.insert(form.end(), {{"StatusCallback", "https://example.org/status"},
                             {"ApplicationSid", "AP00000000000000000000000000000001"},
                             {"MaxPrice", "0.5"},
                             {"Attempt", "1"},
                             {"ValidityPeriod", "600"},
                             {"ContentRetention", "retain"},
                             {"AddressRetention", "obfuscate"},
                             {"PersistentAction", "geo:51.5,-0.1|London"},
                             {"TrafficType", "free"},
                             {"RiskCheck", "disable"},
                             {"FallbackFrom", "+15005550006"},
                             {"MessageIntent", "otp"}});
    CHECK(twilio.fake->parameters(twilio.created_sid(form)) == form);
}

TEST_CASE("FakeTwilio sends SMS from a number of the account and counts its segments") {
    const Twilio twilio;
    twilio.fake->add_sender(account, "+15005550006");
    const Form form{
        {"To", "+447700900123"}, {"From", "+15005550006"}, {"Body", std::string(161, 'a')}};
    CHECK(twilio.created(form)["num_segments"] == "2");
}

TEST_CASE("FakeTwilio refuses what Twilio refuses, with Twilio's code") {
    const Twilio twilio;
    const auto refused = [&](const Form& form, int code, int status = 400) {
        CAPTURE(code);
        check_refused(twilio.create(form), status, code);
        CHECK(twilio.fake->messages().empty());
    };
    const auto text = text_form();
    SUBCASE("no recipient") {
        refused(with(text, "To", ""), 21604);
    }
    SUBCASE("a recipient that is no address") {
        for (const auto* to :
             {"nobody", "whatsapp:", "whatsapp:447700900123", "+0123456789", "+44 7700 900123",
              "whatsapp:whatsapp:+447700900123", "+123", "+1234567890123456", "messenger:1"}) {
            CAPTURE(to);
            refused(with(text, "To", to), 21211);
        }
    }
    SUBCASE("no sender") {
        refused(with(text, "From", ""), 21603);
    }
    SUBCASE("nothing to say") {
        refused(with(text, "Body", ""), 21619);
    }
    SUBCASE("too long a body, in characters") {
        refused(with(text, "Body", std::string(1601, 'x')), 21617);
    }
    SUBCASE("a NUL in the body") {
        refused(with(text, "Body", std::string("a\0b", 3)), 21618);
    }
    SUBCASE("a media URL that is none") {
        for (const auto* url : {"picture.png", "ftp://example.org/a", "https://", "https:///a",
                                "https://exa mple.org/"}) {
            CAPTURE(url);
            refused(with(text, "MediaUrl", url), 21620);
        }
    }
    SUBCASE("more than ten media URLs") {
        auto form = text;
        for (int i = 0; i < 11; ++i) form.emplace_back("MediaUrl", "https://example.org/a.png");
        refused(form, 21623);
    }
    SUBCASE("an unknown sender") {
        refused(with(text, "From", "whatsapp:+14155550000"), 63007);
        refused(with(with(text, "To", "+447700900123"), "From", "+14155550000"), 21660);
        refused(with(with(text, "To", "+447700900123"), "From", "?"), 21212);
    }
    SUBCASE("two channels") {
        refused(with(text, "To", "+447700900123"), 30016);
    }
    SUBCASE("a messaging service that is not there") {
        refused(with(text, "MessagingServiceSid", "MG123"), 21705);
        refused(with(text, "MessagingServiceSid", "MG0000000000000000000000000000000f"), 21701);
    }
    SUBCASE("a messaging service without a sender") {
        const std::string empty = "MG0000000000000000000000000000000e";
        twilio.fake->add_messaging_service(account, empty);
        refused(with(with(text, "From", ""), "MessagingServiceSid", empty), 21703);
    }
    SUBCASE("an unknown template") {
        refused(with(template_form(), "ContentSid", "HX0000000000000000000000000000000f"), 21655);
        refused(with(template_form(), "ContentSid", "nonsense"), 21655);
    }
    SUBCASE("variables without a template") {
        refused(with(text, "ContentVariables", "{}"), 21654);
    }
    SUBCASE("variables that cannot be") {
        for (const auto* variables :
             {"not json", "[]", "\"1\"", "null", R"({"1":null})", R"({"1":""})", R"({"1":7})",
              R"({"1":{"a":"b"}})", R"({"3":"undeclared"})", R"({"":"x"})", R"({"1":"a")"}) {
            CAPTURE(variables);
            refused(template_form(variables), 21656);
        }
        refused(template_form(std::string(100'000, '[')), 21656);
        refused(template_form(R"({"1":")" + std::string(1601, 'x') + R"("})"), 21658);
    }
    SUBCASE("a second variable for a one-time code") {
        FakeContent code;
        code.types = R"({"whatsapp/authentication":{"actions":[]}})";
        const auto sid = twilio.fake->add_content(account, code);
        refused(with(template_form(R"({"1":"123456","2":"x"})"), "ContentSid", sid), 21656);
    }
    SUBCASE("a message to oneself") {
        refused(with(text, "To", std::string{sender}), 63031);
    }
    SUBCASE("variables for a template that has none") {
        FakeContent fixed;
        fixed.body = "Always the same";
        const auto sid = twilio.fake->add_content(account, fixed);
        refused(with(template_form(R"({"1":"a"})"), "ContentSid", sid), 21656);
    }
    SUBCASE("a schedule that cannot be kept") {
        auto scheduled =
            with(with(text, "ScheduleType", "fixed"), "SendAt", "2026-01-02T00:00:00Z");
        refused(scheduled, 35118);
        scheduled = with(scheduled, "MessagingServiceSid", service);
        refused(with(scheduled, "ScheduleType", ""), 35114);
        refused(with(scheduled, "SendAt", ""), 35114);
        refused(with(scheduled, "SendAt", "tomorrow"), 35114);
        refused(with(scheduled, "SendAt", "2026-01-01T00:04:59Z"), 35115);
        refused(with(scheduled, "SendAt", "2025-01-01T00:00:00Z"), 35115);
        refused(with(scheduled, "SendAt", "2026-02-05T00:00:01Z"), 35117);
    }
    SUBCASE("options out of range") {
        refused(with(text, "ValidityPeriod", "0"), 21624);
        refused(with(text, "ValidityPeriod", "36001"), 21624);
        refused(with(text, "StatusCallback", "example.org"), 21609);
        refused(with(text, "StatusCallback", "https://bad_host.example.org/"), 21609);
        refused(with(text, "StatusCallback", "https://me:x@bad_host.example.org/"), 21609);
        refused(with(text, "ApplicationSid", "AP1"), 21218);
        refused(with(text, "ContentRetention", "keep"), 30029);
        refused(with(text, "AddressRetention", "keep"), 30030);
    }
    SUBCASE("an unverified number on a trial account") {
        twilio.fake->set_trial(account, {"+447700900999"});
        refused(text, 21608);
    }
    SUBCASE("a recipient who opted out") {
        twilio.fake->opt_out(sender, recipient);
        refused(text, 21610);
        refused(with(with(text, "From", ""), "MessagingServiceSid", service), 21610);
    }
    SUBCASE("a daily limit that is used up") {
        twilio.fake->set_daily_limit(account, 0);
        refused(text, 63038, 429);
    }
}

TEST_CASE("FakeTwilio counts the characters of a body, not its bytes") {
    const Twilio twilio;
    std::string body;
    for (int i = 0; i < 1600; ++i) body += "\u00e9";
    CHECK(twilio.create(with(text_form(), "Body", body)).status == 201);
}

TEST_CASE("FakeTwilio reaches a WhatsApp user id") {
    const Twilio twilio;
    CHECK(twilio.create(with(text_form(), "To", "whatsapp:GB.4f1a")).status == 201);
}

TEST_CASE("FakeTwilio lets through what a limit allows") {
    const Twilio twilio;
    SUBCASE("a verified number on a trial account") {
        twilio.fake->set_trial(account, {recipient});
        CHECK(twilio.create(text_form()).status == 201);
        twilio.fake->set_trial(account, {});
        CHECK(twilio.create(text_form()).status == 400);
        twilio.fake->end_trial(account);
        CHECK(twilio.create(text_form()).status == 201);
    }
    SUBCASE("a recipient who came back") {
        twilio.fake->opt_out(sender, recipient);
        twilio.fake->opt_in(sender, recipient);
        CHECK(twilio.create(text_form()).status == 201);
    }
    SUBCASE("a new day, and refused messages that do not count") {
        twilio.fake->set_daily_limit(account, 1);
        CHECK(twilio.create(with(text_form(), "Body", "")).status == 400);
        CHECK(twilio.create(text_form()).status == 201);
        CHECK(twilio.create(text_form()).status == 429);
        twilio.clock().advance(24h);
        CHECK(twilio.create(text_form()).status == 201);
    }
    SUBCASE("the ends of the schedule") {
        auto form =
            with(with(text_form(), "ScheduleType", "fixed"), "MessagingServiceSid", service);
        CHECK(twilio.create(with(form, "SendAt", "2026-01-01T00:05:00Z")).status == 201);
        CHECK(twilio.create(with(form, "SendAt", "2026-02-05T00:00:00Z")).status == 201);
    }
}

// ---- Authentication.

TEST_CASE("FakeTwilio refuses credentials that do not open the account") {
    const Twilio twilio;
    auto request = twilio.request(HttpMethod::get, messages_path);
    const auto refused = [&](const Secret& authorization) {
        request.authorization = authorization;
        const auto response = twilio.fake->handle(request);
        check_refused(response, 401, 20003);
        CHECK_FALSE(response.header("WWW-Authenticate").empty());
    };
    const std::string other = "AC0000000000000000000000000000000f";
    SUBCASE("none") {
        refused(Secret{});
    }
    SUBCASE("a wrong token") {
        refused(Credentials::auth_token(account, "wrong").authorization());
    }
    SUBCASE("an unknown account") {
        refused(Credentials::auth_token(other, FakeTwilio::demo_auth_token).authorization());
    }
    SUBCASE("another account's") {
        twilio.fake->add_account(other, "token");
        refused(Credentials::auth_token(other, "token").authorization());
    }
    SUBCASE("an account that does not exist in the path") {
        request.url = "/2010-04-01/Accounts/" + other + "/Messages.json";
        refused(twilio.fake->credentials().authorization());
    }
    SUBCASE("nonsense") {
        for (const auto* text :
             {"Basic", "Basic ", "Basic !!!!", "Basic YWJj", "Bearer abc", "x"}) {
            refused(Secret{text});
        }
    }
}

TEST_CASE("FakeTwilio opens an account to its API key") {
    const Twilio twilio;
    const std::string key = "SK00000000000000000000000000000001";
    twilio.fake->add_api_key(account, key, "secret");
    auto request = twilio.request(HttpMethod::get, messages_path);
    request.authorization = Credentials::api_key(account, key, "secret").authorization();
    CHECK(twilio.fake->handle(request).status == 200);
    request.authorization = Credentials::api_key(account, key, "other").authorization();
    check_refused(twilio.fake->handle(request), 401, 20003);
}

TEST_CASE("FakeTwilio takes credentials from an Authorization header too") {
    const Twilio twilio;
    auto request = twilio.request(HttpMethod::get, messages_path);
    request.headers.emplace_back("authorization", std::string{request.authorization.reveal()});
    request.authorization = Secret{};
    CHECK(twilio.fake->handle(request).status == 200);
}

// ---- Fetch, update, delete, feedback.

TEST_CASE("FakeTwilio fetches a message as it is now") {
    const Twilio twilio;
    const auto sid = twilio.created_sid(text_form());
    twilio.clock().advance(5s);
    twilio.fake->set_status(sid, "delivered");
    const auto response = twilio.get(message_path(sid));
    CHECK(response.status == 200);
    const auto message = json::parse(response.body);
    CHECK(message["status"] == "delivered");
    CHECK(message["date_sent"] == "Thu, 01 Jan 2026 00:00:05 +0000");
    CHECK(message["price"].is_string());
    CHECK(message["error_code"].is_null());
}

TEST_CASE("FakeTwilio reports the error code of a failed message") {
    const Twilio twilio;
    const auto sid = twilio.created_sid(text_form());
    twilio.fake->set_status(sid, "failed", 63016);
    const auto message = json::parse(twilio.get(message_path(sid)).body);
    CHECK(message["error_code"] == 63016);
    CHECK(message["error_message"].is_string());
    CHECK(message["date_sent"].is_null());
}

TEST_CASE("FakeTwilio knows no message that is not the account's") {
    const Twilio twilio;
    const std::string unknown = "SM0000000000000000000000000000000f";
    for (const auto& sid : {unknown, std::string{"nonsense"}, std::string{"%00"}}) {
        check_refused(twilio.get(message_path(sid)), 404, 20404);
        check_refused(twilio.post(message_path(sid), {{"Body", ""}}), 404, 20404);
        check_refused(twilio.remove(message_path(sid)), 404, 20404);
        check_refused(twilio.post(message_path(sid, "/Feedback"), {}), 404, 20404);
        check_refused(twilio.get(message_path(sid, "/Media")), 404, 20404);
    }
    const auto sid = twilio.created_sid(text_form());
    const std::string other = "AC0000000000000000000000000000000f";
    twilio.fake->add_account(other, "token");
    HttpRequest request;
    request.url = "/2010-04-01/Accounts/" + other + "/Messages/" + sid + ".json";
    request.authorization = Credentials::auth_token(other, "token").authorization();
    check_refused(twilio.fake->handle(request), 404, 20404);
}

TEST_CASE("FakeTwilio cancels a scheduled message only") {
    const Twilio twilio;
    auto form = with(with(text_form(), "ScheduleType", "fixed"), "MessagingServiceSid", service);
    const auto sid = twilio.created_sid(with(form, "SendAt", "2026-01-02T00:00:00Z"));
    const auto canceled = twilio.post(message_path(sid), {{"Status", "canceled"}});
    CHECK(canceled.status == 200);
    CHECK(json::parse(canceled.body)["status"] == "canceled");
    CHECK(twilio.post(message_path(sid), {{"Status", "canceled"}}).status == 200);

    const auto queued = twilio.created_sid(text_form());
    check_refused(twilio.post(message_path(queued), {{"Status", "canceled"}}), 400, 30409);
    check_refused(twilio.post(message_path(queued), {{"Status", "sent"}}), 400, 20422);
}

TEST_CASE("FakeTwilio empties a body, and changes nothing else about it") {
    const Twilio twilio;
    const auto sid = twilio.created_sid(text_form());
    check_refused(twilio.post(message_path(sid), {{"Body", "other"}}), 400, 20422);
    check_refused(twilio.post(message_path(sid), {}), 400, 20422);
    CHECK(twilio.fake->message(sid)->body == "Hello");
    const auto redacted = twilio.post(message_path(sid), {{"Body", ""}});
    CHECK(redacted.status == 200);
    CHECK(json::parse(redacted.body)["body"] == "");
    CHECK(twilio.fake->message(sid)->status == MessageStatus::queued);
}

TEST_CASE("FakeTwilio deletes a message once") {
    const Twilio twilio;
    const auto sid = twilio.created_sid(text_form());
    const auto deleted = twilio.remove(message_path(sid));
    CHECK(deleted.status == 204);
    CHECK(deleted.body.empty());
    CHECK(deleted.header("Content-Type").empty());
    check_refused(twilio.remove(message_path(sid)), 404, 20404);
    CHECK(twilio.listed()["messages"].empty());
}

TEST_CASE("FakeTwilio takes feedback") {
    const Twilio twilio;
    const auto sid = twilio.created_sid(text_form());
    const auto response = twilio.post(message_path(sid, "/Feedback"), {{"Outcome", "unconfirmed"}});
    CHECK(response.status == 200);
    const json expected = {
        {"account_sid", account},
        {"message_sid", sid},
        {"outcome", "unconfirmed"},
        {"date_created", "Thu, 01 Jan 2026 00:00:00 +0000"},
        {"date_updated", "Thu, 01 Jan 2026 00:00:00 +0000"},
        {"uri", message_path(sid, "/Feedback")},
    };
    CHECK(json::parse(response.body) == expected);
    check_refused(twilio.post(message_path(sid, "/Feedback"), {{"Outcome", "x"}}), 400, 20422);
}

// ---- Media.

TEST_CASE("FakeTwilio lists, fetches and deletes the media of a message") {
    const Twilio twilio;
    const auto sid =
        twilio.created_sid(with(text_form(), "MediaUrl", "https://example.org/a.JPG?size=2"));
    const auto page = json::parse(twilio.get(message_path(sid, "/Media")).body);
    REQUIRE(page["media_list"].size() == 1);
    const auto medium = page["media_list"][0];
    const std::string media_sid = medium["sid"];
    const auto path = message_path(sid, "/Media/" + media_sid);
    const json expected = {
        {"account_sid", account},
        {"content_type", "image/jpeg"},
        {"date_created", "Thu, 01 Jan 2026 00:00:00 +0000"},
        {"date_updated", "Thu, 01 Jan 2026 00:00:00 +0000"},
        {"parent_sid", sid},
        {"sid", media_sid},
        {"uri", path},
    };
    CHECK(medium == expected);
    CHECK(page["next_page_uri"].is_null());
    CHECK(json::parse(twilio.get(path).body) == expected);

    CHECK(twilio.remove(path).status == 204);
    check_refused(twilio.remove(path), 404, 20404);
    check_refused(twilio.get(path), 404, 20404);
    CHECK(json::parse(twilio.get(message_path(sid, "/Media")).body)["media_list"].empty());
}

TEST_CASE("FakeTwilio pages through media") {
    const Twilio twilio;
    twilio.fake->add_sender(account, "+15005550006");
    Form form{{"To", "+447700900123"}, {"From", "+15005550006"}};
    for (int i = 0; i < 3; ++i) form.emplace_back("MediaUrl", "https://example.org/a.png");
    const auto sid = twilio.created_sid(form);
    std::set<std::string> seen;
    json uri = message_path(sid, "/Media") + "?PageSize=2";
    while (uri.is_string()) {
        const auto page = json::parse(twilio.get(uri).body);
        for (const auto& medium : page["media_list"]) seen.insert(medium["sid"]);
        uri = page["next_page_uri"];
    }
    CHECK(seen.size() == 3);
}

// ---- Lists.

TEST_CASE("FakeTwilio frames a page as the API does") {
    const Twilio twilio;
    std::vector<std::string> sids;
    for (int i = 0; i < 3; ++i) sids.push_back(twilio.created_sid(text_form()));
    const auto query = "To=whatsapp%3A%2B447700900123&PageSize=2&Page=";

    const auto first = twilio.listed("?PageSize=2&To=whatsapp%3A%2B447700900123");
    CHECK(sids_of(first) == std::vector{sids[2], sids[1]});
    CHECK(first["uri"] == messages_path + "?" + query + "0");
    CHECK(first["first_page_uri"] == messages_path + "?" + query + "0");
    CHECK(first["next_page_uri"] == messages_path + "?" + query + "1&PageToken=PA" + sids[1]);
    CHECK(first["previous_page_uri"].is_null());
    CHECK(first["page"] == 0);
    CHECK(first["page_size"] == 2);
    CHECK(first["start"] == 0);
    CHECK(first["end"] == 1);

    const auto second = json::parse(twilio.get(first["next_page_uri"]).body);
    CHECK(sids_of(second) == std::vector{sids[0]});
    CHECK(second["uri"] == first["next_page_uri"]);
    CHECK(second["next_page_uri"].is_null());
    CHECK(second["page"] == 1);
    CHECK(second["start"] == 2);
    CHECK(second["end"] == 2);

    const auto back = json::parse(twilio.get(second["previous_page_uri"]).body);
    CHECK(sids_of(back) == sids_of(first));
    CHECK(back["page"] == 0);
    CHECK(back["previous_page_uri"].is_null());
}

TEST_CASE("FakeTwilio lists nothing as an empty page") {
    const Twilio twilio;
    const auto page = twilio.listed();
    CHECK(page["messages"] == json::array());
    CHECK(page["next_page_uri"].is_null());
    CHECK(page["previous_page_uri"].is_null());
    CHECK(page["page_size"] == 50);
    CHECK(page["start"] == 0);
    CHECK(page["end"] == 0);
}

TEST_CASE("FakeTwilio ends a list without an empty page") {
    const Twilio twilio;
    for (int i = 0; i < 4; ++i) twilio.create(text_form());
    const auto first = twilio.listed("?PageSize=2");
    const auto second = json::parse(twilio.get(first["next_page_uri"]).body);
    CHECK(second["messages"].size() == 2);
    CHECK(second["next_page_uri"].is_null());
}

TEST_CASE("FakeTwilio pages neither lose nor repeat a message while others come and go") {
    const Twilio twilio;
    std::set<std::string> expected;
    for (int i = 0; i < 120; ++i) expected.insert(twilio.created_sid(text_form()));

    std::vector<std::string> seen;
    int pages = 0;
    json uri = messages_path + "?PageSize=50";
    while (uri.is_string()) {
        const auto page = json::parse(twilio.get(uri).body);
        const auto sids = sids_of(page);
        seen.insert(seen.end(), sids.begin(), sids.end());
        uri = page["next_page_uri"];
        ++pages;
        for (int i = 0; i < 30; ++i) twilio.create(text_form());
        // The next page hangs on the last message of this one.
        twilio.remove(message_path(sids.back()));
    }
    CHECK(pages == 3);
    CHECK(seen.size() == 120);
    CHECK(std::set<std::string>(seen.begin(), seen.end()) == expected);
}

TEST_CASE("FakeTwilio filters a list by address and day") {
    const Twilio twilio;
    twilio.fake->add_sender(account, "whatsapp:+14155550001");
    const auto first = twilio.created_sid(text_form());
    twilio.fake->set_status(first, "sent");
    twilio.clock().advance(24h);
    const auto second = twilio.created_sid(with(text_form(), "To", "whatsapp:+447700900124"));
    twilio.clock().advance(24h);
    const auto third = twilio.created_sid(with(text_form(), "From", "whatsapp:+14155550001"));
    const auto list = [&](const std::string& query) { return sids_of(twilio.listed(query)); };
    using Sids = std::vector<std::string>;

    CHECK(list("") == Sids{third, second, first});
    CHECK(list("?To=whatsapp%3A%2B447700900124") == Sids{second});
    CHECK(list("?From=whatsapp%3A%2B14155550001") == Sids{third});
    CHECK(list("?From=whatsapp%3A%2B14155550001&To=whatsapp%3A%2B447700900124").empty());
    CHECK(list("?DateSent=2026-01-02") == Sids{second});
    CHECK(list("?DateSent%3C=2026-01-02") == Sids{second, first});
    CHECK(list("?DateSent%3E=2026-01-02") == Sids{third, second});
    CHECK(list("?DateSent>=2026-01-02&DateSent<=2026-01-02") == Sids{second});
    CHECK(list("?DateSent%3E=2026-01-02T00%3A00%3A01Z") == Sids{third});
    CHECK(list("?DateSent%3C=2026-01-02T00%3A00%3A00Z") == Sids{second, first});
}

TEST_CASE("FakeTwilio keeps a filter through the pages") {
    const Twilio twilio;
    for (int i = 0; i < 6; ++i) {
        twilio.create(with(text_form(), "To", i % 2 == 0 ? recipient : "whatsapp:+447700900124"));
    }
    const auto first = twilio.listed("?To=whatsapp%3A%2B447700900124&PageSize=2");
    const auto second = json::parse(twilio.get(first["next_page_uri"]).body);
    CHECK(second["messages"].size() == 1);
    CHECK(second["next_page_uri"].is_null());
}

TEST_CASE("FakeTwilio refuses a page that cannot be") {
    const Twilio twilio;
    check_refused(twilio.get(messages_path + "?PageSize=1001"), 400, 20007);
    for (const auto* query :
         {"?PageSize=0", "?PageSize=-1", "?PageSize=x", "?Page=-1", "?Page=99999999999999999999",
          "?PageToken=x", "?PageToken=PA", "?PageToken=PASM0000000000000000000000000000000f",
          "?DateSent=yesterday", "?DateSent%3E=2026-13-01"}) {
        CAPTURE(query);
        check_refused(twilio.get(messages_path + query), 400, 20422);
    }
}

// ---- Slowing down.

TEST_CASE("FakeTwilio refuses the next requests when told to, and says for how long") {
    const Twilio twilio;
    twilio.fake->throttle_next(account, 2, 3s);
    for (int i = 0; i < 2; ++i) {
        const auto response = twilio.create(text_form());
        check_refused(response, 429, 20429);
        CHECK(response.header("Retry-After") == "3");
    }
    CHECK(twilio.create(text_form()).status == 201);
    CHECK(twilio.fake->request_count() == 3);
    CHECK(twilio.fake->messages().size() == 1);
}

TEST_CASE("FakeTwilio refuses requests beyond those an account may have under way") {
    const Twilio twilio;
    twilio.fake->set_concurrency_limit(account, 2);
    std::vector<int> statuses;
    const auto start = [&] {
        twilio.fake->async_send(twilio.request(HttpMethod::get, messages_path), {},
                                [&](Result<HttpResponse> r) { statuses.push_back(r->status); });
    };
    start();
    start();
    start();
    twilio.fake->run_until_idle();
    CHECK(statuses == std::vector{200, 200, 429});
    start();
    twilio.fake->run_until_idle();
    CHECK(statuses.back() == 200);
    CHECK(twilio.get(messages_path).status == 200);
}

TEST_CASE("FakeTwilio forgets a request under way that was cancelled") {
    const Twilio twilio;
    twilio.fake->set_concurrency_limit(account, 1);
    CancelSource source;
    CallContext context;
    context.cancel = source.token();
    twilio.fake->async_send(
        twilio.request(HttpMethod::get, messages_path), context,
        [](Result<HttpResponse> r) { CHECK(r.error().kind() == ErrorKind::cancelled); });
    source.cancel();
    twilio.fake->run_until_idle();
    CHECK(twilio.get(messages_path).status == 200);
}

TEST_CASE("FakeTwilio counts a request as under way while its answer is kept") {
    Twilio twilio;
    twilio.fake->set_concurrency_limit(account, 1);
    {
        const auto kept = twilio.fake->answer(twilio.request(HttpMethod::get, messages_path));
        CHECK(kept.response.status == 200);
        CHECK(twilio.get(messages_path).status == 429);
    }
    CHECK(twilio.get(messages_path).status == 200);
}

TEST_CASE("FakeTwilio counts an asynchronous request as under way until it is completed") {
    Twilio twilio;
    twilio.fake->set_concurrency_limit(account, 1);
    std::vector<int> statuses;
    twilio.fake->next_fault(testing::Fault::slow);
    twilio.fake->async_send(twilio.request(HttpMethod::get, messages_path), {},
                            [&](Result<HttpResponse> r) {
                                statuses.push_back(r->status);
                                statuses.push_back(twilio.get(messages_path).status);
                            });
    twilio.fake->call_at(twilio.clock().monotonic_now() + 1s,
                         [&] { statuses.push_back(twilio.get(messages_path).status); });
    twilio.fake->run_until_idle();
    CHECK(statuses == std::vector{429, 200, 200});
}

// ---- Hostile requests.

TEST_CASE("FakeTwilio answers any request, however broken") {
    const Twilio twilio;
    const auto send = [&](HttpMethod method, const std::string& url, const std::string& body = {}) {
        auto request = twilio.request(method, "", body);
        request.url = url;
        return twilio.fake->handle(request);
    };
    SUBCASE("a URL that leads nowhere") {
        const std::string accounts = "/2010-04-01/Accounts/";
        const std::vector<std::string> urls{"",
                                            "https://api.twilio.com",
                                            "/",
                                            "//",
                                            "?",
                                            "#",
                                            "://",
                                            std::string("\0", 1),
                                            "\xff\xfe",
                                            accounts + "/Messages.json",
                                            accounts + account,
                                            messages_path + "/",
                                            messages_path + "/x",
                                            accounts + "%zz/Messages.json",
                                            accounts + account + "/Messages/.json",
                                            std::string(1'000'000, '/')};
        for (const auto& url : urls) {
            check_refused(send(HttpMethod::get, url), 404, 20404);
        }
    }
    SUBCASE("a form that is not percent-encoded UTF-8") {
        for (const auto* body : {"To=%", "To=%zz", "To=%ff", "Body=\xff", "%c3%28=1"}) {
            CAPTURE(body);
            check_refused(send(HttpMethod::post, messages_path, body), 400, 20001);
        }
        check_refused(send(HttpMethod::get, messages_path + "?To=%ff"), 400, 20001);
    }
    SUBCASE("a form of nothing but separators") {
        check_refused(send(HttpMethod::post, messages_path, "&&=&=&&"), 400, 21604);
    }
    SUBCASE("a huge value") {
        check_refused(send(HttpMethod::post, messages_path, "To=" + std::string(5'000'000, '9')),
                      400, 21211);
    }
    SUBCASE("a NUL in an address") {
        check_refused(send(HttpMethod::post, messages_path, "To=%2B4477%0000900123&From=a&Body=a"),
                      400, 21211);
    }
    SUBCASE("a plus sign that was not encoded") {
        check_refused(send(HttpMethod::post, messages_path, "To=whatsapp:+447700900123"), 400,
                      21211);
    }
}

TEST_CASE("FakeTwilio finds no parameters in a body that is not a form") {
    const Twilio twilio;
    auto request = twilio.request(HttpMethod::post, messages_path, R"({"To":"x"})");
    request.headers.emplace_back("Content-Type", "application/json");
    check_refused(twilio.fake->handle(request), 400, 21604);
}

TEST_CASE("FakeTwilio refuses a method that the resource does not have") {
    const Twilio twilio;
    const auto sid = twilio.created_sid(text_form());
    check_refused(twilio.remove(messages_path), 405, 20004);
    check_refused(twilio.get(message_path(sid, "/Feedback")), 405, 20004);
    check_refused(twilio.post(message_path(sid, "/Media"), {}), 405, 20004);
    const auto put = twilio.fake->handle(twilio.request(HttpMethod::put, message_path(sid)));
    check_refused(put, 405, 20004);
    CHECK(put.header("Allow") == "GET, POST, DELETE");
}

TEST_CASE("FakeTwilio is set up with what can be, or says what cannot") {
    FakeTwilio fake;
    CHECK_THROWS_AS((void)fake.credentials(), InvalidRequestError);
    CHECK_THROWS_AS(fake.add_account("AC1", "token"), InvalidRequestError);
    CHECK_THROWS_AS(fake.add_account(account, ""), InvalidRequestError);
    CHECK_THROWS_AS(fake.add_sender(account, sender), InvalidRequestError);
    fake.add_account(account, "token");
    CHECK_THROWS_AS(fake.add_sender(account, ""), InvalidRequestError);
    CHECK_THROWS_AS(fake.add_api_key(account, "SK1", "secret"), InvalidRequestError);
    CHECK_THROWS_AS(fake.add_messaging_service(account, "MG1"), InvalidRequestError);
    CHECK_THROWS_AS(fake.add_content(account, {.sid = "HX1", .body = "Hi"}), InvalidRequestError);
    CHECK_THROWS_AS(fake.set_status("SM1", "sent"), InvalidRequestError);
    CHECK(fake.messages().empty());
    CHECK_FALSE(fake.message("SM1"));
    CHECK(fake.parameters("SM1").empty());
}

// ---- The transport.

TEST_CASE("FakeTwilio makes the same identifiers from the same seed") {
    const auto run = [](std::uint64_t seed) {
        FakeTwilioOptions options;
        options.seed = seed;
        const Twilio twilio{FakeTwilio::with_account(options)};
        const auto response = twilio.create(text_form());
        return response.body + std::string{response.header("Twilio-Request-Id")};
    };
    CHECK(run(1) == run(1));
    CHECK(run(1) != run(2));
}

TEST_CASE("FakeTwilio gives every message its own SID") {
    const Twilio twilio;
    std::set<std::string> sids;
    for (int i = 0; i < 1'000; ++i) sids.insert(twilio.created_sid(text_form()));
    CHECK(sids.size() == 1'000);
}

TEST_CASE("FakeTwilio answers asynchronous requests in run_until_idle, in order") {
    const Twilio twilio;
    std::vector<std::string> order;
    const auto note = [&](std::string text) {
        return [&order, text = std::move(text)](Result<HttpResponse> r) {
            order.push_back(text + " " + std::to_string(r.value().status));
        };
    };
    const auto start = twilio.clock().monotonic_now();
    twilio.fake->call_at(start + 2s, [&] { order.push_back("later"); });
    twilio.fake->call_at(start + 1s, [&] {
        order.push_back("sooner");
        CHECK(twilio.clock().monotonic_now() == start + 1s);
        twilio.fake->async_send(twilio.request(HttpMethod::get, messages_path), {}, note("inner"));
    });
    twilio.fake->async_send(twilio.request(HttpMethod::get, messages_path), {}, note("first"));
    twilio.fake->async_send(twilio.request(HttpMethod::get, "/nowhere"), {}, note("second"));
    twilio.fake->call_at(start - 1s, [&] { order.push_back("overdue"); });
    CHECK(order.empty());
    CHECK(twilio.fake->run_until_idle() == 6);
    CHECK(order == std::vector<std::string>{"first 200", "second 404", "overdue", "sooner",
                                            "inner 200", "later"});
    CHECK(twilio.clock().monotonic_now() == start + 2s);
    CHECK(twilio.fake->run_until_idle() == 0);
}

TEST_CASE("FakeTwilio obeys the conditions of a call") {
    const Twilio twilio;
    const auto request = twilio.request(HttpMethod::get, messages_path);
    CallContext context;
    SUBCASE("cancelled") {
        CancelSource source;
        context.cancel = source.token();
        source.cancel();
        CHECK(twilio.fake->send(request, context).error().kind() == ErrorKind::cancelled);
        CHECK(twilio.fake->request_count() == 0);
    }
    SUBCASE("out of time") {
        context.deadline = twilio.clock().monotonic_now();
        const auto answer = twilio.fake->send(request, context);
        CHECK(answer.error().kind() == ErrorKind::timeout);
        CHECK(answer.error().effect() == Effect::none);
    }
    SUBCASE("a cap on the answer") {
        context.max_response_bytes = 10;
        CHECK(twilio.fake->send(request, context).error().stage() == Stage::receive);
    }
    SUBCASE("a body sink") {
        std::string body;
        context.body_sink = [&](std::string_view part) {
            body += part;
            return true;
        };
        CHECK(twilio.fake->send(request, context)->body.empty());
        CHECK(json::parse(body)["messages"].empty());
    }
}

TEST_CASE("FakeTwilio winds up what is pending when it is destroyed") {
    int cancelled = 0;
    int timers = 0;
    {
        Twilio twilio;
        twilio.fake->async_send(twilio.request(HttpMethod::get, messages_path), {},
                                [&](Result<HttpResponse> r) {
                                    CHECK(r.error().kind() == ErrorKind::cancelled);
                                    ++cancelled;
                                });
        twilio.fake->call_at(MonotonicTime::max(), [&] { ++timers; });
    }
    CHECK(cancelled == 1);
    CHECK(timers == 1);
}

TEST_CASE("FakeTwilio serves many threads at once") {
    const Twilio twilio;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i) {
                twilio.create(text_form());
                twilio.get(messages_path + "?PageSize=1");
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(twilio.fake->messages().size() == 400);
}

// ---- With a client.

TEST_CASE("FakeTwilio plugs into a client") {
    const Twilio twilio;
    const MessagesClient client{twilio.fake->credentials(), twilio.fake->client_options()};
    const auto message = client.send_template(
        {.to = "+447700900123", .content_sid = content, .variables = {{"1", "Lee"}}});
    CHECK(message.body == "Hi Lee, your order 0000 is on its way");
    CHECK(message.from == sender);
    CHECK(client.fetch(message.sid).sid == message.sid);
    for (int i = 0; i < 3; ++i) client.send_text({.to = "+447700900123", .body = "Hello"});
    int listed = 0;
    MessageFilter filter;
    filter.page_size = 2;
    for (const Message& m : client.list(filter)) {
        CHECK(m.to == recipient);
        ++listed;
    }
    CHECK(listed == 4);
    CHECK_THROWS_AS(client.send_text({.to = "+447700900123", .body = "x", .from = "+14155550000"}),
                    ApiError);
    client.remove(message.sid);
    CHECK_THROWS_AS((void)client.fetch(message.sid), NotFoundError);
}

TEST_CASE("FakeTwilio on the stack plugs into a client too") {
    FakeTwilio fake;
    fake.add_demo_account();
    const MessagesClient client{fake.credentials(), fake.client_options()};
    bool done = false;
    client.async_send_text({.to = "+447700900123", .body = "Hello"}, [&](Result<Message> result) {
        CHECK(result.value().status == MessageStatus::queued);
        done = true;
    });
    CHECK_FALSE(done);
    fake.run_until_idle();
    CHECK(done);
}
