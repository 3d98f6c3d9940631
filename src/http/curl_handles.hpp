/// @file
/// libcurl's handles, owned.
#pragma once

#include <curl/curl.h>

#include <memory>

namespace twiliowa::detail {

struct CurlEasyDeleter {
    void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct CurlMultiDeleter {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
struct CurlHeadersDeleter {
    /// Wipes the lines first: one of them is the Authorization header.
    void operator()(curl_slist* list) const noexcept;
};
using CurlEasy = std::unique_ptr<CURL, CurlEasyDeleter>;
struct CurlUrlDeleter {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
using CurlUrl = std::unique_ptr<CURLU, CurlUrlDeleter>;
using CurlMulti = std::unique_ptr<CURLM, CurlMultiDeleter>;
using CurlHeaders = std::unique_ptr<curl_slist, CurlHeadersDeleter>;

}  // namespace twiliowa::detail
