#include "webhook_caller.hpp"

#include <array>
#include <utility>

#include <twiliowa/types/clock.hpp>

#include "text/ascii.hpp"

namespace cli {

using twiliowa::HttpMethod;
using twiliowa::HttpRequest;
using twiliowa::Result;
using twiliowa::WebhookRequest;
using twiliowa::WebhookResponse;

namespace {

/// What belongs to one connection, and is made anew for the next.
bool is_of_the_connection(std::string_view name) {
    constexpr std::array<std::string_view, 6> names{"Host",           "Connection",
                                                    "Content-Length", "Transfer-Encoding",
                                                    "Keep-Alive",     "Accept-Encoding"};
    for (const auto each : names) {
        if (twiliowa::detail::equals_ignoring_case(each, name)) return true;
    }
    return false;
}

}  // namespace

Result<WebhookResponse> WebhookCaller::call(const std::string& url, const WebhookRequest& request) {
    HttpRequest call{.method = request.method == "GET" ? HttpMethod::get : HttpMethod::post,
                     .url = url};
    for (const auto& [name, value] : request.headers) {
        if (!is_of_the_connection(name)) call.headers.emplace_back(name, value);
    }
    if (call.method == HttpMethod::post) call.body = request.body;
    auto answer = transport_.send(
        call, {.deadline = twiliowa::system_clock()->monotonic_now() + time_, .cancel = cancel_});
    if (!answer) return answer.error();
    return WebhookResponse{.status = answer->status,
                           .headers = std::move(answer->headers),
                           .body = std::move(answer->body)};
}

}  // namespace cli
