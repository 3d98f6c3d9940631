/// @file
/// WebhookHandler behind cpp-httplib, 0.11.4 or later. Opt-in, header-only: it includes
/// `<httplib.h>`, which the program has, and links as it does. Other web servers:
/// docs/web-servers.md.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include <httplib.h>

#include <twiliowa/webhook/webhook_request.hpp>
#include <twiliowa/webhook_handler.hpp>

namespace twiliowa {

/// @cond
namespace detail {

template <class Answer>
concept HttplibAnswers = std::is_invocable_r_v<WebhookResponse, const Answer&,
                                               const WebhookRequest&, const httplib::Request&>;

/// As WebhookOptions::max_body_bytes.
inline constexpr std::size_t httplib_body_bytes = std::size_t{256} * 1024;

using HttplibAnswer =
    std::function<WebhookResponse(const WebhookRequest&, const httplib::Request&)>;

/// How much of a body beyond the limit is read and dropped, so that whoever sends it hears the
/// answer rather than a connection that breaks.
inline constexpr std::size_t httplib_dropped_bytes = std::size_t{1024} * 1024;

/// Some versions have no `ssl` where they are built without TLS.
template <class Request>
bool httplib_is_tls(const Request& request) {
    if constexpr (requires { request.ssl == nullptr; }) {
        return request.ssl != nullptr;
    } else {
        return false;
    }
}

inline WebhookRequest httplib_to_webhook(const httplib::Request& from) {
    WebhookRequest request;
    request.method = from.method;
    request.scheme = httplib_is_tls(from) ? "https" : "http";
    request.target = from.target;
    request.headers.assign(from.headers.begin(), from.headers.end());
    request.peer = from.remote_addr;
    return request;
}

/// Whether a body was announced. Without a length httplib would wait for the connection's end.
inline bool httplib_has_body(const httplib::Request& request) {
    return request.has_header("Transfer-Encoding") ||
           (request.has_header("Content-Length") &&
            request.get_header_value("Content-Length") != "0");
}

/// As long as it lives, a body is one of bytes to httplib. By these headers it would take a body of
/// several parts apart, and decompress one: the signature is over the bytes as they came. The
/// request is the server's own, which is not const.
class HttplibPlainBody {
public:
    explicit HttplibPlainBody(const httplib::Request& request)
        : headers_(const_cast<httplib::Headers&>(request.headers)), as_they_came_(headers_) {
        headers_.erase("Content-Type");
        headers_.erase("Content-Encoding");
    }
    ~HttplibPlainBody() { std::swap(headers_, as_they_came_); }
    HttplibPlainBody(const HttplibPlainBody&) = delete;
    HttplibPlainBody& operator=(const HttplibPlainBody&) = delete;

private:
    httplib::Headers& headers_;
    httplib::Headers as_they_came_;
};

enum class HttplibBody { whole, too_long, broken };

/// Reads the body to its end if it can: what is left of it would be taken for the next request. Of
/// one that is longer than `most` it keeps a byte more than that.
inline HttplibBody httplib_read(const httplib::Request& request, const httplib::ContentReader& read,
                                std::size_t most, std::string& body) {
    if (!httplib_has_body(request)) return HttplibBody::whole;
    const HttplibPlainBody plain{request};
    std::size_t dropped = 0;
    const bool ended = read([&](const char* data, std::size_t size) {
        const std::size_t kept = body.size() <= most ? (std::min)(size, most + 1 - body.size()) : 0;
        body.append(data, kept);
        dropped += size - kept;
        return dropped <= httplib_dropped_bytes;
    });
    if (ended) return HttplibBody::whole;
    return body.size() > most ? HttplibBody::too_long : HttplibBody::broken;
}

/// `is_last`: the connection ends with the answer. httplib has no other way to say so than a body
/// whose end it cannot find.
inline void httplib_answer(WebhookResponse answer, bool is_last, httplib::Response& response) {
    response.status = answer.status;
    std::string type = "text/plain";
    for (const auto& [name, value] : answer.headers) {
        if (is_last && name == "Content-Type") {
            type = value;
        } else {
            response.set_header(name, value);
        }
    }
    if (!is_last) {
        response.body = std::move(answer.body);
        return;
    }
    response.set_header("Connection", "close");
    response.set_content_provider(
        type, [body = std::move(answer.body)](std::size_t, httplib::DataSink& sink) {
            sink.write(body.data(), body.size());
            return false;
        });
}

/// Of what the program throws nothing leaves; httplib would put its text into a header.
inline WebhookResponse httplib_ask(const HttplibAnswer& answer, const WebhookRequest& request,
                                   const httplib::Request& from) noexcept {
    try {
        return answer(request, from);
    } catch (const std::bad_alloc&) {
        return {.status = 503, .headers = {{"Retry-After", "1"}}, .body = {}};
    } catch (...) {
        return {.status = 500, .headers = {}, .body = {}};
    }
}

inline void httplib_serve(httplib::Server& server, const std::string& pattern, HttplibAnswer ask,
                          std::size_t max_body_bytes) {
    const auto answer = std::make_shared<const HttplibAnswer>(std::move(ask));
    server.Post(pattern, [answer, max_body_bytes](const httplib::Request& from,
                                                  httplib::Response& response,
                                                  const httplib::ContentReader& read) {
        auto request = httplib_to_webhook(from);
        const auto body = httplib_read(from, read, max_body_bytes, request.body);
        if (body == HttplibBody::broken) {
            httplib_answer({.status = 400, .headers = {}, .body = {}}, true, response);
            return;
        }
        httplib_answer(httplib_ask(*answer, request, from), body != HttplibBody::whole, response);
    });
    // And HEAD. Some versions do not read what such a request has for a body.
    server.Get(pattern, [answer](const httplib::Request& from, httplib::Response& response) {
        httplib_answer(httplib_ask(*answer, httplib_to_webhook(from), from), httplib_has_body(from),
                       response);
    });
}

}  // namespace detail
/// @endcond

/// Serves a handler at the paths that fit `pattern`: a path, or an expression as cpp-httplib has
/// them. Call it before the server listens; the handler has to be complete by then, and must live
/// as long as the server runs.
///
/// The handler gets each request as it came: the path and query not decoded; all headers (of one
/// name in the order that cpp-httplib keeps, which some versions do not); the body's bytes,
/// whatever it is made of, not decompressed; `http` or `https`, as this server was reached; the
/// address of the connection. POST, GET and HEAD reach it: it answers 405 to the ones that are not
/// WebhookOptions::method. A body beyond WebhookOptions::max_body_bytes is not kept, and answered
/// 413; one that breaks off is answered 400 without the handler. A connection on which a body was
/// not read to its end is closed.
///
/// Handlers run in the server's threads, several at once. One that waits, and a connection that is
/// kept alive, keep a thread each: see docs/web-servers.md.
///
/// @code
/// httplib::Server server;
/// twiliowa::serve_webhooks(server, "/whatsapp", bot);  // a WebhookHandler
/// server.listen("127.0.0.1", 8080);
/// @endcode
inline void serve_webhooks(httplib::Server& server, const std::string& pattern,
                           const WebhookHandler& handler) {
    detail::httplib_serve(
        server, pattern,
        [&handler](const WebhookRequest& request, const httplib::Request&) {
            return handler.handle(request);
        },
        handler.max_body_bytes());
}
/// @cond
void serve_webhooks(httplib::Server& server, const std::string& pattern,
                    const WebhookHandler&& handler) = delete;
/// @endcond

/// The same for whoever chooses the handler by the request: `answer` takes a WebhookRequest and the
/// `httplib::Request` that it comes from (without its body), and returns a WebhookResponse. It is
/// called from several threads at once. What it throws is answered 500, and none of it is told;
/// std::bad_alloc is answered 503. Of a body it gets at most one byte more than `max_body_bytes`,
/// which is 256 KiB unless given.
///
/// @code
/// twiliowa::serve_webhooks(
///     server, "/status/([a-z]+)",
///     [&](const WebhookRequest& request, const httplib::Request& from) -> WebhookResponse {
///         WebhookHandler* const handler = handler_of(from.matches[1]);
///         return handler ? handler->handle(request) : WebhookResponse{.status = 404};
///     });
/// @endcode
template <detail::HttplibAnswers Answer>
void serve_webhooks(httplib::Server& server, const std::string& pattern, Answer answer,
                    std::size_t max_body_bytes = detail::httplib_body_bytes) {
    detail::httplib_serve(server, pattern, std::move(answer), max_body_bytes);
}

}  // namespace twiliowa
