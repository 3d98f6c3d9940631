/// @file
/// What all handles of one CurlTransport share: options, made ready for libcurl.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/http/curl_transport.hpp>

#include "http/certificate_authorities.hpp"
#include "http/curl_proxy.hpp"

namespace twiliowa::detail {

struct CurlSettings {
    explicit CurlSettings(CurlOptions given);

    /// The proxy on the way to a host.
    const CurlProxy& proxy_to(bool tls, std::string_view host) const;

    CurlOptions options;
    CertificateAuthorities authorities;
    CurlProxy http_proxy = {};
    CurlProxy https_proxy = {};
    CurlProxy direct = {};  ///< None.
    std::string no_proxy = {};
};

/// curl_global_init, once in the life of the process; never undone, since others may use libcurl.
void initialise_curl();

}  // namespace twiliowa::detail
