#include "call/api_host.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "net/ip.hpp"
#include "net/url.hpp"
#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

/// Region and the edge that belongs to it (facts 8).
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> region_edges{{
    {"au1", "sydney"},
    {"br1", "sao-paulo"},
    {"de1", "frankfurt"},
    {"ie1", "dublin"},
    {"jp1", "tokyo"},
    {"jp2", "osaka"},
    {"sg1", "singapore"},
    {"us1", "ashburn"},
    {"us2", "umatilla"},
}};

bool is_host_label(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
           });
}

/// Names joined by dots, with one more at the end if need be; or an IPv6 address in its brackets.
bool is_base_host(std::string_view host) {
    if (host.front() == '[') {
        return host.size() > 2 && host.back() == ']' && host.find(':') != std::string_view::npos &&
               parse_ip_address(host);
    }
    if (host.find_first_of("[]") != std::string_view::npos || host.size() > 253) return false;
    if (host.ends_with('.')) host.remove_suffix(1);
    while (true) {
        const auto name = host.substr(0, host.find('.'));
        if (name.empty() || name.size() > 63) return false;
        if (name.size() == host.size()) return true;
        host.remove_prefix(name.size() + 1);
    }
}

Result<ApiOrigin> parse_base_url(std::string_view url) {
    const auto refuse_base = [](std::string_view problem) {
        return Error::invalid_request("base_url", problem,
                                      "give scheme, host and port only: http://127.0.0.1:8080");
    };
    ApiOrigin origin;
    std::string_view rest = url;
    if (rest.starts_with("https://")) {
        rest.remove_prefix(8);
    } else if (rest.starts_with("http://")) {
        rest.remove_prefix(7);
        origin.port = 80;
    } else {
        return refuse_base("does not begin with http:// or https://");
    }
    while (rest.ends_with('/')) rest.remove_suffix(1);
    const bool clean = std::all_of(rest.begin(), rest.end(), [](char c) {
        return is_letter_or_digit(c) || c == '.' || c == '-' || c == ':' || c == '[' || c == ']' ||
               c == '_';
    });
    if (!clean) return refuse_base("holds more than scheme, host and port");
    const auto authority = split_authority(rest);
    if (!authority) return refuse_base("has no valid host, or no valid port");
    const auto port = authority->port_or(origin.port);
    if (!port) return refuse_base("has no valid port");
    origin.host = authority->host;
    origin.port = *port;
    if (!is_base_host(origin.host)) return refuse_base("has a host that is none");
    origin.base = url.substr(0, url.find("://") + 3 + rest.size());
    return origin;
}

}  // namespace

Result<ApiOrigin> api_origin(std::string_view product, std::string_view edge,
                             std::string_view region, std::string_view base_url) {
    if (!base_url.empty()) return parse_base_url(base_url);
    for (const auto& [field, value] : {std::pair{"edge", edge}, std::pair{"region", region}}) {
        if (!value.empty() && !is_host_label(value)) {
            return Error::invalid_request(field, "is not a name of lower-case letters and digits",
                                          "such as edge dublin with region ie1");
        }
    }
    std::string host(product);
    if (!edge.empty() || !region.empty()) {
        const auto pair = std::find_if(region_edges.begin(), region_edges.end(),
                                       [&](const auto& p) { return p.first == region; });
        if (edge.empty() && pair == region_edges.end()) {
            return Error::invalid_request("edge", "is missing",
                                          "Twilio's hosts name edge and region together");
        }
        host.append(1, '.').append(edge.empty() ? pair->second : edge);
        host.append(1, '.').append(region.empty() ? std::string_view{"us1"} : region);
    }
    host += ".twilio.com";
    return ApiOrigin{"https://" + host, host, 443};
}

Result<std::string> same_origin_url(const ApiOrigin& origin, std::string_view link) {
    const auto refuse_link = [](std::string_view problem) {
        return Error::invalid_request("next_page_uri", problem,
                                      "credentials are sent to the API's own host only");
    };
    const bool clean = std::all_of(link.begin(), link.end(), [](char c) {
        return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f &&
               c != '\\' && c != '#';
    });
    if (link.empty() || !clean) return refuse_link("is not a link");
    if (link.starts_with(origin.base)) {
        link.remove_prefix(origin.base.size());
    } else if (link.find("://") < link.find_first_of("/?")) {
        return refuse_link("leads to another host");
    }
    if (!link.starts_with('/') || link.starts_with("//"))
        return refuse_link("leads to another host");
    return origin.base + std::string(link);
}

}  // namespace twiliowa::detail
