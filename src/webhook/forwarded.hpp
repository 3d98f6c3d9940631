/// @file
/// What proxies say about the request that they pass on.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/types/http_headers.hpp>

namespace twiliowa::detail {

/// As text of the headers, unchecked; empty where nothing is said.
struct ForwardedRequest {
    std::string proto = {};
    std::string host = {};
    std::string port = {};
    std::string prefix = {};
};

/// From Forwarded (RFC 7239) where it is there, else from X-Forwarded-*. The last hop in each list
/// was written by the peer; one before it counts as long as `is_trusted` holds for the addresses
/// from which the hops behind it came. Nullopt if Forwarded is there and cannot be read.
std::optional<ForwardedRequest> read_forwarded(
    const HttpHeaders& headers, const std::function<bool(std::string_view)>& is_trusted);

}  // namespace twiliowa::detail
