/// @file
/// Which host the API is at, and keeping credentials there.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// Twilio's products have hosts of their own.
enum class ApiProduct { api, messaging, content };
/// Their names in host names, in the order of ApiProduct.
inline constexpr std::array<std::string_view, 3> api_products{"api", "messaging", "content"};

/// Scheme, host and port: where credentials may go.
struct ApiOrigin {
    std::string base;  ///< `https://api.twilio.com`, without a slash at the end.
    std::string host;
    int port = 443;
};

/// The API's origin: `base_url` if given, else Twilio's for `product` ("api"), edge and region,
/// which are always named together (facts 8: a region without an edge is no longer served).
Result<ApiOrigin> api_origin(std::string_view product, std::string_view edge,
                             std::string_view region, std::string_view base_url);

/// The absolute URL of a link from an answer: relative to `origin`, or absolute and on it. Any
/// other is refused.
Result<std::string> same_origin_url(const ApiOrigin& origin, std::string_view link);

}  // namespace twiliowa::detail
