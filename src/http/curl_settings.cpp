#include "http/curl_settings.hpp"

#include <curl/curl.h>

#include <filesystem>
#include <mutex>
#include <utility>

#include "detail/environment.hpp"

namespace twiliowa::detail {

namespace {

/// Where Linux distributions keep the bundle of certificate authorities.
constexpr const char* well_known_ca_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // newer RHEL
    "/etc/ssl/ca-bundle.pem",                             // openSUSE
    "/etc/ssl/cert.pem",                                  // Alpine, macOS
};

bool file_exists(const std::string& path) {
    std::error_code error;
    return std::filesystem::exists(path, error);
}

std::string first_variable(std::initializer_list<const char*> names) {
    for (const char* name : names) {
        auto value = environment_variable(name);
        if (!value.empty()) return value;
    }
    return {};
}

void find_certificate_authorities(CurlSettings& settings) {
    const auto try_file = [&](const std::string& path) {
        if (path.empty() || !settings.ca_file.empty()) return;
        settings.ca_tried += (settings.ca_tried.empty() ? "" : ", ") + path;
        if (file_exists(path)) settings.ca_file = path;
    };
    const auto& given = settings.options;
    if (!given.ca_pem.empty()) {
        settings.ca_tried = "the PEM text given";
        return;
    }
    if (!given.ca_file.empty() || !given.ca_directory.empty()) {
        settings.ca_file = given.ca_file;
        settings.ca_directory = given.ca_directory;
        settings.ca_tried = given.ca_file.empty() ? given.ca_directory : given.ca_file;
        return;
    }
    try_file(environment_variable("SSL_CERT_FILE"));
    const auto* const version = curl_version_info(CURLVERSION_NOW);
    if (version->cainfo != nullptr) try_file(version->cainfo);
    for (const char* path : well_known_ca_files) try_file(path);
    if (settings.ca_file.empty() && version->capath != nullptr) {
        settings.ca_directory = version->capath;
        settings.ca_tried += std::string(", ") + version->capath;
    }
}

}  // namespace

CurlSettings::CurlSettings(CurlOptions given) : options(std::move(given)) {
    find_certificate_authorities(*this);
    if (options.proxy == "none") return;
    if (!options.proxy.empty()) {
        http_proxy = https_proxy = options.proxy;
        return;
    }
    // The variables libcurl reads, read once instead of at every request. HTTP_PROXY in capitals
    // is not among them: a CGI program would take it from a request's header.
    https_proxy = first_variable({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
    http_proxy = first_variable({"http_proxy", "all_proxy", "ALL_PROXY"});
    no_proxy = first_variable({"no_proxy", "NO_PROXY"});
}

void initialise_curl() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace twiliowa::detail
