#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

namespace call_driver_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

namespace {

const MessageSid sid{"SM" + std::string(32, 'a')};

/// Cancels as soon as a retry is announced.
struct Canceller final : Observer {
    CancelSource source;
    void on_retry(const RetryEvent&) noexcept override { source.cancel(); }
};

/// A client whose first attempts fail and would be repeated after seven seconds.
struct Desk {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<Canceller> canceller = std::make_shared<Canceller>();

    Desk() {
        for (int i = 0; i < 2; ++i) {
            transport->respond(429, R"({"code":20429,"message":"m"})", {{"Retry-After", "7"}});
        }
    }
    MessagesClient client() const {
        ClientOptions options;
        options.transport = transport;
        options.clock = clock;
        options.observer = canceller;
        return MessagesClient(Credentials::auth_token("AC" + std::string(32, '0'), "t"), options);
    }
};

}  // namespace

TEST_CASE("a blocking call that is cancelled in its back-off hands nothing more to the transport") {
    Desk desk;
    const auto result = desk.client().try_fetch(sid, {.cancel = desk.canceller->source.token()});
    REQUIRE_FALSE(result);
    CHECK(result.error().kind() == ErrorKind::cancelled);
    CHECK(result.error().attempts() == 1);
    CHECK(desk.transport->request_count() == 1);
}

TEST_CASE("an asynchronous call that is cancelled from on_retry ends at once") {
    Desk desk;
    const auto began = desk.clock->monotonic_now();
    std::optional<Result<Message>> result;
    const auto client = desk.client();
    client.async_fetch(sid, [&](Result<Message> r) { result.emplace(std::move(r)); },
                       {.cancel = desk.canceller->source.token()});
    desk.transport->run_until_idle(desk.clock.get());
    REQUIRE(result);
    CHECK(result->error().kind() == ErrorKind::cancelled);
    CHECK(desk.clock->monotonic_now() == began);
    CHECK(desk.transport->request_count() == 1);
}

}  // namespace call_driver_test
