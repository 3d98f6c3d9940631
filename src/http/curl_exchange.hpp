/// @file
/// One request and its answer on one libcurl easy handle.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <twiliowa/http/curl_transport.hpp>

#include "http/curl_handles.hpp"
#include "http/curl_settings.hpp"

namespace twiliowa::detail {

/// An easy handle prepared once and used for one request after the other. Not movable: libcurl
/// holds its address. One that saw an error must be destroyed, not used again.
class CurlExchange {
public:
    explicit CurlExchange(const CurlSettings& settings);
    CurlExchange(const CurlExchange&) = delete;
    CurlExchange& operator=(const CurlExchange&) = delete;
    ~CurlExchange() = default;

    CURL* easy() const noexcept { return easy_.get(); }
    static CurlExchange& of(CURL* easy) noexcept;

    /// Sets the handle up for a request. Both arguments must stay until `finish`.
    /// @param wait_for_multiplex  rather share a connection being opened than open one more
    void prepare(const HttpRequest& request, const CallContext& context, MonotonicTime now,
                 bool wait_for_multiplex);
    /// Lets libcurl work on it.
    void begin(CURLM* multi) noexcept;
    /// What became of it, once libcurl is done.
    Result<HttpResponse> finish(CURLcode code);
    /// The end of an exchange that was stopped from outside.
    Error cancelled() const;

private:
    /// How far one request has come, and what ended it. Each begins with a new one.
    struct Progress {
        std::size_t header_bytes = 0;
        std::size_t body_bytes = 0;
        unsigned stream_id = 0;
        bool begun = false;
        bool tls_begun = false;
        bool issued = false;          ///< From here on the server may have got something.
        bool at_status_line = true;   ///< The next line of the head begins an answer.
        bool repeat_refused = false;  ///< libcurl wanted to send it a second time.
        bool stream_refused = false;  ///< HTTP/2: the server said that it did nothing.
        bool too_large = false;
        bool sink_stopped = false;
        bool address_refused = false;
    };

    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    static int on_request(void* self, char* remote_ip, char* local_ip, int remote_port,
                          int local_port);
    static CURLcode on_tls(CURL* easy, void* context, void* self);
    static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);

    static int on_debug(CURL* easy, curl_infotype type, char* data, std::size_t size, void* self);

    void listen_to_http2(bool listen);
    void set_authorities(CURLoption file, CURLoption directory, CURLoption pem);
    void set_url(const std::string& url);
    void take_http2_text(std::string_view text);
    bool take_header(std::string_view line);
    bool take_body(std::string_view data);
    bool may_issue(const char* remote_ip);
    void set_headers(const HttpRequest& request);
    void set_method_and_body(const HttpRequest& request);
    template <class Value>
    void set(CURLoption option, Value value) noexcept {
        curl_easy_setopt(easy_.get(), option, value);
    }

    Error failure(CURLcode code) const;
    Error make_error(ErrorKind kind, Stage stage, std::string summary,
                     std::string field = {}) const;
    Stage reached_stage() const noexcept;
    long status() const noexcept;
    long tunnel_status() const noexcept;
    bool is_at_proxy(Stage stage) const noexcept;
    std::string tls_problem(CURLcode code) const;

    const CurlSettings& settings_;
    CurlUrl url_;
    CurlEasy easy_;
    CurlHeaders header_lines_;
    HttpHeaders last_headers_;
    Secret last_authorization_;
    std::string last_url_;
    const CurlProxy* proxy_ = nullptr;  ///< On the way to last_url_.
    std::array<char, CURL_ERROR_SIZE> tls_error_{};
    bool policy_set_ = false;
    bool listens_ = false;

    const HttpRequest* request_ = nullptr;
    const CallContext* context_ = nullptr;
    HttpResponse response_;
    Progress progress_;
};

}  // namespace twiliowa::detail
