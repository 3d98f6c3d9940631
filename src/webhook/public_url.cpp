#include <twiliowa/webhook/public_url.hpp>

#include <algorithm>
#include <array>

#include "net/ip.hpp"
#include "net/url.hpp"
#include "text/ascii.hpp"
#include "webhook/forwarded.hpp"

namespace twiliowa {

namespace {

bool has_space_or_control(std::string_view text) noexcept {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
}

bool is_host_character(char c) noexcept {
    return detail::is_letter_or_digit(c) || c == '.' || c == '-' || c == '_';
}

bool is_port(std::string_view text) noexcept {
    const auto number = detail::parse_number<int>(text);
    return number && text.size() <= 5 && *number >= 0 && *number <= 65535;
}

/// A name or an address, and maybe a port: what a Host header may be. Nothing else gets into a URL.
bool is_host_and_port(std::string_view text) noexcept {
    const auto parts = detail::split_authority(text);
    if (!parts || text.size() > 300 || !parts->user.empty()) return false;
    if (!parts->port.empty() && !is_port(parts->port.substr(1))) return false;
    if (parts->host.front() == '[') return detail::parse_ip_address(parts->host).has_value();
    return std::all_of(parts->host.begin(), parts->host.end(), is_host_character);
}

/// Its path and query, also where a request line holds a whole URL.
Result<std::string_view> path_of_target(std::string_view target) {
    const auto refuse = [] {
        return Error::invalid_request("target", "the request's target is no path",
                                      "pass path and query as they are in the request line");
    };
    // No client sends a fragment; cut off here, it could be read as parameters elsewhere.
    if (target.empty() || has_space_or_control(target) ||
        target.find('#') != std::string_view::npos) {
        return refuse();
    }
    if (target.front() == '/') return target;
    const auto url = detail::split_url(target);
    if (!url || url->rest.empty() || url->rest.front() != '/') return refuse();
    return url->rest;
}

std::string_view without_last_slash(std::string_view text) noexcept {
    if (!text.empty() && text.back() == '/') text.remove_suffix(1);
    return text;
}

Result<std::string> received_scheme(std::string_view scheme, std::string_view field) {
    for (const std::string_view known : {"https", "http"}) {
        if (detail::equals_ignoring_case(scheme, known)) return std::string(known);
    }
    return Error::invalid_request(
        field, scheme.empty() ? "not known whether it was http or https" : "neither http nor https",
        "set WebhookRequest::scheme, or use PublicUrl::fixed");
}

/// A default port is left out; the validator tries both.
bool adds_port(std::string_view scheme, std::string_view host, std::string_view port) noexcept {
    if (port.empty() || port == (scheme == "https" ? "443" : "80")) return false;
    const auto parts = detail::split_authority(host);
    return parts && parts->port.empty();
}

/// The header that named the host.
std::string_view host_header(const detail::ForwardedRequest& forwarded) noexcept {
    return forwarded.host.empty() ? "Host" : forwarded.host_header;
}

/// Where a request was made to, but for its path.
struct RequestOrigin {
    std::string scheme = {};
    std::string authority = {};  ///< Host and port, as they will stand in the URL.
};

/// Where no proxy said it, what was received counts.
Result<RequestOrigin> origin_as_said(const WebhookRequest& request,
                                     const detail::ForwardedRequest& forwarded) {
    auto scheme = forwarded.proto.empty()
                      ? received_scheme(request.scheme, "scheme")
                      : received_scheme(forwarded.proto, forwarded.proto_header);
    if (!scheme) return scheme.error();
    const std::string_view host =
        forwarded.host.empty() ? find_header(request.headers, "Host") : forwarded.host;
    if (!is_host_and_port(host)) {
        return Error::invalid_request(host_header(forwarded), "not a host name or address");
    }
    if (!forwarded.port.empty() && !is_port(forwarded.port)) {
        return Error::invalid_request("X-Forwarded-Port", "not a port");
    }
    RequestOrigin origin{.scheme = std::move(*scheme), .authority = std::string(host)};
    if (adds_port(origin.scheme, host, forwarded.port)) {
        origin.authority.append(":").append(forwarded.port);
    }
    return origin;
}

Result<std::string> url_at(const RequestOrigin& origin, std::string_view forwarded_prefix,
                           std::string_view path) {
    const auto prefix = without_last_slash(forwarded_prefix);
    if (!prefix.empty() && (prefix.front() != '/' || has_space_or_control(prefix) ||
                            prefix.find_first_of("?#") != std::string_view::npos)) {
        return Error::invalid_request("X-Forwarded-Prefix", "not a path");
    }
    auto url = origin.scheme;
    url.append("://").append(origin.authority).append(prefix).append(path);
    return url;
}

bool is_retry_policy(std::string_view list) noexcept {
    constexpr std::array<std::string_view, 5> known{"4xx", "5xx", "ct", "rt", "all"};
    for (;;) {
        const auto comma = list.find(',');
        if (std::find(known.begin(), known.end(), list.substr(0, comma)) == known.end()) {
            return false;
        }
        if (comma == std::string_view::npos) return true;
        list.remove_prefix(comma + 1);
    }
}

bool is_known_edge(std::string_view edge) noexcept {
    constexpr std::array<std::string_view, 8> known{"ashburn",   "dublin", "frankfurt", "sao-paulo",
                                                    "singapore", "sydney", "tokyo",     "umatilla"};
    return std::find(known.begin(), known.end(), edge) != known.end();
}

}  // namespace

Result<std::string> connection_fragment(const ConnectionOverrides& overrides) {
    std::string text;
    const auto add = [&](std::string_view key, std::string_view value) {
        text.append(text.empty() ? "#" : "&").append(key).append("=").append(value);
    };
    struct Limit {
        std::string_view field;
        std::string_view key;
        std::optional<std::chrono::milliseconds> value;
        int most;
    };
    const Limit limits[] = {{"connect_timeout", "ct", overrides.connect_timeout, 10000},
                            {"read_timeout", "rt", overrides.read_timeout, 15000},
                            {"total_timeout", "tt", overrides.total_timeout, 15000}};
    for (const auto& limit : limits) {
        if (!limit.value) continue;
        const auto count = limit.value->count();
        if (count < 100 || count > limit.most) {
            return Error::invalid_request(limit.field, "out of range",
                                          "100 to " + std::to_string(limit.most) + " ms");
        }
        add(limit.key, std::to_string(count));
    }
    if (overrides.retries) {
        if (*overrides.retries < 0 || *overrides.retries > 5) {
            return Error::invalid_request("retries", "out of range", "0 to 5");
        }
        add("rc", std::to_string(*overrides.retries));
    }
    if (!overrides.retry_on.empty()) {
        if (!is_retry_policy(overrides.retry_on)) {
            return Error::invalid_request("retry_on", "not a list of what Twilio knows",
                                          "4xx, 5xx, ct, rt or all, without spaces");
        }
        add("rp", overrides.retry_on);
    }
    if (!overrides.edge.empty()) {
        if (!is_known_edge(overrides.edge)) {
            return Error::invalid_request("edge", "not an edge of Twilio's");
        }
        add("e", overrides.edge);
    }
    return text;
}

struct PublicUrl::Settings {
    std::string base = {};  ///< Without a slash at its end; empty unless fixed.
    std::vector<detail::IpNetwork> proxies = {};
    ProxyHeaders headers = {};

