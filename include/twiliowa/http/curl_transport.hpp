/// @file
/// The transport that comes with the library: libcurl, HTTP/1.1 and HTTP/2, blocking and not.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <twiliowa/export.hpp>
#include <twiliowa/http/defaults.hpp>
#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// Options of `CurlTransport`.
struct CurlOptions {
    /// PEM file or directory of the certificate authorities to trust. Default: libcurl's own, then
    /// the usual places of Linux distributions; an error lists what was tried.
    TextField ca_file = {};
    TextField ca_directory = {};
    TextField ca_pem = {};  ///< The same as text.
    /// Proxy URL. Default: from the environment (HTTPS_PROXY, and NO_PROXY: hosts, domains and
    /// networks). "none" uses no proxy. A proxy that fails or refuses is named in the error.
    TextField proxy = {};
    /// These two at most a hundred years.
    std::chrono::milliseconds connect_timeout = defaults::connect_timeout;
    std::chrono::milliseconds max_idle = defaults::max_idle;
    int max_connections = defaults::max_connections;  ///< Asynchronous side, to one host.
    bool http2 = true;                                ///< Offer HTTP/2 over TLS.
};

/// libcurl behind HttpTransport.
///
/// - Puts a request on the wire once: libcurl's own repetition of a request on a connection that
///   died is refused (it would deliver the message twice).
/// - A blocking call works in the calling thread. Asynchronous calls share one I/O thread, started
///   with the first of them; completions run on it. That first call throws std::system_error, and
///   has done nothing, when the process has no thread or file descriptor left. No other thread, no
///   global state but curl_global_init, once.
/// - Kept-alive connections are reused; one that saw an error is not. TLS 1.2 or later. No
///   redirects, no `Expect:`.
/// - Destruction completes what is pending and is safe from inside a completion.
/// - After fork() the child must make its own transport; the inherited one must not be used.
class TWILIOWA_EXPORT CurlTransport final : public AsyncHttpTransport {
public:
    /// Opens nothing yet. @throws InvalidRequestError on options that are out of their bounds or
    /// contradict each other.
    explicit CurlTransport(CurlOptions options = {});
    ~CurlTransport() override;
    CurlTransport(const CurlTransport&) = delete;
    CurlTransport& operator=(const CurlTransport&) = delete;

    Result<HttpResponse> send(const HttpRequest& request, const CallContext& context) override;
    void async_send(HttpRequest request, CallContext context, Completion done) override;
    void call_at(MonotonicTime when, std::function<void()> task) override;

private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace twiliowa
