#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>

#include "wire.hpp"

namespace media_test {

using namespace twiliowa;
using namespace fake_test;
using nlohmann::json;

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

}  // namespace media_test
