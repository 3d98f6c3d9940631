// The asynchronous side: one thread, started when needed, and a clean end.
#include <filesystem>
#include <thread>
#include <utility>

#include "fixture.hpp"
#include "support/show.hpp"

namespace async_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;

namespace {

std::ptrdiff_t thread_count() {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
}

}  // namespace

TEST_CASE("no thread until the first asynchronous call, then one") {
    Wire wire;
    REQUIRE(wire.send("/ok"));  // the server's threads exist now
    const auto before = thread_count();
    CurlTransport other(wire.options());
    auto request = wire.post("/ok");
    request.url = "http://127.0.0.1:1/";  // no connection, no server thread, no resolver thread
    static_cast<void>(other.send(request, Wire::within()));
    CHECK(thread_count() == before);
    static_cast<void>(send_async(other, request, Wire::within()));
    CHECK(thread_count() == before + 1);
    static_cast<void>(send_async(other, request, Wire::within()));
    CHECK(thread_count() == before + 1);
}

TEST_CASE("completions and timers run on the transport's thread, timers in order") {
    Wire wire;
    const auto here = std::this_thread::get_id();
    std::thread::id there;
    std::promise<void> sent;
    wire.transport.async_send(wire.post("/ok"), Wire::within(), [&](const Result<HttpResponse>& r) {
        CHECK(r);
        there = std::this_thread::get_id();
        sent.set_value();
    });
    sent.get_future().wait();
    CHECK(there != here);
    std::string order;
    std::promise<void> done;
    const auto now = std::chrono::steady_clock::now();
    wire.transport.call_at(now + 30ms, [&] {
        order += 'c';
        done.set_value();
    });
    wire.transport.call_at(now + 10ms, [&] { order += 'b'; });
    wire.transport.call_at(now - 1s, [&] { order += 'a'; });
    done.get_future().wait();
    CHECK(order == "abc");
}

TEST_CASE("destruction completes what is pending") {
    TestServer server({}, Wire::by_path);
    HttpRequest request;
    request.method = HttpMethod::post;
    request.url = server.url() + "/hold";
    request.body = "x";
    std::vector<Error> errors;
    bool timer_ran = false;
    {
        CurlTransport transport;
        transport.async_send(request, Wire::within(60s),
                             [&](const Result<HttpResponse>& r) { errors.push_back(r.error()); });
        transport.call_at(std::chrono::steady_clock::now() + 1h, [&] { timer_ran = true; });
        CHECK(server.wait_for_requests(1));
    }
    CHECK(timer_ran);
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].kind() == ErrorKind::cancelled);
    CHECK(errors[0].effect() == Effect::unknown);
}

TEST_CASE("a transport may be destroyed inside a completion") {
    Wire wire;
    auto transport = std::make_unique<CurlTransport>(wire.options());
    std::promise<Error> held;
    std::promise<void> done;
    transport->async_send(wire.post("/hold"), Wire::within(60s),
                          [&](const Result<HttpResponse>& r) { held.set_value(r.error()); });
    CHECK(wire.server.wait_for_requests(1));
    transport->async_send(wire.post("/ok"), Wire::within(), [&](const Result<HttpResponse>& r) {
        CHECK(r);
        transport.reset();
        done.set_value();
    });
    done.get_future().wait();
    CHECK(held.get_future().get().kind() == ErrorKind::cancelled);
}

TEST_CASE("200 calls at once are all answered, over HTTP/1.1 and HTTP/2") {
    for (const auto protocol : {Protocol::http1, Protocol::tls_http2}) {
        Wire wire(protocol);
        std::atomic<int> good{0};
        std::atomic<int> left{200};
        std::promise<void> done;
        for (int i = 0; i < 200; ++i) {
            wire.transport.async_send(wire.post("/ok"), Wire::within(),
                                      [&](const Result<HttpResponse>& r) {
                                          if (r) ++good;
                                          if (--left == 0) done.set_value();
                                      });
        }
        done.get_future().wait();
        CHECK(good == 200);
        if (protocol == Protocol::tls_http2) CHECK(wire.server.connections() == 1);
    }
}

TEST_CASE("a completion never runs inside the call that started it, whatever fails at once") {
    Wire wire;
    CancelSource source;
    source.cancel();
    auto cancelled = Wire::within();
    cancelled.cancel = source.token();
    auto malformed = wire.post("/ok");
    malformed.url = "not a URL";
    auto refused = wire.post("/ok");
    refused.url = "http://127.0.0.1:1/";
    const std::pair<HttpRequest, CallContext> calls[] = {{wire.post("/ok"), Wire::within()},
                                                         {wire.post("/ok"), cancelled},
                                                         {wire.post("/ok"), Wire::within(-1s)},
                                                         {malformed, Wire::within()},
                                                         {refused, Wire::within()}};
    for (const auto& call : calls) {
        const auto& request = call.first;
        const auto& context = call.second;
        CAPTURE(request.url);
        const auto here = std::this_thread::get_id();
        std::thread::id there;
        std::promise<void> done;
        wire.transport.async_send(request, context, [&](const Result<HttpResponse>&) {
            there = std::this_thread::get_id();
            done.set_value();
        });
        done.get_future().wait();
        CHECK(there != here);

        // Nor when it is started on the transport's own thread.
        bool starting = false;
        bool inside = false;
        std::promise<void> nested;
        wire.transport.call_at(std::chrono::steady_clock::now(), [&] {
            starting = true;
            wire.transport.async_send(request, context, [&](const Result<HttpResponse>&) {
                inside = starting;
                nested.set_value();
            });
            starting = false;
        });
        nested.get_future().wait();
        CHECK_FALSE(inside);
    }
}

