#include "http/curl_settings.hpp"

#include <curl/curl.h>

#include <filesystem>
#include <initializer_list>
#include <mutex>
#include <string>
#include <utility>

#include "http/no_proxy.hpp"
#include "types/environment.hpp"

namespace twiliowa::detail {

namespace {

CertificateAuthorities authorities_here(const CurlOptions& options) {
    const auto* const version = curl_version_info(CURLVERSION_NOW);
    const auto text = [](const char* found) { return std::string(found == nullptr ? "" : found); };
    return find_certificate_authorities(
        {options.ca_file, options.ca_directory, options.ca_pem},
        {environment_variable("SSL_CERT_FILE"), text(version->cainfo), text(version->capath),
         [](const std::string& path) {
             std::error_code error;
             return std::filesystem::exists(path, error);
         }});
}

std::string first_variable(std::initializer_list<const char*> names) {
    for (const char* name : names) {
        auto value = environment_variable(name);
        if (!value.empty()) return value;
    }
    return {};
}

}  // namespace

CurlSettings::CurlSettings(CurlOptions given)
    : options(std::move(given)), authorities(authorities_here(options)) {
    if (options.proxy == "none") return;
    if (!options.proxy.empty()) {
        http_proxy = https_proxy = CurlProxy(options.proxy);
        return;
    }
    // The variables libcurl reads, read once instead of at every request. HTTP_PROXY in capitals
    // is not among them: a CGI program would take it from a request's header.
    https_proxy =
        CurlProxy(first_variable({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}));
    http_proxy = CurlProxy(first_variable({"http_proxy", "all_proxy", "ALL_PROXY"}));
    no_proxy = first_variable({"no_proxy", "NO_PROXY"});
}

const CurlProxy& CurlSettings::proxy_to(bool tls, std::string_view host) const {
    if (goes_without_proxy(host, no_proxy)) return direct;
    return tls ? https_proxy : http_proxy;
}

void initialise_curl() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace twiliowa::detail