    bool is_allowed(const RequestOrigin& origin) const noexcept {
        const auto& hosts = headers.hosts;
        return hosts.empty() || std::any_of(hosts.begin(), hosts.end(), [&](const auto& allowed) {
                   return detail::is_same_place(origin.scheme, allowed, origin.authority);
               });
    }

    bool is_proxy(std::string_view address) const noexcept {
        return std::any_of(proxies.begin(), proxies.end(),
                           [&](const auto& network) { return network.contains(address); });
    }

    detail::ForwardedFamily family() const noexcept {
        return headers.forwarded ? detail::ForwardedFamily::forwarded
                                 : detail::ForwardedFamily::x_forwarded;
    }

    Result<void> set_base(std::string_view base_url);
    Result<void> set_proxies(const TextList& peers, const ProxyHeaders& chosen);
};

Result<void> PublicUrl::Settings::set_base(std::string_view base_url) {
    const auto refuse = [](std::string_view problem) {
        return Error::invalid_request("base_url", problem, "https://example.com or with a path");
    };
    const auto url = detail::split_url(base_url);
    if (!url || has_space_or_control(base_url)) return refuse("not an http or https URL");
    if (base_url.find_first_of("?#") != std::string_view::npos) {
        return refuse("a query or a fragment does not belong into it");
    }
    base = without_last_slash(base_url);
    return {};
}

Result<void> PublicUrl::Settings::set_proxies(const TextList& peers, const ProxyHeaders& chosen) {
    if (peers.empty()) return Error::invalid_request("peers", "no proxy is listed");
    headers = chosen;
    for (std::size_t i = 0; i < peers.size(); ++i) {
        const auto network = detail::IpNetwork::parse(peers[i]);
        if (!network) {
            return Error::invalid_request("peers[" + std::to_string(i) + "]",
                                          "neither an address nor a network",
                                          "10.0.0.7, 10.0.0.0/8, fd00::/8");
        }
        proxies.push_back(*network);
    }
    return {};
}

Result<PublicUrl> PublicUrl::try_fixed(std::string_view base_url) {
    auto settings = std::make_shared<Settings>();
    if (auto set = settings->set_base(base_url); !set) return set.error();
    return PublicUrl{std::move(settings)};
}

Result<PublicUrl> PublicUrl::try_fixed(std::string_view base_url, const TextList& peers,
                                       const ProxyHeaders& headers) {
    auto settings = std::make_shared<Settings>();
    if (auto set = settings->set_base(base_url); !set) return set.error();
    if (auto set = settings->set_proxies(peers, headers); !set) return set.error();
    return PublicUrl{std::move(settings)};
}

Result<PublicUrl> PublicUrl::try_behind_proxies(const TextList& peers,
                                                const ProxyHeaders& headers) {
    auto settings = std::make_shared<Settings>();
    if (auto set = settings->set_proxies(peers, headers); !set) return set.error();
    return PublicUrl{std::move(settings)};
}

PublicUrl PublicUrl::fixed(std::string_view base_url) {
    return try_fixed(base_url).value();
}

PublicUrl PublicUrl::fixed(std::string_view base_url, const TextList& peers,
                           const ProxyHeaders& headers) {
    return try_fixed(base_url, peers, headers).value();
}

PublicUrl PublicUrl::behind_proxies(const TextList& peers, const ProxyHeaders& headers) {
    return try_behind_proxies(peers, headers).value();
}

PublicUrl PublicUrl::as_received(TextList hosts) {
    auto settings = std::make_shared<Settings>();
    settings->headers.hosts = std::move(hosts);
    return PublicUrl{std::move(settings)};
}

Result<std::string> PublicUrl::url_of(const WebhookRequest& request) const {
    const auto path = path_of_target(request.target);
    if (!path) return path.error();
    if (!settings_->base.empty()) {
        std::string url;
        url.reserve(settings_->base.size() + path->size());
        url.append(settings_->base).append(*path);
        return url;
    }
    detail::ForwardedRequest said;
    if (settings_->is_proxy(request.peer)) {
        auto forwarded =
            detail::read_forwarded(request, settings_->family(),
                                   [&](std::string_view hop) { return settings_->is_proxy(hop); });
        if (!forwarded) return forwarded.error();
        said = std::move(*forwarded);
        if (!settings_->headers.prefix) said.prefix.clear();
    }
    const auto origin = origin_as_said(request, said);
    if (!origin) return origin.error();
    if (!settings_->is_allowed(*origin)) {
        return Error::invalid_request(host_header(said), "not among the hosts that are allowed",
                                      "PublicUrl takes those it was given, with their port");
    }
    return url_at(*origin, said.prefix, *path);
}

std::string PublicUrl::client_of(const WebhookRequest& request) const {
    if (!settings_->is_proxy(request.peer)) return request.peer;
    auto client =
        detail::read_client(request.headers, settings_->family(),
                            [&](std::string_view hop) { return settings_->is_proxy(hop); });
    return client.empty() ? request.peer : client;
}

Result<std::string> PublicUrl::try_webhook_url(std::string_view path,
                                               const ConnectionOverrides& overrides) const {
    if (settings_->base.empty()) {
        return Error::invalid_request("base_url", "this server's public address is not known",
                                      "use PublicUrl::fixed");
    }
    if (path.empty() || path.front() != '/' || has_space_or_control(path) ||
        path.find('#') != std::string_view::npos) {
        return Error::invalid_request("path", "not a path", "starts with /, encoded, no fragment");
    }
    auto fragment = connection_fragment(overrides);
    if (!fragment) return fragment;
    return std::string(settings_->base).append(path).append(*fragment);
}

std::string PublicUrl::webhook_url(std::string_view path,
                                   const ConnectionOverrides& overrides) const {
    return try_webhook_url(path, overrides).value();
}

}  // namespace twiliowa
