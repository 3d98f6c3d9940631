#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/fake_twilio.hpp>

#include "wire.hpp"

namespace fake_twilio_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using namespace fake_test;
using nlohmann::json;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::FakeTwilioOptions;

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

}  // namespace fake_twilio_test
