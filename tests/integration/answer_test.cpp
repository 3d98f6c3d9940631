// What a server may answer.
#include <latch>
#include <thread>
#include <vector>

#include "fixture.hpp"
#include "support/show.hpp"

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/manual_clock.hpp>

namespace answer_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;

TEST_CASE("an answer comes back with status, headers and body; the request left as it was given") {
    for (const auto protocol : {Protocol::http1, Protocol::tls_http2}) {
        Wire wire(protocol);
        const auto result = wire.send("/headers");
        REQUIRE(result);
        CHECK(result->status == 201);
        CHECK(result->body == "{}");
        CHECK(result->header("TWILIO-REQUEST-ID") == "RQ1");
        CHECK(result->header("X-Empty").empty());
        CHECK(result->header("missing").empty());
        const auto request = wire.server.requests().at(0);
        CHECK(request.method == "POST");
        CHECK(request.body == "Body=x");
        CHECK(request.header("authorization") == "Basic canary");
        CHECK(request.header("content-type") == "application/x-www-form-urlencoded");
    }
}

TEST_CASE("GET, PUT and DELETE are what they say") {
    Wire wire;
    auto request = wire.post("/ok");
    for (const auto method : {HttpMethod::get, HttpMethod::delete_}) {
        request.method = method;
        request.body.clear();
        CHECK(wire.transport.send(request, Wire::within()));
    }
    request.method = HttpMethod::put;
    request.body = "x";
    CHECK(wire.transport.send(request, Wire::within()));
    CHECK(wire.send("/ok"));
    const auto got = wire.server.requests();
    REQUIRE(got.size() == 4);
    CHECK(got[0].method == "GET");
    CHECK(got[1].method == "DELETE");
    CHECK(got[1].body.empty());
    CHECK(got[2].method == "PUT");
    CHECK(got[2].body == "x");
    CHECK(got[3].method == "POST");
    CHECK(wire.server.connections() == 1);
}

TEST_CASE("a huge answer is cut off at the cap, wherever it goes") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        Wire wire;
        auto context = Wire::within(60s);
        context.max_response_bytes = 1u << 20;
        const auto send = [&](const std::string& path) {
            return asynchronous ? send_async(wire.transport, wire.post(path), context)
                                : wire.send(path, context);
        };
        const auto result = send("/huge");
        REQUIRE_FALSE(result);
        CHECK(result.error().what() == containing("larger than allowed"));
        CHECK(result.error().effect() == Effect::unknown);
        std::size_t taken = 0;
        context.body_sink = [&](std::string_view piece) {
            taken += piece.size();
            return true;
        };
        CHECK_FALSE(send("/huge"));
        CHECK(taken <= 1u << 20);
        context.body_sink = [](std::string_view) { return false; };
        CHECK(send("/ok").error().what() == containing("sink"));
        context.body_sink = [](std::string_view) -> bool { throw std::runtime_error("canary"); };
        CHECK_FALSE(send("/ok"));
    }
}

TEST_CASE("only the body of a 2xx answer goes to the sink") {
    for (const auto protocol : {Protocol::http1, Protocol::tls_http2}) {
        Wire wire(protocol);
        auto context = Wire::within();
        std::string sunk;
        context.body_sink = [&](std::string_view piece) {
            sunk += piece;
            return true;
        };
        CHECK(wire.send("/redirect", context)->body == "{}");
        CHECK(sunk.empty());
        CHECK(wire.send("/ok", context)->body.empty());
        CHECK(sunk == "{}");
    }
}

TEST_CASE("a header that looks like a status line is a header") {
    Wire wire;
    auto context = Wire::within();
    bool sunk = false;
    context.body_sink = [&](std::string_view) { return sunk = true; };
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        const auto answer = asynchronous
                                ? send_async(wire.transport, wire.post("/like_a_status"), context)
                                : wire.send("/like_a_status", context);
        REQUIRE(answer);
        CHECK(answer->status == 404);
        CHECK(answer->body == "{}");
        CHECK(answer->header("X-Before") == "1");
        CHECK(answer->header("HTTP/x") == "200");
        CHECK_FALSE(sunk);
    }
}

