#include <twiliowa/testing/scripted_transport.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

namespace scripted_transport_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

TEST_CASE("ScriptedTransport answers in order and keeps the requests") {
    ScriptedTransport transport;
    transport.respond(200, "one", {{"X-A", "1"}}).respond(201, "two");
    HttpRequest request;
    request.url = "https://example.org/a";
    const auto first = transport.send(request, {});
    REQUIRE(first);
    CHECK(first->status == 200);
    CHECK(first->body == "one");
    CHECK(first->header("x-a") == "1");
    CHECK(transport.remaining() == 1);
    request.url = "https://example.org/b";
    CHECK(transport.send(request, {}).value().status == 201);
    REQUIRE(transport.request_count() == 2);
    CHECK(transport.requests()[0].url == "https://example.org/a");
    CHECK(transport.requests()[1].url == "https://example.org/b");
}

TEST_CASE("ScriptedTransport fails a request beyond the script, effect none") {
    ScriptedTransport transport;
    const auto answer = transport.send({}, {});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind() == ErrorKind::transport);
    CHECK(answer.error().effect() == Effect::none);
}

TEST_CASE("ScriptedTransport returns the scripted failure") {
    ScriptedTransport transport;
    transport.fail(Error::transport(Effect::unknown, Stage::receive, "connection reset"));
    const auto answer = transport.send({}, {});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().effect() == Effect::unknown);
    CHECK(answer.error().stage() == Stage::receive);
}

TEST_CASE("ScriptedTransport hands the answer to the body sink and obeys the size cap") {
    ScriptedTransport transport;
    transport.respond(200, "12345").respond(200, "12345").respond(200, "12345");
    std::string received;
    CallContext context;
    context.body_sink = [&](std::string_view part) {
        received += part;
        return true;
    };
    CHECK(transport.send({}, context).value().body.empty());
    CHECK(received == "12345");

    context.body_sink = [](std::string_view) { return false; };
    CHECK_FALSE(transport.send({}, context));

    context = {};
    context.max_response_bytes = 4;
    const auto too_large = transport.send({}, context);
    REQUIRE_FALSE(too_large);
    CHECK(too_large.error().stage() == Stage::receive);
}

TEST_CASE("ScriptedTransport completes an asynchronous call in run_until_idle only") {
    ScriptedTransport transport;
    transport.respond(200);
    int status = 0;
    transport.async_send({}, {}, [&](Result<HttpResponse> r) { status = r.value().status; });
    CHECK(status == 0);
    CHECK(transport.run_until_idle() == 1);
    CHECK(status == 200);
    CHECK(transport.run_until_idle() == 0);
}

TEST_CASE("ScriptedTransport runs timers in order of their times and moves the given clock") {
    ScriptedTransport transport;
    ManualClock clock;
    const auto start = clock.monotonic_now();
    std::vector<std::string> order;
    transport.call_at(start + 2s, [&] {
        order.push_back("later");
        CHECK(clock.monotonic_now() == start + 2s);
    });
    transport.call_at(start + 1s, [&] {
        order.push_back("sooner");
        CHECK(clock.monotonic_now() == start + 1s);
        transport.call_at(start + 1s, [&] { order.push_back("started by sooner"); });
    });
    CHECK(transport.run_until_idle(&clock) == 3);
    CHECK(order == std::vector<std::string>{"sooner", "started by sooner", "later"});
}

TEST_CASE("ScriptedTransport does not run the step of a cancelled call") {
    ScriptedTransport transport;
    bool ran = false;
    transport.then([&](const HttpRequest&, const CallContext&) {
        ran = true;
        return HttpResponse{};
    });
    CancelSource source;
    CallContext context;
    context.cancel = source.token();
    ErrorKind kind{};
    transport.async_send({}, context, [&](Result<HttpResponse> r) { kind = r.error().kind(); });
    source.cancel();
    transport.run_until_idle();
    CHECK(kind == ErrorKind::cancelled);
    CHECK_FALSE(ran);
}

TEST_CASE("ScriptedTransport completes what is pending when it is destroyed") {
    int cancelled = 0;
    int timers = 0;
    {
        ScriptedTransport transport;
        transport.respond(200);
        transport.async_send({}, {}, [&](Result<HttpResponse> r) {
            CHECK(r.error().kind() == ErrorKind::cancelled);
            CHECK(r.error().effect() == Effect::none);
            ++cancelled;
        });
        transport.call_at(MonotonicTime::max(), [&] { ++timers; });
    }
    CHECK(cancelled == 1);
    CHECK(timers == 1);
}

}  // namespace scripted_transport_test
