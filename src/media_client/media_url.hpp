/// @file
/// Where a download may go: URLs of media, and of what they redirect to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/types/result.hpp>

#include "call/api_host.hpp"

namespace twiliowa::detail {

/// An absolute http or https URL without user information and fragment.
struct MediaUrl {
    bool https = true;
    std::string host = {};  ///< In lower case; an IPv6 address in its brackets.
    int port = 443;
    std::string target = {};  ///< Path and query, as they came.

    std::string text() const;
    bool same_origin(const MediaUrl& other) const noexcept {
        return https == other.https && port == other.port && host == other.host;
    }
};

/// Strict: what libcurl and this function could read differently is refused.
std::optional<MediaUrl> parse_media_url(std::string_view text);

/// The URL to ask for the file that `link` names: credentials go there. A link is absolute, on the
/// API's origin (or on https://api.twilio.com, whose paths are the same), or begins with a slash;
/// its path must be that of a media resource, with or without `.json`. Any other is refused.
Result<MediaUrl> media_resource_url(const ApiOrigin& origin, std::string_view link);

/// Where an answer of `from` redirects to, or nullopt if that cannot be made out.
std::optional<MediaUrl> redirect_target(const MediaUrl& from, std::string_view location);

/// Whether `rule`, `[*.]host[:port][/path prefix]`, is well-formed.
bool is_redirect_rule(std::string_view rule);
/// Whether `rule` allows `url`, which must be https.
bool redirect_rule_allows(std::string_view rule, const MediaUrl& url);

}  // namespace twiliowa::detail
