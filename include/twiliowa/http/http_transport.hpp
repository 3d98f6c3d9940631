/// @file
/// How requests leave the library. Implement `HttpTransport` to mock it or to bring your own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/http_headers.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/secret.hpp>

namespace twiliowa {

enum class HttpMethod { get, post, put, delete_ };
TWILIOWA_EXPORT std::string_view to_string(HttpMethod method) noexcept;

/// One request. `authorization` is the value of the Authorization header, kept apart so that nobody
/// logs it with the others. A header's name is a token, and no value holds a control character but
/// a tab: anything else is refused (InvalidRequestError), as it could be read as another header.
struct HttpRequest {
    HttpMethod method = HttpMethod::get;
    std::string url = {};
    HttpHeaders headers = {};
    Secret authorization = {};
    std::string body = {};
};

/// Any complete answer, 4xx and 5xx too. `body` is empty when a body sink took it.
struct HttpResponse {
    int status = 0;
    HttpHeaders headers = {};
    std::string body = {};

    /// The first header of that name (in any case), or empty.
    TWILIOWA_EXPORT std::string_view header(std::string_view name) const noexcept;
};

/// The conditions of one attempt.
struct CallContext {
    MonotonicTime deadline = (MonotonicTime::max)();
    CancelToken cancel = {};
    /// An answer larger than this is an error (Stage::receive, field "max_response_bytes"), at its
    /// headers already where they say so.
    std::size_t max_response_bytes = 16u << 20;
    /// Takes the body of a 2xx answer piece by piece instead of `HttpResponse::body`; false stops
    /// the transfer. The body of any other answer never goes there.
    std::function<bool(std::string_view)> body_sink = {};
    /// Refuse to send to an address that this returns false for (the numeric IP address), on a new
    /// connection or a kept one. Through a proxy it is the proxy's address.
    std::function<bool(std::string_view)> address_policy = {};
    /// Where asynchronous requests wait for one another, those of different keys take turns: a hash
    /// of CallOptions::fairness_key, or of the account.
    std::uint64_t fairness_key = 0;
};

/// Sends one request, once. Thread-safe: one transport serves many clients and threads.
///
/// Contract: the request is put on the wire at most once; redirects are not followed; nothing is
/// thrown. A failure is an `Error` made with `Error::transport` (or another kind of the transport
/// family: timeout, cancelled; invalid_request for what cannot be sent as it is) whose `effect()`
/// is none only if no byte of the body (of the request, if it has no body) can have reached the
/// server.
class TWILIOWA_EXPORT HttpTransport {
public:
    virtual ~HttpTransport() = default;
    virtual Result<HttpResponse> send(const HttpRequest& request, const CallContext& context) = 0;
};

/// A transport that can also work in the background.
class TWILIOWA_EXPORT AsyncHttpTransport : public HttpTransport {
public:
    using Completion = std::function<void(Result<HttpResponse>)>;

    /// `done` is called exactly once, never inside this call. On destruction of the transport what
    /// is pending completes with `cancelled` (effect none, or unknown if bytes had left).
    virtual void async_send(HttpRequest request, CallContext context, Completion done) = 0;
    /// Runs `task` at `when` or soon after, never inside this call. On destruction of the transport
    /// what is pending runs at once.
    virtual void call_at(MonotonicTime when, std::function<void()> task) = 0;
};

}  // namespace twiliowa
