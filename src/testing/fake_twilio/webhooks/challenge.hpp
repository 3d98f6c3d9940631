/// @file
/// Answering a server that asks who is there: Basic (RFC 7617) and Digest (RFC 7616).
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/types/http_headers.hpp>

namespace twiliowa::testing::fake {

/// Who a webhook's URL says it is, and the request that was asked.
struct FakeChallenged {
    std::string_view user = {};
    std::string_view password = {};
    std::string_view method = {};
    std::string_view target = {};  ///< Path and query.
    std::string_view nonce = {};   ///< The client's own, for Digest.
};

/// The Authorization header that answers the WWW-Authenticate headers: Digest where it is offered
/// (MD5 or SHA-256, qop auth or none), else Basic. Empty when there is nothing to answer.
std::string answer_challenge(const HttpHeaders& headers, const FakeChallenged& challenged);

}  // namespace twiliowa::testing::fake
