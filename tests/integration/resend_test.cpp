// libcurl repeats a request by itself when a kept-alive connection dies before the first byte of
// the answer. That would deliver a message twice.
#include <curl/curl.h>

#include <string_view>
#include <utility>
#include <vector>

#include "fixture.hpp"
#include "support/show.hpp"

namespace resend_test {

using namespace twiliowa;
using namespace twiliowa::test;

namespace {

const Protocol protocols[] = {Protocol::http1, Protocol::tls_http1, Protocol::tls_http2};

std::size_t discard(char*, std::size_t size, std::size_t count, void*) {
    return size * count;
}

}  // namespace

TEST_CASE("control: libcurl on its own sends such a POST twice") {
    for (const auto protocol : protocols) {
        CAPTURE(static_cast<int>(protocol));
        const Wire wire(protocol);
        CURL* const easy = curl_easy_init();
        curl_blob ca{const_cast<char*>(wire.certificates.ca_pem.data()),
                     wire.certificates.ca_pem.size(), CURL_BLOB_COPY};
        if (protocol != Protocol::http1) curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "Body=x");
        // Over HTTP/2 libcurl 7.88 repeats what is refused or reset, not what ends in good order.
        const auto* const provocation = protocol == Protocol::tls_http2 ? "/refuse" : "/close";
        for (const auto* path : {"/ok", provocation}) {
            curl_easy_setopt(easy, CURLOPT_URL, (wire.server.url() + path).c_str());
            curl_easy_perform(easy);
        }
        curl_easy_cleanup(easy);
        CHECK(wire.bodies(provocation) >= 2);
    }
}

TEST_CASE("a POST whose kept-alive connection dies is delivered once, and its effect is unknown") {
    for (const auto protocol : protocols) {
        for (const auto* path : {"/close", "/reset"}) {
            CAPTURE(static_cast<int>(protocol));
            CAPTURE(path);
            Wire wire(protocol);
            REQUIRE(wire.send("/ok"));
            const auto result = wire.send(path);
            REQUIRE_FALSE(result);
            CHECK(result.error().effect() == Effect::unknown);
            CHECK(wire.bodies(path) == 1);
        }
    }
}

TEST_CASE("the same asynchronously") {
    for (const auto protocol : protocols) {
        for (const auto* path : {"/close", "/reset"}) {
            CAPTURE(static_cast<int>(protocol));
            CAPTURE(path);
            Wire wire(protocol);
            REQUIRE(send_async(wire.transport, wire.post("/ok"), Wire::within()));
            const auto result = send_async(wire.transport, wire.post(path), Wire::within());
            REQUIRE_FALSE(result);
            CHECK(result.error().effect() == Effect::unknown);
            CHECK(wire.bodies(path) == 1);
        }
    }
}

TEST_CASE("the same for a POST without a body, and on a fresh connection") {
    Wire wire;
    CHECK_FALSE(wire.transport.send(wire.post("/close", ""), Wire::within()));
    REQUIRE(wire.send("/ok"));
    CHECK_FALSE(wire.transport.send(wire.post("/close", ""), Wire::within()));
    CHECK(wire.bodies("/close") == 2);
}

TEST_CASE("HTTP/2: an answer before the body was read, then a reset: unknown, never repeated") {
    Wire wire(Protocol::tls_http2);
    const auto result =
        wire.transport.send(wire.post("/early", std::string(1u << 20, 'x')), Wire::within());
    REQUIRE_FALSE(result);
    CHECK(result.error().effect() == Effect::unknown);
    CHECK(wire.bodies("/early") == 1);
}