namespace {

/// Of HTTP/1.1 two at once are under way, the others wait.
CurlOptions two_connections(Wire& wire) {
    auto options = wire.options();
    options.max_connections = 2;
    return options;
}

}  // namespace

TEST_CASE("more calls than connections wait for their turn, and all are answered, in order") {
    Wire wire;
    auto options = wire.options();
    options.max_connections = 1;
    CurlTransport transport(options);
    constexpr int calls = 500;
    int answered = 0;
    std::promise<void> done;
    for (int i = 0; i < calls; ++i) {
        auto request = wire.post("/ok");
        request.body = std::to_string(i);
        transport.async_send(std::move(request), Wire::within(), [&](const auto& answer) {
            CHECK(answer);
            if (++answered == calls) done.set_value();
        });
    }
    done.get_future().wait();
    CHECK(wire.server.connections() == 1);
    const auto got = wire.server.requests();
    REQUIRE(got.size() == calls);
    for (int i = 0; i < calls; ++i) {
        CHECK(got[static_cast<std::size_t>(i)].body == std::to_string(i));
    }
}

TEST_CASE("who has few calls waiting does not wait for all of those who have many") {
    Wire wire;
    auto options = wire.options();
    options.max_connections = 1;
    CurlTransport transport(options);
    constexpr int many = 500;
    constexpr int few = 5;
    int left = many + few;
    std::promise<void> done;
    const auto call = [&](const char* body, std::uint64_t key) {
        auto request = wire.post("/ok");
        request.body = body;
        auto context = Wire::within(60s);
        context.fairness_key = key;
        transport.async_send(std::move(request), context, [&](const auto& answer) {
            CHECK(answer);
            if (--left == 0) done.set_value();
        });
    };
    // From the loop's own thread, so that none is under way before all of them wait.
    transport.call_at(std::chrono::steady_clock::now(), [&] {
        for (int i = 0; i < many; ++i) call("many", 1);
        for (int i = 0; i < few; ++i) call("few", 2);
    });
    done.get_future().wait();
    std::string order;
    for (const auto& request : wire.server.requests()) order += request.body == "few" ? 'f' : 'm';
    REQUIRE(order.size() == many + few);
    // The first begins at once; then they take turns.
    CHECK(order.substr(0, 11) == "mmfmfmfmfmf");
}

TEST_CASE("a call that waits for its turn ends by its deadline, unsent") {
    Wire wire;
    CurlTransport transport(two_connections(wire));
    CancelSource source;
    auto held = Wire::within(60s);
    held.cancel = source.token();
    std::vector<std::future<Result<HttpResponse>>> calls;
    const auto call = [&](const char* path, const CallContext& context) {
        auto promise = std::make_shared<std::promise<Result<HttpResponse>>>();
        calls.push_back(promise->get_future());
        transport.async_send(wire.post(path), context,
                             [promise](auto answer) { promise->set_value(std::move(answer)); });
    };
    call("/hold", held);
    call("/hold", held);
    CHECK(wire.server.wait_for_requests(2));
    call("/ok", Wire::within(30ms));
    call("/ok", Wire::within(20ms));
    call("/ok", Wire::within(60s));
    for (const std::size_t i : {2u, 3u}) {
        const auto answer = calls[i].get();
        REQUIRE_FALSE(answer);
        CHECK(answer.error().kind() == ErrorKind::timeout);
        CHECK(answer.error().stage() == Stage::prepare);
        CHECK(answer.error().effect() == Effect::none);
        CHECK(answer.error().port() == wire.server.port());
        // Not Twilio's fault.
        CHECK(answer.error().what() == containing("before it had a connection"));
        CHECK(answer.error().hint() == containing("max_connections"));
    }
    CHECK(wire.server.requests().size() == 2);
    source.cancel();  // and with it those under way: the last one gets its turn
    const auto last = calls[4].get();
    INFO((last ? std::string{} : last.error().what()));
    CHECK(last);
}

TEST_CASE("a call that waits for its turn can be cancelled, and ends with the transport, unsent") {
    Wire wire;
    CancelSource source;
    std::vector<Error> errors;
    std::promise<void> first;
    {
        CurlTransport transport(two_connections(wire));
        const auto call = [&](const char* path, CallContext context, auto then) {
            transport.async_send(wire.post(path), std::move(context),
                                 [&, then](const auto& answer) {
                                     REQUIRE_FALSE(answer);
                                     errors.push_back(answer.error());
                                     then();
                                 });
        };
        call("/hold", Wire::within(60s), [] {});
        call("/hold", Wire::within(60s), [] {});
        CHECK(wire.server.wait_for_requests(2));
        auto cancellable = Wire::within(60s);
        cancellable.cancel = source.token();
        call("/ok", cancellable, [&] { first.set_value(); });
        call("/ok", Wire::within(60s), [] {});
        source.cancel();
        first.get_future().wait();
    }
    REQUIRE(errors.size() == 4);
    CHECK(errors[0].kind() == ErrorKind::cancelled);
    CHECK(errors[0].effect() == Effect::none);
    int unsent = 0;
    for (const auto& error : errors) {
        CHECK(error.kind() == ErrorKind::cancelled);
        if (error.effect() == Effect::none) ++unsent;
    }
    CHECK(unsent == 2);
    CHECK(wire.server.requests().size() == 2);
}

TEST_CASE("a host that never answers keeps no other host waiting") {
    Wire silent;
    Wire wire;
    CurlTransport transport(two_connections(silent));
    for (int i = 0; i < 10; ++i) {
        transport.async_send(silent.post("/hold"), Wire::within(60s), [](const auto&) {});
    }
    CHECK(silent.server.wait_for_requests(2));
    CHECK(send_async(transport, wire.post("/ok"), Wire::within()));
    CHECK(silent.server.requests().size() == 2);
}

}  // namespace async_test
