/// @file
/// What all handles of one CurlTransport share: options, made ready for libcurl.
#pragma once

#include <string>

#include <twiliowa/http/curl_transport.hpp>

namespace twiliowa::detail {

struct CurlSettings {
    explicit CurlSettings(CurlOptions given);

    CurlOptions options;
    std::string ca_file = {};
    std::string ca_directory = {};
    std::string ca_tried = {};  ///< For errors: where certificate authorities were looked for.
    std::string http_proxy = {};
    std::string https_proxy = {};
    std::string no_proxy = {};
};

/// curl_global_init, once in the life of the process; never undone, since others may use libcurl.
void initialise_curl();

}  // namespace twiliowa::detail