TEST_CASE("HTTP/2: a stream refused, reset or overtaken by GOAWAY is not repeated by libcurl") {
    for (const bool asynchronous : {false, true}) {
        for (const auto* path : {"/refuse", "/reset_stream", "/goaway"}) {
            CAPTURE(asynchronous);
            CAPTURE(path);
            Wire wire(Protocol::tls_http2);
            const auto send = [&](const char* to) {
                return asynchronous ? send_async(wire.transport, wire.post(to), Wire::within())
                                    : wire.send(to);
            };
            REQUIRE(send("/ok"));
            const auto result = send(path);
            REQUIRE_FALSE(result);
            CAPTURE(result.error().what());
            // libcurl 7.88 tells of a GOAWAY; a stream refused on a connection used before looks to
            // its user as if the connection had died.
            const bool known_untouched = path == std::string("/goaway");
            CHECK(result.error().effect() == (known_untouched ? Effect::none : Effect::unknown));
            if (known_untouched) {
                CHECK(result.error().stage() == Stage::send);
                CHECK(result.error().what() == containing("the server refused the HTTP/2 stream"));
            }
            CHECK(wire.bodies(path) == 1);
        }
    }
}

TEST_CASE("HTTP/2: a GOAWAY whose last stream is the request's own leaves its effect unknown") {
    for (const bool asynchronous : {false, true}) {
        CAPTURE(asynchronous);
        Wire wire(Protocol::tls_http2);
        const auto send = [&](const char* to) {
            return asynchronous ? send_async(wire.transport, wire.post(to), Wire::within())
                                : wire.send(to);
        };
        REQUIRE(send("/ok"));
        const auto result = send("/goaway_after");
        REQUIRE_FALSE(result);
        CAPTURE(result.error().what());
        CHECK(result.error().effect() == Effect::unknown);
        CHECK(wire.bodies("/goaway_after") == 1);
    }
}

TEST_CASE("a reset while the body is being sent leaves its effect unknown") {
    for (const auto protocol : protocols) {
        for (const bool asynchronous : {false, true}) {
            CAPTURE(static_cast<int>(protocol));
            CAPTURE(asynchronous);
            Wire wire(protocol);
            const auto request = wire.post("/early/reset", std::string(8u << 20, 'x'));
            const auto result = asynchronous ? send_async(wire.transport, request, Wire::within())
                                             : wire.transport.send(request, Wire::within());
            REQUIRE_FALSE(result);
            CAPTURE(result.error().what());
            CHECK(result.error().effect() == Effect::unknown);
            // libcurl meets the reset while it writes, or when it looks for an answer.
            const bool wrote =
                std::string_view{result.error().what()}.find("sending") != std::string_view::npos;
            CHECK(result.error().stage() == (wrote ? Stage::send : Stage::receive));
            CHECK(wire.bodies("/early/reset") == 1);
        }
    }
}

TEST_CASE(
    "HTTP/2: when a connection drops, the effect of all its streams is unknown, none resent") {
    for (const auto* last : {"/close", "/reset"}) {
        CAPTURE(last);
        Wire wire(Protocol::tls_http2);
        REQUIRE(send_async(wire.transport, wire.post("/ok"), Wire::within()));
        constexpr std::size_t held = 5;
        std::vector<std::future<Result<HttpResponse>>> outcomes;
        const auto start = [&](const char* path) {
            auto promise = std::make_shared<std::promise<Result<HttpResponse>>>();
            outcomes.push_back(promise->get_future());
            wire.transport.async_send(
                wire.post(path), Wire::within(),
                [promise](Result<HttpResponse> r) { promise->set_value(std::move(r)); });
        };
        for (std::size_t i = 0; i < held; ++i) start("/hold");
        REQUIRE(wire.server.wait_for_requests(1 + held));
        CHECK(wire.server.connections() == 1);
        start(last);
        for (auto& outcome : outcomes) {
            const auto result = outcome.get();
            REQUIRE_FALSE(result);
            CHECK(result.error().kind() == ErrorKind::transport);
            CHECK(result.error().effect() == Effect::unknown);
        }
        CHECK(wire.bodies("/hold") == held);
        CHECK(wire.bodies(last) == 1);
    }
}

}  // namespace resend_test
