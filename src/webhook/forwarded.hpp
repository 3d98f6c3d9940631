/// @file
/// What proxies say about the request that they pass on.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <twiliowa/types/result.hpp>
#include <twiliowa/webhook/webhook_request.hpp>

namespace twiliowa::detail {

/// As text of the headers, unchecked; empty where nothing is said.
struct ForwardedRequest {
    std::string proto = {};
    std::string host = {};
    std::string port = {};
    std::string prefix = {};
    /// The headers that say the first two.
    std::string_view proto_header = "X-Forwarded-Proto";
    std::string_view host_header = "X-Forwarded-Host";
};

/// The headers' families.
enum class ForwardedFamily { x_forwarded, forwarded };

/// From `family`; the prefix from X-Forwarded-Prefix always, as Forwarded has none. The last hop in
/// each list was written by the peer; one before it counts as long as `is_trusted` holds for the
/// addresses from which the hops behind it came. Errors: InvalidRequestError naming the header that
/// cannot be read, that has neither one entry nor one for each hop, or that names another scheme or
/// place than the other family does.
Result<ForwardedRequest> read_forwarded(const WebhookRequest& request, ForwardedFamily family,
                                        const std::function<bool(std::string_view)>& is_trusted);

/// The address that the request came from by the word of a peer that is trusted: of the hops in
/// `family`, from the last one on, the first for which `is_trusted` does not hold, without its
/// port; the very first where it holds for all. Empty where none is named, or that one is no
/// address. What stands before it anybody may have written: it is not looked at, but for the form
/// of Forwarded.
std::string read_client(const HttpHeaders& headers, ForwardedFamily family,
                        const std::function<bool(std::string_view)>& is_trusted);

}  // namespace twiliowa::detail
