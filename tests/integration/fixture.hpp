/// @file
/// What the tests of CurlTransport against the test server share.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>

#include <twiliowa/http/curl_transport.hpp>

#include "support/test_server.hpp"

namespace twiliowa::test {

/// A server that does what the path says, and a transport that trusts it.
struct Wire {
    Certificates certificates;
    TestServer server;
    CurlTransport transport;

    explicit Wire(Protocol protocol = Protocol::http1, bool never_shake_hands = false)
        : certificates(protocol == Protocol::http1 ? Certificates{} : make_certificates()),
          server({protocol, certificates, never_shake_hands}, by_path),
          transport(options()) {}

    CurlOptions options() const {
        CurlOptions o;
        o.ca_pem = certificates.ca_pem;
        o.proxy = "none";
        return o;
    }

    HttpRequest post(const std::string& path, std::string body = "Body=x") const {
        HttpRequest request;
        request.method = HttpMethod::post;
        request.url = server.url() + path;
        request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
        request.authorization = Secret("Basic canary");
        request.body = std::move(body);
        return request;
    }

    Result<HttpResponse> send(const std::string& path) { return send(path, within()); }
    Result<HttpResponse> send(const std::string& path, const CallContext& context) {
        return transport.send(post(path), context);
    }

    static CallContext within(std::chrono::milliseconds time = std::chrono::seconds{10}) {
        CallContext context;
        context.deadline = std::chrono::steady_clock::now() + time;
        return context;
    }

    std::size_t bodies(const std::string& path) const {
        std::size_t count = 0;
        for (const auto& request : server.requests()) count += request.path == path ? 1u : 0u;
        return count;
    }

    static Reply by_path(const ReceivedRequest& request) {
        using Kind = Reply::Kind;
        Reply reply;
        const auto is = [&](const char* path) { return request.path == path; };
        if (is("/interim")) reply.kind = Kind::interim;
        if (is("/close")) reply.kind = Kind::close;
        if (is("/reset")) reply.kind = Kind::reset;
        if (is("/hold")) reply.kind = Kind::hold;
        if (is("/drip")) reply.kind = Kind::drip;
        if (is("/truncate")) reply.kind = Kind::truncate;
        if (is("/garbage")) reply.kind = Kind::garbage;
        if (is("/refuse")) reply.kind = Kind::refuse_stream;
        if (is("/reset_stream")) reply.kind = Kind::reset_stream;
        if (is("/early")) reply.kind = Kind::early_reset;
        if (is("/early/reset")) reply.kind = Kind::reset;
        if (is("/goaway")) reply.kind = Kind::goaway;
        if (is("/goaway_after")) reply.kind = Kind::goaway_after;
        if (is("/huge")) {
            reply.kind = Kind::huge;
            reply.bytes = 100u << 20;
        }
        if (is("/redirect")) {
            reply.status = 302;
            reply.headers = {{"Location", "/ok"}};
        }
        if (is("/like_a_status")) {
            reply.status = 404;
            reply.headers = {{"X-Before", "1"}, {"HTTP/1.1 200 OK", "1"}, {"HTTP/x", " 200"}};
        }
        if (is("/headers")) reply.headers = {{"Twilio-Request-Id", "RQ1"}, {"X-Empty", ""}};
        return reply;
    }
};

/// An asynchronous send, waited for: a completion that never comes is a failure, not a standstill.
inline Result<HttpResponse> send_async(AsyncHttpTransport& transport, HttpRequest request,
                                       CallContext context) {
    auto promise = std::make_shared<std::promise<Result<HttpResponse>>>();
    auto future = promise->get_future();
    transport.async_send(
        std::move(request), std::move(context),
        [promise](Result<HttpResponse> result) { promise->set_value(std::move(result)); });
    if (future.wait_for(std::chrono::minutes{1}) != std::future_status::ready) {
        throw std::runtime_error("the completion of an asynchronous send did not come in a minute");
    }
    return future.get();
}

inline std::chrono::milliseconds elapsed_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin);
}

}  // namespace twiliowa::test
