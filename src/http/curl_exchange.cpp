#include "http/curl_exchange.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

#include "net/url.hpp"
#include "text/ascii.hpp"
#include "types/wipe.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::size_t max_header_bytes = 256u << 10;

/// libcurl keeps milliseconds in an int, and refuses more.
constexpr std::chrono::milliseconds longest_for_libcurl{std::chrono::hours{24 * 24}};

/// As CURLOPT_TIMEOUT_MS has it, where 0 is no timeout.
long time_left(MonotonicTime deadline, MonotonicTime now) noexcept {
    if (deadline == MonotonicTime::max()) return 0;
    if (deadline <= now) return 1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
    return static_cast<long>(std::min(left, longest_for_libcurl).count());
}

Stage stage_of_code(CURLcode code, Stage reached) noexcept {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return Stage::resolve;
        case CURLE_COULDNT_CONNECT:
        case CURLE_PROXY:
            return Stage::connect;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_ENGINE_NOTFOUND:
        case CURLE_SSL_ENGINE_SETFAILED:
            return Stage::tls;
        case CURLE_SEND_ERROR:
            return Stage::send;
        default:
            return reached;
    }
}

}  // namespace

CurlExchange::CurlExchange(const CurlSettings& settings)
    : settings_(settings), url_(curl_url()), easy_(curl_easy_init()) {
    if (!easy_) throw std::bad_alloc();
    const auto& options = settings.options;
    // What is the same for every request, in the order of a transfer.
    set(CURLOPT_PRIVATE, static_cast<void*>(this));
    set(CURLOPT_NOSIGNAL, 1L);
    // A resolver that hangs is left behind instead of being waited for.
    set(CURLOPT_QUICK_EXIT, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_PROXY_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_HTTP_VERSION,
        static_cast<long>(options.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    set(CURLOPT_CONNECTTIMEOUT_MS,
        static_cast<long>(std::min(options.connect_timeout, longest_for_libcurl).count()));
    const auto max_idle =
        std::chrono::ceil<std::chrono::seconds>(std::min(options.max_idle, longest_for_libcurl));
    set(CURLOPT_MAXAGE_CONN, static_cast<long>(max_idle.count()));
    set(CURLOPT_TCP_NODELAY, 1L);
    set(CURLOPT_NOPROGRESS, 1L);
    set(CURLOPT_ERRORBUFFER, tls_error_.data());
    set(CURLOPT_HEADERFUNCTION, &CurlExchange::on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &CurlExchange::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_PREREQFUNCTION, &CurlExchange::on_request);
    set(CURLOPT_PREREQDATA, static_cast<void*>(this));
    set(CURLOPT_SSL_CTX_FUNCTION, &CurlExchange::on_tls);
    set(CURLOPT_SSL_CTX_DATA, static_cast<void*>(this));
    set(CURLOPT_NOPROXY, "");  // CurlSettings knows who needs none
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set_authorities(CURLOPT_CAINFO, CURLOPT_CAPATH, CURLOPT_CAINFO_BLOB);
    set_authorities(CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH, CURLOPT_PROXY_CAINFO_BLOB);
}

void CurlExchange::set_authorities(CURLoption file, CURLoption directory, CURLoption pem) {
    const auto or_none = [](const std::string& path) {
        return path.empty() ? nullptr : path.c_str();
    };
    const auto& text = settings_.options.ca_pem;
    if (text.empty()) {
        set(file, or_none(settings_.authorities.file));
    } else {
        curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
        set(pem, &blob);
    }
    set(directory, or_none(settings_.authorities.directory));
}

CurlExchange& CurlExchange::of(CURL* easy) noexcept {
    char* self = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
    return *reinterpret_cast<CurlExchange*>(self);
}

void CurlExchange::prepare(const HttpRequest& request, const CallContext& context,
                           MonotonicTime now, bool wait_for_multiplex) {
    // Nothing of the request before may be taken for this one's.
    request_ = &request;
    context_ = &context;
    response_ = {};
    progress_ = {};
    tls_error_[0] = '\0';

    // URL and headers are mostly those of the request before: they cost when they differ only.
    if (last_url_ != request.url) set_url(request.url);
    set_headers(request);
    set_method_and_body(request);
    set(CURLOPT_TIMEOUT_MS, time_left(context.deadline, now));
    set(CURLOPT_PIPEWAIT, wait_for_multiplex ? 1L : 0L);
    if (policy_set_ != static_cast<bool>(context.address_policy)) {
        policy_set_ = static_cast<bool>(context.address_policy);
        set(CURLOPT_OPENSOCKETFUNCTION, policy_set_ ? &CurlExchange::on_socket : nullptr);
        set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    }
}

/// Sets all that one method has and another has not: the handle has done others before.
void CurlExchange::set_method_and_body(const HttpRequest& request) {
    switch (request.method) {
        case HttpMethod::get:
            set(CURLOPT_CUSTOMREQUEST, nullptr);
            set(CURLOPT_HTTPGET, 1L);
            break;
        case HttpMethod::post:
        case HttpMethod::put:
            set(CURLOPT_POST, 1L);
            set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
            set(CURLOPT_POSTFIELDS, request.body.data());
            set(CURLOPT_CUSTOMREQUEST, request.method == HttpMethod::put ? "PUT" : nullptr);
            break;
        case HttpMethod::delete_:
            set(CURLOPT_HTTPGET, 1L);
            set(CURLOPT_CUSTOMREQUEST, "DELETE");
            break;
    }
}

void CurlExchange::begin(CURLM* multi) noexcept {
    progress_.begun = true;
    curl_multi_add_handle(multi, easy());
}

void CurlExchange::set_url(const std::string& url) {
    last_url_ = url;
    // Parsed here, once, rather than by each transfer. What it refuses, libcurl refuses again with
    // its own error.
    const bool parsed =
        url_ && curl_url_set(url_.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
    set(CURLOPT_CURLU, parsed ? url_.get() : nullptr);
    set(CURLOPT_URL, parsed ? nullptr : url.c_str());
    proxy_ = &settings_.proxy_to(!url.starts_with("http://"), host_and_port(url).host);
    set(CURLOPT_PROXY, proxy_->url.c_str());
}

void CurlExchange::set_headers(const HttpRequest& request) {
    if (header_lines_ && last_headers_ == request.headers &&
        last_authorization_.reveal() == request.authorization.reveal()) {
        return;
    }
    CurlHeaders lines(curl_slist_append(nullptr, "Expect:"));
    const auto append = [&lines](const char* line) {
        auto* const longer = curl_slist_append(lines.get(), line);
        if (longer == nullptr) throw std::bad_alloc();
        static_cast<void>(lines.release());
        lines.reset(longer);
    };
    std::string line;
    for (const auto& [name, value] : request.headers) {
        // libcurl drops "Name:", and sends an empty header for "Name;".
        line = name;
        line += value.empty() ? ";" : ": ";
        line += value;
        append(line.c_str());
    }
    if (!request.authorization.empty()) {
        line = "Authorization: ";
        line.reserve(line.size() + request.authorization.reveal().size());
        line += request.authorization.reveal();
        append(line.c_str());
        wipe_string(line);
    }
    set(CURLOPT_HTTPHEADER, lines.get());
    header_lines_ = std::move(lines);
    last_headers_ = request.headers;
    last_authorization_ = request.authorization;
}

std::size_t CurlExchange::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    try {
        const std::string_view line{data, size * count};
        return static_cast<CurlExchange*>(self)->take_header(line) ? line.size() : 0;
    } catch (...) {
        return 0;
    }
}

bool CurlExchange::take_header(std::string_view line) {
    progress_.header_bytes += line.size();
    if (progress_.header_bytes > max_header_bytes) {
        progress_.too_large = true;
        return false;
    }
    // The head of a 1xx is followed by another; any other by the body, and perhaps trailers.
    if (line == "\r\n" || line == "\n") {
        progress_.at_status_line = status() / 100 == 1;
        return true;
    }
    // Told by its place: a header's name may begin with "HTTP/", too.
    if (progress_.at_status_line) {
        progress_.at_status_line = false;
        response_.headers.clear();
        if (line.starts_with("HTTP/2")) listen_to_http2(false);
        return true;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    const auto name = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1), white_space);
    if (equals_ignoring_case(name, "Content-Length")) {
        const auto length = parse_number<std::uint64_t>(value);
        progress_.too_large = length && *length > context_->max_response_bytes;
        if (progress_.too_large) return false;
    }
    response_.headers.emplace_back(name, value);
    return true;
}

std::size_t CurlExchange::on_body(char* data, std::size_t size, std::size_t count, void* self) {
    try {
        const std::string_view piece{data, size * count};
        return static_cast<CurlExchange*>(self)->take_body(piece) ? piece.size() : 0;
    } catch (...) {
        static_cast<CurlExchange*>(self)->progress_.sink_stopped = true;
        return 0;
    }
}

bool CurlExchange::take_body(std::string_view data) {
    progress_.body_bytes += data.size();
    if (progress_.body_bytes > context_->max_response_bytes) {
        progress_.too_large = true;
        return false;
    }
    if (context_->body_sink && status() / 100 == 2) {
        progress_.sink_stopped = !context_->body_sink(data);
        return !progress_.sink_stopped;
    }
    response_.body.append(data);
    return true;
}

int CurlExchange::on_request(void* self, char* remote_ip, char*, int, int) {
    return static_cast<CurlExchange*>(self)->may_issue(remote_ip) ? CURL_PREREQFUNC_OK
                                                                  : CURL_PREREQFUNC_ABORT;
}

/// The TCP connection stands: libcurl begins the handshake. What it says of ports and times does
/// not tell that in every release.
CURLcode CurlExchange::on_tls(CURL*, void*, void* self) {
    static_cast<CurlExchange*>(self)->progress_.tls_begun = true;
    return CURLE_OK;
}

/// libcurl asks this before it puts the request on the wire, and asks again when it is about to
/// repeat one by itself because a kept-alive connection died before the first byte of the answer.
/// The server may have got the first one, so the second never leaves.
bool CurlExchange::may_issue(const char* remote_ip) {
    if (progress_.issued) {
        progress_.repeat_refused = true;
        return false;
    }
    if (context_->address_policy && !context_->address_policy(remote_ip)) {
        progress_.address_refused = true;
        return false;
    }
    progress_.address_refused = false;  // another address of the host was, before this one
    progress_.issued = true;
    if (listens_) listen_to_http2(true);
    return true;
}

/// HTTP/2 lets a server say that it did not touch a request: REFUSED_STREAM, or a GOAWAY whose last
/// stream is before ours. libcurl passes that on in its verbose texts only. They are asked for
/// between the request and its answer, on handles that have spoken HTTP/2: elsewhere they only
/// cost. A text that is not recognised changes nothing: the effect stays unknown.
void CurlExchange::listen_to_http2(bool listen) {
    if (!listens_) {
        listens_ = true;
        set(CURLOPT_DEBUGFUNCTION, &CurlExchange::on_debug);
        set(CURLOPT_DEBUGDATA, static_cast<void*>(this));
    }
    set(CURLOPT_VERBOSE, listen ? 1L : 0L);
}

int CurlExchange::on_debug(CURL*, curl_infotype type, char* data, std::size_t size, void* self) {
    if (type == CURLINFO_TEXT) {
        static_cast<CurlExchange*>(self)->take_http2_text({data, size});
    }
    return 0;
}

void CurlExchange::take_http2_text(std::string_view text) {
    constexpr std::string_view stream_text = "Using Stream ID: ";
    constexpr std::string_view newer_stream_text = "[HTTP/2] [";  // ... "1] OPENED stream for"
    constexpr std::string_view opened_text = "] OPENED";
    constexpr std::string_view goaway_text = "GOAWAY, error=";
    constexpr std::string_view last_text = "last_stream=";
    const auto number_at = [](std::string_view digits) {
        const auto end = digits.find_first_not_of("0123456789");
        return parse_number<unsigned>(digits.substr(0, end));
    };
    if (text.starts_with("REFUSED_STREAM")) {
        progress_.stream_refused = true;
    } else if (text.starts_with(stream_text)) {
        progress_.stream_id = number_at(text.substr(stream_text.size())).value_or(0);
    } else if (text.starts_with(newer_stream_text)) {
        if (text.find(opened_text) == std::string_view::npos) return;
        progress_.stream_id = number_at(text.substr(newer_stream_text.size())).value_or(0);
    } else if (text.find(goaway_text) != std::string_view::npos) {
        const auto last = text.find(last_text);
        if (last == std::string_view::npos) return;
        const auto last_stream = number_at(text.substr(last + last_text.size()));
        progress_.stream_refused = last_stream && progress_.stream_id > *last_stream;
    }
}

curl_socket_t CurlExchange::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
    auto& exchange = *static_cast<CurlExchange*>(self);
    std::array<char, INET6_ADDRSTRLEN> text{};
    const auto* const generic = &address->addr;
    if (address->family == AF_INET) {
        sockaddr_in ip4{};
        std::memcpy(&ip4, generic, sizeof ip4);
        inet_ntop(AF_INET, &ip4.sin_addr, text.data(), text.size());
    } else if (address->family == AF_INET6) {
        sockaddr_in6 ip6{};
        std::memcpy(&ip6, generic, sizeof ip6);
        inet_ntop(AF_INET6, &ip6.sin6_addr, text.data(), text.size());
    }
    if (!exchange.context_->address_policy(text.data())) {
        exchange.progress_.address_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

Result<HttpResponse> CurlExchange::finish(CURLcode code) {
    if (code != CURLE_OK) return failure(code);
    response_.status = static_cast<int>(status());
    return std::move(response_);
}

Error CurlExchange::cancelled() const {
    return make_error(ErrorKind::cancelled, reached_stage(), "the call was cancelled");
}

Error CurlExchange::failure(CURLcode code) const {
    const auto stage = stage_of_code(code, reached_stage());
    // What we stopped ourselves is told as that, whatever libcurl calls it.
    if (progress_.too_large) {
        return make_error(ErrorKind::transport, Stage::receive, "the answer is larger than allowed",
                          "max_response_bytes");
    }
    if (progress_.sink_stopped) {
        return make_error(ErrorKind::transport, Stage::receive, "the body sink stopped the answer");
    }
    if (progress_.address_refused) {
        return make_error(ErrorKind::transport, Stage::connect,
                          "the address of the host is not one that may be connected to");
    }
    if (progress_.stream_refused) {
        return make_error(ErrorKind::transport, Stage::send,
                          "the server refused the HTTP/2 stream");
    }
    if (progress_.repeat_refused) {
        return make_error(ErrorKind::transport, Stage::receive,
                          "the connection was closed before the first byte of the answer");
    }
    // Then what a proxy did, a deadline, and TLS; for the rest libcurl's own words do.
    if (const auto status = tunnel_status();
        !progress_.issued && status != 0 && status / 100 != 2) {
        return make_error(ErrorKind::transport, Stage::connect,
                          "the proxy refused the tunnel, with status " + std::to_string(status));
    }
    const std::string_view who = is_at_proxy(stage) ? "the proxy could not be used: " : "";
    if (code == CURLE_OPERATION_TIMEDOUT && stage == Stage::prepare) {
        return make_error(ErrorKind::timeout, stage,
                          "the call's time was over before it had a connection")
            .with([](ErrorData& data) {
                data.hint = "have fewer calls in flight, or raise CurlOptions::max_connections";
            });
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
        return make_error(ErrorKind::timeout, stage,
                          std::string(who) + "there was no answer in time");
    }
    if (stage == Stage::tls) return make_error(ErrorKind::transport, stage, tls_problem(code));
    std::string summary = curl_easy_strerror(code);
    if (!summary.empty()) summary.front() = ascii_lower(summary.front());
    return make_error(ErrorKind::transport, stage, summary.insert(0, who));
}

/// The answer's, as libcurl read it; what it read is also what it goes by.
long CurlExchange::status() const noexcept {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/// What the proxy answered to CONNECT; 0 when it did not, or was not asked.
long CurlExchange::tunnel_status() const noexcept {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &status);
    return status;
}

/// Until its tunnel stands, or it gets a plain request, the proxy is whom we deal with.
bool CurlExchange::is_at_proxy(Stage stage) const noexcept {
    if (proxy_->url.empty() || progress_.issued || tunnel_status() / 100 == 2) return false;
    return stage == Stage::resolve || stage == Stage::connect ||
           (stage == Stage::tls && proxy_->tls);
}

Error CurlExchange::make_error(ErrorKind kind, Stage stage, std::string summary,
                               std::string field) const {
    const auto [host, port] =
        is_at_proxy(stage) ? HostAndPort{proxy_->host, proxy_->port} : host_and_port(request_->url);
    return Error{
        {.kind = kind,
         .effect = progress_.issued && !progress_.stream_refused ? Effect::unknown : Effect::none,
         .stage = stage,
         .summary = std::move(summary),
         .field = std::move(field),
         .host = std::string(host),
         .port = port}};
}

Stage CurlExchange::reached_stage() const noexcept {
    if (!progress_.begun) return Stage::prepare;  // libcurl still tells of the request before
    if (progress_.issued) return Stage::receive;
    const auto reached = [this](CURLINFO info) {
        curl_off_t microseconds = 0;
        curl_easy_getinfo(easy_.get(), info, &microseconds);
        return microseconds > 0;
    };
    if (!reached(CURLINFO_NAMELOOKUP_TIME_T)) return Stage::resolve;
    return progress_.tls_begun ? Stage::tls : Stage::connect;
}

std::string CurlExchange::tls_problem(CURLcode code) const {
    if (code == CURLE_SSL_CACERT_BADFILE) {
        return "the certificate authorities could not be read; tried: " +
               settings_.authorities.tried;
    }
    const bool at_proxy = is_at_proxy(Stage::tls);
    const std::string whose = at_proxy ? "the proxy's" : "the server's";
    long verdict = X509_V_OK;
    curl_easy_getinfo(easy_.get(),
                      at_proxy ? CURLINFO_PROXY_SSL_VERIFYRESULT : CURLINFO_SSL_VERIFYRESULT,
                      &verdict);
    // libcurl looks at the name last, and leaves the verdict at 1 when that does not fit.
    const bool chain_refused = verdict != X509_V_OK && verdict != X509_V_ERR_UNSPECIFIED;
    if (!chain_refused && code == CURLE_PEER_FAILED_VERIFICATION) {
        return whose + " certificate is for another host name";
    }
    if (!chain_refused) {
        return (at_proxy ? "TLS handshake with the proxy failed: " : "TLS handshake failed: ") +
               std::string(tls_error_.data());
    }
    auto problem = whose + " certificate is refused: ";
    problem += X509_verify_cert_error_string(verdict);
    if (verdict != X509_V_ERR_CERT_HAS_EXPIRED && verdict != X509_V_ERR_CERT_NOT_YET_VALID) {
        problem += "; certificate authorities from: " + settings_.authorities.tried;
    }
    return problem;
}

}  // namespace twiliowa::detail
