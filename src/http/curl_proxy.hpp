/// @file
/// A proxy, and what errors say of it.
#pragma once

#include <string>

namespace twiliowa::detail {

/// A proxy as libcurl takes it. Without a URL there is none.
struct CurlProxy {
    CurlProxy() = default;
    explicit CurlProxy(std::string given);

    std::string url = {};   ///< May hold a password.
    std::string host = {};  ///< For errors; empty when the URL cannot be read.
    int port = 0;
    bool tls = false;  ///< The way to the proxy itself is encrypted.
};

}  // namespace twiliowa::detail
