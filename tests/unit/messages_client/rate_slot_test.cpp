#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace rate_slot_test {

using namespace twiliowa;
using namespace std::chrono_literals;

namespace {

const std::string service = "MG" + std::string(32, 'b');
const std::string created = R"({"sid":"SM)" + std::string(32, 'a') + R"(","status":"queued"})";

/// Every slot is a second away.
struct CountingLimiter final : RateLimiter {
    std::vector<std::string> reserved;
    std::vector<std::string> released;
    MonotonicTime reserve(std::string_view sender, MonotonicTime now) override {
        reserved.emplace_back(sender);
        return now + 1s;
    }
    void release(std::string_view sender) noexcept override { released.emplace_back(sender); }
};

struct Fixture {
    std::shared_ptr<twiliowa::testing::ScriptedTransport> transport =
        std::make_shared<twiliowa::testing::ScriptedTransport>();
    std::shared_ptr<twiliowa::testing::ManualClock> clock =
        std::make_shared<twiliowa::testing::ManualClock>();
    std::shared_ptr<CountingLimiter> limiter = std::make_shared<CountingLimiter>();
    ClientOptions options = make_options();
    ClientOptions make_options() const {
        ClientOptions o;
        o.from = "+14155238886";
        o.transport = transport;
        o.clock = clock;
        o.rate_limiter = limiter;
        o.random = [] { return 0.0; };
        return o;
    }
    MessagesClient client() const {
        return MessagesClient(Credentials::auth_token("AC" + std::string(32, '0'), "t"), options);
    }
};

const OutboundText text{.to = "+447700900123", .body = "Hi"};

}  // namespace

TEST_CASE("rate slot: a call whose slot is held goes past the limiter") {
    Fixture f;
    f.transport->respond(201, created).respond(201, created);
    const auto client = f.client();
    const auto before = f.clock->monotonic_now();
    CHECK(client.try_send_text(text, {.slot_held = true}).has_value());
    std::optional<Result<Message>> sent;
    client.async_send_text(text, [&](Result<Message> result) { sent.emplace(std::move(result)); },
                           {.slot_held = true});
    f.transport->run_until_idle();
    REQUIRE(sent);
    CHECK(sent->has_value());
    CHECK(f.clock->monotonic_now() == before);
    CHECK(f.limiter->reserved.empty());
}

TEST_CASE("rate slot: neither a repetition nor a failure of a call whose slot is held touches it") {
    Fixture f;
    f.transport->respond(429, R"({"code":20429,"message":"slow down","status":429})")
        .respond(201, created);
    CHECK(f.client().try_send_text(text, {.slot_held = true}).has_value());
    CancelSource stop;
    stop.cancel();
    CHECK_FALSE(f.client().try_send_text(text, {.cancel = stop.token(), .slot_held = true}));
    CHECK_FALSE(f.client().try_send_text(text, {.timeout = 0ms, .slot_held = true}));
    CHECK(f.transport->request_count() == 2);
    CHECK(f.limiter->reserved.empty());
    CHECK(f.limiter->released.empty());
}

TEST_CASE("rate slot: it is taken of the sender that the send would go by, and given back to it") {
    Fixture f;
    f.transport->respond(201, created).respond(201, created).respond(201, created);
    f.options.messaging_service_sid = service;
    const auto both = f.client();
    f.options.from.clear();
    const auto by_service = f.client();
    OutboundText other = text;
    other.from = "whatsapp:+15005550006";
    for (const auto& [client, message] :
         {std::pair{both, text}, std::pair{by_service, text}, std::pair{by_service, other}}) {
        CHECK(client.take_slot(message) == f.clock->monotonic_now() + 1s);
        client.give_slot_back(message);
        CHECK(client.try_send_text(message).has_value());
        REQUIRE(f.limiter->reserved.size() == 2);
        CHECK(f.limiter->reserved[0] == f.limiter->reserved[1]);
        CHECK(f.limiter->released.back() == f.limiter->reserved[1]);
        f.limiter->reserved.clear();
    }
    CHECK(f.limiter->released ==
          std::vector<std::string>{"whatsapp:+14155238886", service, "whatsapp:+15005550006"});
}

TEST_CASE("rate slot: a client without a limiter has none to wait for") {
    Fixture f;
    f.options.rate_limiter = nullptr;
    CHECK(f.client().take_slot(text) == std::nullopt);
    f.client().give_slot_back(text);
}

TEST_CASE("rate slot: of a sender that the send refuses none is taken, as by the send") {
    Fixture f;
    OutboundText wrong = text;
    wrong.from = "nobody";
    CHECK(f.client().take_slot(wrong) == std::nullopt);
    f.client().give_slot_back(wrong);
    wrong.from.clear();
    wrong.messaging_service_sid = "MG1";
    CHECK(f.client().take_slot(wrong) == std::nullopt);
    f.options.from.clear();
    CHECK(f.client().take_slot(text) == std::nullopt);  // no sender at all
    f.client().give_slot_back(text);
    CHECK_FALSE(f.client().try_send_text(text));
    CHECK(f.limiter->reserved.empty());
    CHECK(f.limiter->released.empty());
}

TEST_CASE("rate slot: a From that goes beside the checks has no limit, as in the send") {
    Fixture f;
    f.options.from.clear();
    f.transport->respond(201, created);
    OutboundMessage message = text;
    message.extra = {{"From", "whatsapp:+15005550006"}};
    CHECK(f.client().take_slot(message) == std::nullopt);
    f.client().give_slot_back(message);
    CHECK(f.client().try_send(message).has_value());
    CHECK(f.limiter->reserved.empty());
    CHECK(f.limiter->released.empty());
}

}  // namespace rate_slot_test
