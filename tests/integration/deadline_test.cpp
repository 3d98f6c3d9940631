// Deadlines and cancellation reach the socket, at every stage.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "fixture.hpp"

namespace deadline_test {

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

/// A port whose queue of connections is full: the next one hangs in its TCP handshake.
class FullListener {
public:
    FullListener() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(bind(listener_, generic, size) == 0);
        REQUIRE(listen(listener_, 0) == 0);
        REQUIRE(getsockname(listener_, generic, &size) == 0);
        port_ = ntohs(address.sin_port);
        for (int i = 0; i < 4; ++i) {
            const int filler = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            static_cast<void>(connect(filler, generic, size));
            fillers_.push_back(filler);
        }
    }
    ~FullListener() {
        for (const int filler : fillers_) close(filler);
        close(listener_);
    }
    FullListener(const FullListener&) = delete;
    FullListener& operator=(const FullListener&) = delete;
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

private:
    int listener_;
    int port_ = 0;
    std::vector<int> fillers_;
};

/// Runs the exchange, and cancels it from another thread as soon as `ready` returns.
Result<HttpResponse> cancelled_when(CurlTransport& transport, const HttpRequest& request,
                                    CallContext context, bool asynchronous,
                                    const std::function<void()>& ready) {
    CancelSource source;
    context.cancel = source.token();
    std::chrono::steady_clock::time_point begin;
    std::thread canceller([&] {
        ready();
        begin = std::chrono::steady_clock::now();
        source.cancel();
    });
    auto result =
        asynchronous ? send_async(transport, request, context) : transport.send(request, context);
    canceller.join();
    CHECK(elapsed_since(begin) < 10s);
    return result;
}

}  // namespace

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** result) {
    using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
    if (node != nullptr && std::strcmp(node, "blocked.test") == 0) {
        blocked.wait();
        return EAI_AGAIN;
    }
    if (node != nullptr && std::strcmp(node, "unknown.test") == 0) return EAI_NONAME;
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
        if (c.protocol == Protocol::tls_http2) {  // the handshakes are not what is measured
            REQUIRE(wire.send("/ok"));
            REQUIRE(send_async(wire.transport, wire.post("/ok"), Wire::within()));
        }
        const auto begin = std::chrono::steady_clock::now();
        const auto result = wire.send(c.path, Wire::within(1s));
        const auto asynchronous = send_async(wire.transport, wire.post(c.path), Wire::within(1s));
        CHECK(elapsed_since(begin) < 20s);
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

TEST_CASE("cancelling ends an answer that drips") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        Wire wire;
        std::promise<void> dripping;
        auto context = Wire::within(60s);
        context.body_sink = [&](std::string_view) {
            dripping.set_value();
            return true;
        };
        const auto result = cancelled_when(wire.transport, wire.post("/drip"), context,
                                           asynchronous, [&] { dripping.get_future().wait(); });
        REQUIRE_FALSE(result);
        CHECK(result.error().kind() == ErrorKind::cancelled);
        CHECK(result.error().stage() == Stage::receive);
        CHECK(result.error().effect() == Effect::unknown);
    }
}

TEST_CASE("cancelling ends a call whose resolver is blocked") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        Wire wire;
        auto request = wire.post("/ok");
        request.url = "http://blocked.test/";
        const auto result = cancelled_when(wire.transport, request, Wire::within(60s), asynchronous,
                                           [] { blocked.wait_for_callers(1); });
        REQUIRE_FALSE(result);
        CHECK(result.error().kind() == ErrorKind::cancelled);
        CHECK(result.error().stage() == Stage::resolve);
        CHECK(result.error().effect() == Effect::none);
        blocked.release_all();
    }
}

TEST_CASE("a TCP connect that hangs ends at the deadline, and when it is cancelled") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        const FullListener full;
        Wire wire;
        auto request = wire.post("/ok");
        request.url = full.url();
        const auto begin = std::chrono::steady_clock::now();
        const auto late = asynchronous ? send_async(wire.transport, request, Wire::within(200ms))
                                       : wire.transport.send(request, Wire::within(200ms));
        CHECK(elapsed_since(begin) < 20s);
        REQUIRE_FALSE(late);
        CHECK(late.error().kind() == ErrorKind::timeout);
        // The socket is made right before the connect.
        std::promise<void> connecting;
        auto context = Wire::within(60s);
        context.address_policy = [&](std::string_view) {
            connecting.set_value();
            return true;
        };
        const auto cancelled = cancelled_when(wire.transport, request, context, asynchronous,
                                              [&] { connecting.get_future().wait(); });
        REQUIRE_FALSE(cancelled);
        CHECK(cancelled.error().kind() == ErrorKind::cancelled);
        for (const auto* outcome : {&late, &cancelled}) {
            CHECK(outcome->error().stage() == Stage::connect);
            CHECK(outcome->error().effect() == Effect::none);
        }
    }
}

}  // namespace deadline_test
