#include <twiliowa/messages_client.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

namespace typing_indicator_test {

using namespace twiliowa;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

namespace {

const std::string account = "AC" + std::string(32, '0');
const std::string sid_text = "SM" + std::string(32, 'a');
const MessageSid received{sid_text};
const std::string success = R"({"success":true})";

struct HostRecorder final : Observer {
    std::vector<std::string> hosts;
    void on_attempt(const AttemptEvent& e) noexcept override { hosts.emplace_back(e.call.host); }
};

struct Fixture {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<HostRecorder> recorder = std::make_shared<HostRecorder>();
    ClientOptions options = {};
    MessagesClient client() {
        options.transport = transport;
        options.clock = clock;
        options.observer = recorder;
        return MessagesClient(Credentials::auth_token(account, "token"), options);
    }
};

}  // namespace

TEST_CASE("a typing indicator goes to the messaging host as a form") {
    Fixture f;
    f.transport->respond(200, success);
    f.client().send_typing_indicator(received);
    const auto request = f.transport->requests().at(0);
    CHECK(request.method == HttpMethod::post);
    CHECK(request.url == "https://messaging.twilio.com/v2/Indicators/Typing.json");
    CHECK(request.body == "channel=whatsapp&messageId=" + sid_text);
    CHECK_FALSE(request.authorization.empty());
    CHECK(f.recorder->hosts == std::vector<std::string>{"messaging.twilio.com"});
}

TEST_CASE("a typing indicator goes to the edge and region, or the base URL, of the client") {
    Fixture f;
    f.transport->respond(200, success).respond(200, success);
    f.options.region = "ie1";
    f.client().send_typing_indicator(received);
    CHECK(f.transport->requests().at(0).url ==
          "https://messaging.dublin.ie1.twilio.com/v2/Indicators/Typing.json");
    f.options.base_url = "http://127.0.0.1:8080";
    f.client().send_typing_indicator(received);
    CHECK(f.transport->requests().at(1).url == "http://127.0.0.1:8080/v2/Indicators/Typing.json");
}

TEST_CASE("a typing indicator may be repeated after an ambiguous failure") {
    Fixture f;
    f.transport->respond(500).respond(200, success);
    CHECK(f.client().try_send_typing_indicator(received));
    CHECK(f.transport->request_count() == 2);
}

TEST_CASE("the failures of a typing indicator are typed and name its host") {
    Fixture f;
    f.transport->respond(401, R"({"code":20003,"message":"no"})");
    const auto refused = f.client().try_send_typing_indicator(received);
    CHECK(refused.error().kind() == ErrorKind::authentication);
    CHECK(refused.error().host() == "messaging.twilio.com");
    for (int i = 0; i < 4; ++i) f.transport->respond(200, R"({"success":false})");
    CHECK_THROWS_AS(f.client().send_typing_indicator(received), ResponseError);
    CHECK(f.client().try_send_typing_indicator(MessageSid{}).error().field() == "MessageSid");
    f.transport->respond(204);
    CHECK(f.client().try_send_typing_indicator(received));
}

TEST_CASE("a typing indicator can be sent in the background") {
    Fixture f;
    f.transport->respond(200, success);
    std::optional<Result<void>> result;
    const auto client = f.client();
    client.async_send_typing_indicator(received, [&](Result<void> r) { result.emplace(r); });
    CHECK_FALSE(result.has_value());
    f.transport->run_until_idle(f.clock.get());
    REQUIRE(result.has_value());
    CHECK(*result);
    CHECK(f.transport->requests().at(0).url ==
          "https://messaging.twilio.com/v2/Indicators/Typing.json");
}

}  // namespace typing_indicator_test