TEST_CASE("the headers of an interim answer are not those of the answer") {
    Wire wire;
    auto context = Wire::within();
    std::string sunk;
    context.body_sink = [&](std::string_view piece) {
        sunk += piece;
        return true;
    };
    const auto answer = wire.send("/interim", context);
    REQUIRE(answer);
    CHECK(answer->status == 201);
    CHECK(answer->header("Link").empty());
    CHECK(sunk == "{}");
}

TEST_CASE("a header that would be read as another one is refused, and nothing leaves") {
    const std::string_view hostile[] = {"a\r\nX-Forged: 1", "a\nX-Forged: 1", "a\rb",
                                        std::string_view{"a\0b", 3}, "a\x7f"};
    for (const auto protocol : {Protocol::http1, Protocol::tls_http2}) {
        Wire wire(protocol);
        const auto refused = [&](const HttpRequest& request, std::string_view field) {
            for (const auto& result : {wire.transport.send(request, Wire::within()),
                                       send_async(wire.transport, request, Wire::within())}) {
                REQUIRE_FALSE(result);
                CHECK(result.error().kind() == ErrorKind::invalid_request);
                CHECK(result.error().effect() == Effect::none);
                CHECK(result.error().field() == field);
                CHECK(result.error().what() != containing("Forged"));
            }
        };
        for (const auto text : hostile) {
            auto request = wire.post("/ok");
            request.headers.emplace_back("X-Value", text);
            refused(request, "headers");
            request = wire.post("/ok");
            request.headers.emplace_back(text, "1");
            refused(request, "headers");
            request = wire.post("/ok");
            request.authorization = Secret(std::string(text));
            refused(request, "authorization");
        }
        for (const auto* name : {"", "a b", "a:b", "a;", "\xc3\xa9"}) {
            auto request = wire.post("/ok");
            request.headers.emplace_back(name, "1");
            refused(request, "headers");
        }
        auto request = wire.post("/ok");
        request.headers.emplace_back("X-Value", "\xc3\xa9\ttab");
        CHECK(wire.transport.send(request, Wire::within()));
        CHECK(wire.server.requests().size() == 1);
    }
}

TEST_CASE("durations beyond their bounds are refused when the transport is made") {
    constexpr auto endless = std::chrono::milliseconds::max();
    const auto field = [](const CurlOptions& options) {
        try {
            CurlTransport transport(options);
        } catch (const InvalidRequestError& error) {
            return error.field();
        }
        return std::string{};
    };
    CHECK(field({.connect_timeout = endless}) == "connect_timeout");
    CHECK(field({.connect_timeout = 0ms}) == "connect_timeout");
    CHECK(field({.max_idle = endless}) == "max_idle");
    CHECK(field({.max_idle = -1ms}) == "max_idle");
    CHECK(field({.connect_timeout = std::chrono::hours{24 * 365}}).empty());
    CHECK(field({.max_idle = 0ms}).empty());
}

TEST_CASE("an answer that says how much too large it is ends at its headers") {
    Wire wire;
    auto context = Wire::within();
    context.max_response_bytes = 1;
    bool sunk = false;
    context.body_sink = [&](std::string_view) { return sunk = true; };
    const auto result = wire.send("/ok", context);
    REQUIRE_FALSE(result);
    CHECK(result.error().field() == "max_response_bytes");
    CHECK_FALSE(sunk);
}

TEST_CASE("a truncated answer and garbage are errors of unknown effect") {
    for (const auto* path : {"/truncate", "/garbage"}) {
        CAPTURE(path);
        Wire wire;
        const auto result = wire.send(path);
        REQUIRE_FALSE(result);
        CHECK(result.error().effect() == Effect::unknown);
        CHECK(result.error().stage() == Stage::receive);
    }
}

TEST_CASE("redirects are answers, and nothing is asked of the other place") {
    Wire wire;
    CHECK(wire.send("/redirect")->status == 302);
    CHECK(wire.bodies("/ok") == 0);
}

TEST_CASE("no Expect header, however large the body") {
    Wire wire;
    CHECK(wire.transport.send(wire.post("/ok", std::string(2u << 20, 'x')), Wire::within()));
    CHECK(wire.server.requests().at(0).header("expect").empty());
    CHECK(wire.server.requests().at(0).body.size() == 2u << 20);
}

