#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>

#include "fixture.hpp"

namespace snapshot_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using fake_test::Conversation;
using fake_test::field;
using fake_test::last_of;
using twiliowa::testing::FakeTwilio;

TEST_CASE("FakeTwilio continues a conversation after a restart") {
    std::string state;
    std::string sid;
    std::string file;
    {
        Conversation before;
        before.fake->set_status_callback(FakeTwilio::demo_account_sid,
                                         "https://example.com/status");
        testing::FakeContent content;
        content.types = R"({"twilio/quick-reply":{"body":"Well?","actions":[
            {"type":"QUICK_REPLY","title":"Yes","id":"yes"}]}})";
        const auto template_sid =
            before.fake->add_content(FakeTwilio::demo_account_sid, std::move(content));
        before.lee()
            .named("Lee")
            .has_user_id("US.4f1a", "US.ENT.1")
            .sends_media("\xff\x01", "image/png");
        before.fake->customer("+447700900999").stops();
        before.fake->advance(1h);
        file = before.requests.at(0).body;
        sid = before.client.send_template({.to = "+447700900123", .content_sid = template_sid})
                  .sid.str();
        before.fake->advance(150ms);
        CHECK(before.fake->message(sid).value().status == MessageStatus::sent);
        state = before.fake->save();
        CHECK(before.fake->save() == state);
    }
    Conversation after;
    after.fake->load(state);
    CHECK(after.fake->save() == state);
    CHECK(after.fake->message(sid).value().status == MessageStatus::sent);
    after.fake->run_until_idle();
    CHECK(after.fake->message(sid).value().status == MessageStatus::delivered);
    CHECK(after.statuses == std::vector<std::string>{"delivered"});
    after.lee().taps("Yes");
    after.fake->run_until_idle();
    CHECK(field(last_of(after.inbound), "ButtonPayload") == "yes");
    CHECK(field(last_of(after.inbound), "ProfileName") == "Lee");
    CHECK(field(last_of(after.inbound), "ExternalUserId") == "whatsapp:US.4f1a");
    CHECK(field(last_of(after.inbound), "ParentExternalUserId") == "whatsapp:US.ENT.1");
    CHECK(after.lee().window_is_open());
    CHECK(after.client.try_send_text({.to = "+447700900999", .body = "Hi"}).error().code() ==
          21610);
    HttpRequest request;
    request.url = field(twiliowa::detail::parse_form(file), "MediaUrl0");
    request.authorization = after.fake->credentials().authorization();
    CHECK(after.fake->handle(request).body == "\xff\x01");
}

TEST_CASE("FakeTwilio goes on with the identifiers where it was") {
    Conversation one;
    one.send_template();
    Conversation two{[] {
        testing::FakeTwilioOptions options;
        options.seed = 99;
        return options;
    }()};
    two.fake->load(one.fake->save());
    CHECK(one.send_template().sid == two.send_template().sid);
    CHECK(one.fake->clock()->now() == two.fake->clock()->now());
}

TEST_CASE("FakeTwilio loads a webhook that was on its way") {
    Conversation before;
    before.lee().sends_text("Hello");
    const auto state = before.fake->save();
    Conversation after;
    after.fake->load(state);
    after.fake->run_until_idle();
    CHECK(after.inbound.size() == 1);
}

TEST_CASE("FakeTwilio refuses to load what it did not save, and stays as it was") {
    Conversation talk;
    talk.send_template();
    const auto state = talk.fake->save();
    auto cut = state;
    cut.resize(cut.size() / 2);
    for (const auto& bad : {std::string{}, std::string{"{}"}, std::string{"[]"},
                            std::string{R"({"version":3})"}, cut, state + "x"}) {
        CHECK_THROWS_AS(talk.fake->load(bad), InvalidRequestError);
        CHECK(talk.fake->save() == state);
    }
}

TEST_CASE("FakeTwilio has the same conversation again for the same seed") {
    const auto run = [] {
        Conversation talk;
        talk.lee().sends_text("Hello");
        for (int i = 0; i < 5; ++i) talk.send_template();
        talk.lee().reads();
        talk.fake->run_until_idle();
        std::string all = talk.fake->save();
        for (const auto& request : talk.requests) {
            for (const auto& [name, value] : request.headers) all += name + value;
            all += request.body;
        }
        return all;
    };
    CHECK(run() == run());
}

}  // namespace snapshot_test
