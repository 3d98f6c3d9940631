/// @file
/// A webhook as it comes in and the answer as it goes out, in no web framework's terms: copy the
/// fields from the one you use, and to it.
#pragma once

#include <string>

#include <twiliowa/types/http_headers.hpp>

namespace twiliowa {

/// One HTTP request, as received: nothing decoded, nothing re-encoded, as Twilio's signature is
/// over these bytes.
struct WebhookRequest {
    std::string method = "POST";
    std::string scheme = {};  ///< `http` or `https`, as this server was reached; may be empty.
    std::string target = {};  ///< The request line's: path and query, `/whatsapp?tenant=7`.
    HttpHeaders headers = {};
    std::string body = {};
    std::string peer = {};  ///< IP address of the connection's other end, without its port.
};

/// What to answer. The body's type is in the headers.
struct WebhookResponse {
    int status = 200;
    HttpHeaders headers = {};
    std::string body = {};
};

}  // namespace twiliowa
