// Deadlines and cancellation reach the socket, at every stage.
#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include "fixture.hpp"

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;

namespace {

/// A resolver that hangs for one host name, until it is let go.
struct BlockedResolver {
    std::mutex mutex;
    std::condition_variable changed;
    bool released = false;
    int waiting = 0;
    void wait() {
        std::unique_lock lock(mutex);
        ++waiting;
        changed.notify_all();
        changed.wait(lock, [&] { return released; });
        --waiting;
        changed.notify_all();
    }
    void release_all() {
        std::unique_lock lock(mutex);
        released = true;
        changed.notify_all();
        changed.wait(lock, [&] { return waiting == 0; });
        released = false;
    }
    void wait_for_callers(int count) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return waiting >= count; });
    }
};

BlockedResolver blocked;

}  // namespace

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** result) {
    using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
    if (node != nullptr && std::strcmp(node, "blocked.test") == 0) {
        blocked.wait();
        return EAI_AGAIN;
    }
    return real(node, service, hints, result);
}

TEST_CASE("a deadline ends a black hole, a slow drip and a silent TLS handshake") {
    struct Case {
        const char* path;
        Protocol protocol;
        bool silent;
        Stage stage;
        Effect effect;
    };
    for (const auto& c :
         {Case{"/hold", Protocol::http1, false, Stage::receive, Effect::unknown},
          Case{"/hold", Protocol::tls_http2, false, Stage::receive, Effect::unknown},
          Case{"/drip", Protocol::http1, false, Stage::receive, Effect::unknown},
          Case{"/ok", Protocol::tls_http1, true, Stage::tls, Effect::none}}) {
        CAPTURE(c.path);
        Wire wire(c.protocol, c.silent);
        const auto begin = std::chrono::steady_clock::now();
        const auto result = wire.send(c.path, Wire::within(300ms));
        const auto asynchronous =
            send_async(wire.transport, wire.post(c.path), Wire::within(300ms));
        CHECK(elapsed_since(begin) < 5s);
        for (const auto* outcome : {&result, &asynchronous}) {
            REQUIRE_FALSE(*outcome);
            CHECK(outcome->error().kind() == ErrorKind::timeout);
            CHECK(outcome->error().stage() == c.stage);
            CHECK(outcome->error().effect() == c.effect);
            CHECK(outcome->error().port() == wire.server.port());
        }
    }
}

TEST_CASE("cancelling ends a black hole and a silent TLS handshake") {
    for (const bool silent : {false, true}) {
        CAPTURE(silent);
        Wire wire(silent ? Protocol::tls_http1 : Protocol::http1, silent);
        const auto wait = [&](int count) {
            return silent ? wire.server.wait_for_connections(count)
                          : wire.server.wait_for_requests(static_cast<std::size_t>(count));
        };
        {
            CancelSource source;
            auto context = Wire::within(60s);
            context.cancel = source.token();
            std::thread canceller([&] {
                CHECK(wait(1));
                source.cancel();
            });
            const auto result = wire.send("/hold", context);
            canceller.join();
            CHECK(result.error().kind() == ErrorKind::cancelled);
            CHECK(result.error().effect() == (silent ? Effect::none : Effect::unknown));
        }
        CancelSource source;
        auto context = Wire::within(60s);
        context.cancel = source.token();
        std::promise<Result<HttpResponse>> promise;
        wire.transport.async_send(wire.post("/hold"), context, [&](Result<HttpResponse> result) {
            promise.set_value(std::move(result));
        });
        CHECK(wait(2));
        source.cancel();
        const auto result = promise.get_future().get();
        CHECK(result.error().kind() == ErrorKind::cancelled);
        CHECK(result.error().effect() == (silent ? Effect::none : Effect::unknown));
    }
}

TEST_CASE("a blocked resolver holds neither the caller nor anybody else") {
    Wire wire;
    auto request = wire.post("/ok");
    request.url = "http://blocked.test/";
    const auto begin = std::chrono::steady_clock::now();

    const auto blocking = wire.transport.send(request, Wire::within(200ms));
    CHECK(blocking.error().kind() == ErrorKind::timeout);
    CHECK(blocking.error().stage() == Stage::resolve);
    CHECK(blocking.error().effect() == Effect::none);
    CHECK(blocking.error().host() == "blocked.test");

    CancelSource source;
    auto context = Wire::within(60s);
    context.cancel = source.token();
    std::promise<Result<HttpResponse>> promise;
    wire.transport.async_send(request, context, [&](Result<HttpResponse> result) {
        promise.set_value(std::move(result));
    });
    blocked.wait_for_callers(2);  // the first one was left behind, still waiting
    CHECK(send_async(wire.transport, wire.post("/ok"), Wire::within()));
    CHECK(wire.send("/ok"));
    source.cancel();
    CHECK(promise.get_future().get().error().kind() == ErrorKind::cancelled);

    std::optional<Error> left_behind;
    {  // nor the destructor
        CurlTransport other;
        other.async_send(request, Wire::within(60s),
                         [&](const Result<HttpResponse>& r) { left_behind = r.error(); });
        blocked.wait_for_callers(3);
    }
    REQUIRE(left_behind);
    CHECK(left_behind->kind() == ErrorKind::cancelled);
    CHECK(left_behind->effect() == Effect::none);
    CHECK(elapsed_since(begin) < 8s);
    blocked.release_all();
}