TEST_CASE("connections are reused; one that saw an error is not") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        Wire wire;
        const auto send = [&](const std::string& path, std::chrono::milliseconds time = 10s) {
            return asynchronous ? send_async(wire.transport, wire.post(path), Wire::within(time))
                                : wire.send(path, Wire::within(time));
        };
        for (int i = 0; i < 5; ++i) CHECK(send("/ok"));
        CHECK(wire.server.connections() == 1);
        CHECK_FALSE(send("/hold", 300ms));
        CHECK(send("/ok"));
        CHECK(wire.server.connections() == 2);
    }
}

TEST_CASE("a connection that was idle for longer than max_idle is not used again") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        Wire wire;
        auto options = wire.options();
        options.max_idle = 0ms;
        CurlTransport transport(options);
        if (!asynchronous) {
            for (int i = 0; i < 3; ++i) CHECK(transport.send(wire.post("/ok"), Wire::within()));
            CHECK(wire.server.connections() == 3);
            continue;
        }
        CHECK(send_async(transport, wire.post("/ok"), Wire::within()));
        std::promise<void> aged;  // libcurl counts whole seconds
        transport.call_at(std::chrono::steady_clock::now() + 1100ms, [&] { aged.set_value(); });
        aged.get_future().wait();
        CHECK(send_async(transport, wire.post("/ok"), Wire::within()));
        CHECK(wire.server.connections() == 2);
    }
}

TEST_CASE("the connections of a burst age out while one call after the other uses the newest") {
    constexpr int burst = 8;
    std::latch all_here{burst};
    TestServer server({}, [&](const ReceivedRequest& request) {
        if (request.path == "/burst") all_here.arrive_and_wait();
        return Reply{};
    });
    CurlOptions options;
    options.proxy = "none";
    options.max_idle = 100ms;
    CurlTransport transport(options);
    HttpRequest request;
    request.url = server.url("127.0.0.1") + "/burst";
    std::vector<std::thread> threads;
    for (int i = 0; i < burst; ++i) {
        threads.emplace_back([&] { CHECK(transport.send(request, Wire::within())); });
    }
    for (auto& thread : threads) thread.join();
    CHECK(server.open_connections() == burst);
    request.url = server.url("127.0.0.1") + "/ok";
    const auto begin = std::chrono::steady_clock::now();
    while (server.open_connections() > 1 && elapsed_since(begin) < 10s) {
        REQUIRE(transport.send(request, Wire::within()));
    }
    CHECK(server.open_connections() == 1);
}

TEST_CASE("a refused connection did nothing, and says where") {
    Wire wire;
    auto request = wire.post("/ok");
    request.url = "http://127.0.0.1:1/";
    const auto result = wire.transport.send(request, Wire::within());
    CHECK(result.error().stage() == Stage::connect);
    CHECK(result.error().effect() == Effect::none);
    CHECK(result.error().host() == "127.0.0.1");
    CHECK(result.error().port() == 1);
}

TEST_CASE("an address that the policy refuses is not connected to") {
    Wire wire;
    auto context = Wire::within();
    context.address_policy = [](std::string_view address) { return address != "127.0.0.1"; };
    auto request = wire.post("/ok");
    request.url = "http://127.0.0.1:" + std::to_string(wire.server.port()) + "/ok";
    const auto result = wire.transport.send(request, context);
    REQUIRE_FALSE(result);
    CHECK(result.error().effect() == Effect::none);
    CHECK(wire.server.connections() == 0);
    CHECK(wire.transport.send(request, Wire::within()));
}

TEST_CASE("Retry-After is waited out in both forms, over the wire") {
    for (const std::string value : {"3", "Thu, 01 Jan 2026 00:00:03 GMT"}) {
        CAPTURE(value);
        const auto fresh = std::make_shared<twiliowa::testing::ManualClock>();
        int calls = 0;
        TestServer server({}, [&](const ReceivedRequest&) {
            Reply reply;
            if (++calls == 1) {
                reply.status = 429;
                reply.body = R"({"code":20429,"message":"slow down"})";
                reply.headers = {{"Retry-After", value}};
            } else {
                reply.body = R"({"sid":"SM00000000000000000000000000000000"})";
            }
            return reply;
        });
        ClientOptions options;
        options.from = "+14155238886";
        options.base_url = server.url("127.0.0.1");
        options.clock = fresh;
        options.timeout = std::chrono::hours{24 * 365 * 10};  // the wire's clock is another one
        const MessagesClient client(
            Credentials::auth_token("AC00000000000000000000000000000000", "t"), options);
        const auto before = fresh->monotonic_now();
        CHECK(client.send_text({.to = "+447700900123", .body = "Hi"}).sid.str().size() == 34);
        CHECK(fresh->monotonic_now() - before == 3s);
        CHECK(server.requests().size() == 2);
    }
}

