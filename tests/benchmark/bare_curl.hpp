// The measure to compare with: libcurl posting the same bytes and decoding nothing.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

#include <curl/curl.h>

#include <twiliowa/http/http_transport.hpp>

namespace benchmark_support {

inline void require_curl(CURLcode code, const char* what) {
    if (code == CURLE_OK) return;
    std::fprintf(stderr, "%s: %s\n", what, curl_easy_strerror(code));
    std::exit(1);
}

/// A handle that posts `request` again and again. Header list and body outlive it.
class BareRequest {
public:
    BareRequest(const twiliowa::HttpRequest& request, const std::string& ca_file, bool http2)
        : handle_(curl_easy_init()), body_(request.body) {
        for (const auto& [name, value] : request.headers) add_header(name + ": " + value);
        add_header("Authorization: " + std::string(request.authorization.reveal()));
        add_header("Expect:");
        curl_easy_setopt(handle_, CURLOPT_URL, request.url.c_str());
        curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers_);
        curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, body_.c_str());
        curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE, static_cast<long>(body_.size()));
        curl_easy_setopt(handle_, CURLOPT_CAINFO, ca_file.c_str());
        curl_easy_setopt(handle_, CURLOPT_HTTP_VERSION,
                         http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(handle_, CURLOPT_PIPEWAIT, http2 ? 1L : 0L);
        curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &BareRequest::discard);
    }
    BareRequest(const BareRequest&) = delete;
    BareRequest& operator=(const BareRequest&) = delete;
    ~BareRequest() {
        curl_easy_cleanup(handle_);
        curl_slist_free_all(headers_);
    }

    CURL* handle() const { return handle_; }
    void perform() { require_curl(curl_easy_perform(handle_), "bare libcurl"); }

private:
    static std::size_t discard(char*, std::size_t size, std::size_t count, void*) {
        return size * count;
    }
    void add_header(const std::string& line) {
        headers_ = curl_slist_append(headers_, line.c_str());
    }

    CURL* handle_;
    curl_slist* headers_ = nullptr;
    std::string body_;
};

}  // namespace benchmark_support
