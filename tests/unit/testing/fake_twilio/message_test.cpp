#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>

#include "wire.hpp"

namespace message_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using namespace fake_test;
using nlohmann::json;

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
    CHECK(twilio.fake->message(sid).value().body == "Hello");
    const auto redacted = twilio.post(message_path(sid), {{"Body", ""}});
    CHECK(redacted.status == 200);
    CHECK(json::parse(redacted.body)["body"] == "");
    CHECK(twilio.fake->message(sid).value().status == MessageStatus::queued);
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

}  // namespace message_test