TEST_CASE("one transport serves many tenants: each call carries its own authorization") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        Wire wire;
        for (const std::string tenant : {"Basic one", "Basic two", "Basic one", ""}) {
            auto request = wire.post("/ok");
            request.authorization = Secret(tenant);
            CHECK((asynchronous ? send_async(wire.transport, request, Wire::within())
                                : wire.transport.send(request, Wire::within())));
            CHECK(wire.server.requests().back().header("authorization") == tenant);
        }
        CHECK(wire.server.connections() == 1);
    }
}

namespace {

ClientOptions client_of(const Wire& wire, const TestServer& server) {
    ClientOptions options;
    options.from = "+14155238886";
    options.base_url = server.url();
    options.transport = std::make_shared<CurlTransport>(wire.options());
    options.timeout = 400ms;
    return options;
}

Credentials credentials_of_tests() {
    return Credentials::auth_token("AC00000000000000000000000000000000", "canary-token");
}

}  // namespace

TEST_CASE(
    "a 201 cut off in the middle of its body: the outcome is unknown, and nothing is repeated") {
    const Wire wire;  // for its options
    TestServer server({}, [](const ReceivedRequest&) {
        Reply reply;
        reply.kind = Reply::Kind::truncate;
        reply.body = R"({"sid":"SM00000000000000000000000000000000","status":"queued")";
        return reply;
    });
    auto options = client_of(wire, server);
    options.timeout = 20s;
    const MessagesClient client(credentials_of_tests(), std::move(options));
    const auto result = client.try_send_text({.to = "+447700900123", .body = "Hi"});
    REQUIRE_FALSE(result);
    CHECK(result.error().kind() == ErrorKind::outcome_unknown);
    CHECK(result.error().effect() == Effect::unknown);
    CHECK(server.requests().size() == 1);
}

TEST_CASE("no failure of the transport repeats the token, a phone number or the text") {
    using Kind = Reply::Kind;
    for (const auto protocol : {Protocol::http1, Protocol::tls_http2}) {
        for (const auto kind : {Kind::close, Kind::reset, Kind::hold, Kind::truncate, Kind::garbage,
                                Kind::refuse_stream, Kind::reset_stream, Kind::goaway}) {
            const bool http2_only =
                kind == Kind::refuse_stream || kind == Kind::reset_stream || kind == Kind::goaway;
            const bool http1_only = kind == Kind::truncate || kind == Kind::garbage;
            if (protocol == Protocol::http1 ? http2_only : http1_only) continue;
            CAPTURE(static_cast<int>(protocol));
            CAPTURE(static_cast<int>(kind));
            const Wire wire(protocol);
            TestServer server({protocol, wire.certificates, false},
                              [kind](const ReceivedRequest& request) {
                                  Reply reply;
                                  reply.kind = kind;
                                  reply.body = request.body;  // echoed, where there is an answer
                                  return reply;
                              });
            const MessagesClient client(credentials_of_tests(), client_of(wire, server));
            const OutboundText message{.to = "+447700900123", .body = "canary-text"};
            std::promise<Result<Message>> promise;
            client.async_send_text(
                message, [&](Result<Message> result) { promise.set_value(std::move(result)); });
            for (const auto& result : {client.try_send_text(message), promise.get_future().get()}) {
                REQUIRE_FALSE(result);
                const auto& error = result.error();
                for (const auto& text : {error.what(), error.hint(), error.field()}) {
                    CAPTURE(text);
                    for (const auto* secret : {"canary", "7700900123", "4155238886", "Basic "}) {
                        CHECK(text != containing(secret));
                    }
                }
            }
        }
    }
}

}  // namespace answer_test
