#include "http/curl_proxy.hpp"

#include <curl/curl.h>

#include <utility>

#include "http/curl_handles.hpp"
#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

constexpr int default_proxy_port = 1080;  // libcurl's
constexpr int default_tls_proxy_port = 443;

std::string proxy_url_part(CURLU* url, CURLUPart part) {
    char* text = nullptr;
    if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
    std::string copy = text;
    curl_free(text);
    return copy;
}

}  // namespace

CurlProxy::CurlProxy(std::string given) : url(std::move(given)) {
    const CurlUrl parsed{curl_url()};
    const unsigned lenient = CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME;  // as libcurl has it
    if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), lenient) != CURLUE_OK) return;
    host = proxy_url_part(parsed.get(), CURLUPART_HOST);
    tls = proxy_url_part(parsed.get(), CURLUPART_SCHEME) == "https";
    port = parse_number<int>(proxy_url_part(parsed.get(), CURLUPART_PORT))
               .value_or(tls ? default_tls_proxy_port : default_proxy_port);
}

}  // namespace twiliowa::detail
