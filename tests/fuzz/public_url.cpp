// The URL of a request. The input is the request line's target, then headers, a line each: the URL
// is either refused or one that the validator can take apart, with nothing in it that ends a line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <twiliowa/webhook/public_url.hpp>

#include "net/url.hpp"

namespace {

std::string_view next_line(std::string_view& input) {
    const auto end = input.find('\n');
    const auto line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    static const PublicUrl urls[] = {
        PublicUrl::as_received(), PublicUrl::fixed("https://user:pass@example.com:8443/hooks/"),
        PublicUrl::behind_proxies({"127.0.0.1", "10.0.0.0/8", "fd00::/8"}),
        PublicUrl::behind_proxies({"127.0.0.1"}, {.forwarded = true, .prefix = true})};

    std::string_view input(reinterpret_cast<const char*>(data), size);
    WebhookRequest request;
    request.scheme = "http";
    request.peer = "127.0.0.1";
    request.target = next_line(input);
    while (!input.empty()) {
        const auto line = next_line(input);
        const auto colon = std::min(line.find(':'), line.size());
        request.headers.emplace_back(line.substr(0, colon),
                                     line.substr(std::min(colon + 1, line.size())));
    }
    for (const auto& how : urls) {
        const auto url = how.url_of(request);
        if (!url) continue;
        if (std::any_of(url->begin(), url->end(),
                        [](char c) { return static_cast<unsigned char>(c) <= 0x20; })) {
            std::abort();
        }
        const auto parts = detail::split_url(*url);
        if (!parts || parts->rest.empty() || parts->rest.front() != '/') std::abort();
        if (parts->host.find_first_of("@/?#\\") != std::string_view::npos) std::abort();
    }
    // Also as a peer, a base and a path.
    static_cast<void>(PublicUrl::try_behind_proxies({request.target}));
    if (const auto base = PublicUrl::try_fixed(request.target)) {
        static_cast<void>(base->try_webhook_url("/a"));
    }
    static_cast<void>(connection_fragment({.retry_on = request.target}));
    return 0;
}
