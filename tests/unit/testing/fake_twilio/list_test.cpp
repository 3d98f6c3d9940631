#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>

#include "wire.hpp"

namespace list_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using namespace fake_test;
using nlohmann::json;

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

}  // namespace list_test
