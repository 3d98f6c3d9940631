/// @file
/// Requests of commands to programs of the user's own.
#pragma once

#include <chrono>
#include <string>

#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/webhook/webhook_request.hpp>

namespace cli {

/// Brings webhooks to a program, as Twilio does: 15 seconds, and no redirects.
class WebhookCaller {
public:
    explicit WebhookCaller(twiliowa::CancelToken cancel) : cancel_(std::move(cancel)) {}

    /// The request's method, headers and body, to `url`. Errors as those of a transport.
    twiliowa::Result<twiliowa::WebhookResponse> call(const std::string& url,
                                                     const twiliowa::WebhookRequest& request);

private:
    static constexpr std::chrono::seconds time_{15};

    twiliowa::CurlTransport transport_;
    twiliowa::CancelToken cancel_;
};

}  // namespace cli
