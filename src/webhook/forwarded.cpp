#include "webhook/forwarded.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "net/ip.hpp"
#include "net/url.hpp"
#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

/// All headers of the name as one list.
std::string joined_headers(const HttpHeaders& headers, std::string_view name) {
    std::string all;
    for (const auto& [key, value] : headers) {
        if (!equals_ignoring_case(key, name)) continue;
        if (!all.empty()) all += ',';
        all += value;
    }
    return all;
}

std::vector<std::string_view> entries_of(std::string_view list) {
    std::vector<std::string_view> entries;
    for (;;) {
        const auto comma = list.find(',');
        entries.push_back(trim(list.substr(0, comma), blanks));
        if (comma == std::string_view::npos) return entries;
        list.remove_prefix(comma + 1);
    }
}

/// An address of a hop without its port: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
std::string_view address_of_hop(std::string_view hop) noexcept {
    hop = trim(hop, blanks);
    if (!hop.empty() && hop.front() == '[') return hop.substr(0, hop.find(']') + 1);
    const auto colon = hop.find(':');
    return colon != std::string_view::npos && hop.rfind(':') == colon ? hop.substr(0, colon) : hop;
}

using ForwardedElement = std::vector<std::pair<std::string, std::string>>;

/// One `name=value`, the value a token or quoted; false where there is none.
bool read_forwarded_pair(std::string_view& text, ForwardedElement& element) {
    const auto equals = text.find_first_of("=;,\"");
    if (equals == std::string_view::npos || text[equals] != '=') return false;
    std::string name(trim(text.substr(0, equals), blanks));
    text.remove_prefix(equals + 1);
    std::string value;
    if (!text.empty() && text.front() == '"') {
        text.remove_prefix(1);
        bool closed = false;
        while (!text.empty() && !closed) {
            const char c = text.front();
            text.remove_prefix(1);
            if (c == '"') {
                closed = true;
            } else if (c != '\\') {
                value += c;
            } else if (!text.empty()) {
                value += text.front();
                text.remove_prefix(1);
            }
        }
        if (!closed) return false;
    } else {
        const auto end = std::min(text.find_first_of(";,"), text.size());
        value = trim(text.substr(0, end), blanks);
        text.remove_prefix(end);
    }
    element.emplace_back(std::move(name), std::move(value));
    return true;
}

std::optional<std::vector<ForwardedElement>> read_forwarded_list(std::string_view text) {
    std::vector<ForwardedElement> elements(1);
    for (;;) {
        text = trim(text, blanks);
        if (text.empty()) return elements;
        if (text.front() == ',') {
            elements.emplace_back();
            text.remove_prefix(1);
        } else if (text.front() == ';') {
            text.remove_prefix(1);
        } else {
            if (!read_forwarded_pair(text, elements.back())) return std::nullopt;
            text = trim(text, blanks);
            if (!text.empty() && text.front() != ',' && text.front() != ';') return std::nullopt;
        }
    }
}

std::string value_in(const ForwardedElement& element, std::string_view name) {
    for (const auto& [key, value] : element) {
        if (equals_ignoring_case(key, name)) return value;
    }
    return {};
}

using IsTrusted = std::function<bool(std::string_view)>;

Result<ForwardedRequest> read_standard(const HttpHeaders& headers, const IsTrusted& is_trusted) {
    ForwardedRequest request{.proto_header = "Forwarded", .host_header = "Forwarded"};
    const auto header = joined_headers(headers, "Forwarded");
    if (header.empty()) return request;
    const auto elements = read_forwarded_list(header);
    if (!elements) return Error::invalid_request("Forwarded", "is not a list of pairs");
    std::size_t hop = elements->size() - 1;
    while (hop > 0 && is_trusted(address_of_hop(value_in((*elements)[hop], "for")))) --hop;
    request.proto = value_in((*elements)[hop], "proto");
    request.host = value_in((*elements)[hop], "host");
    return request;
}

Result<ForwardedRequest> read_x_forwarded(const HttpHeaders& headers, const IsTrusted& is_trusted) {
    const auto path = joined_headers(headers, "X-Forwarded-For");
    const auto hops = entries_of(path);
    std::size_t behind = 0;  // the hops that a proxy of ours passed the request on to
    while (behind + 1 < hops.size() && is_trusted(address_of_hop(hops[hops.size() - 1 - behind]))) {
        ++behind;
    }
    ForwardedRequest request;
    const std::pair<std::string_view, std::string ForwardedRequest::*> members[] = {
        {"X-Forwarded-Proto", &ForwardedRequest::proto},
        {"X-Forwarded-Host", &ForwardedRequest::host},
        {"X-Forwarded-Port", &ForwardedRequest::port},
        {"X-Forwarded-Prefix", &ForwardedRequest::prefix},
    };
    for (const auto& [name, member] : members) {
        const auto list = joined_headers(headers, name);
        const auto entries = entries_of(list);
        // One entry was written by the last proxy over whatever was there. Of several it can be
        // told whose they are only where each proxy added to this list as to the other.
        if (entries.size() > 1 && entries.size() != hops.size()) {
            return Error::invalid_request(name, "has neither one entry nor one for each hop",
                                          "have the proxy set it, not add to it");
        }
        request.*member =
            entries.size() == 1 ? entries.front() : entries[entries.size() - 1 - behind];
    }
    return request;
}

/// Takes hops from the last one on.
class ClientSearch {
public:
    explicit ClientSearch(const IsTrusted& is_trusted) noexcept : is_trusted_(is_trusted) {}

    /// Whether that hop is the client, so that the ones before it do not count.
    bool ends_at(std::string_view hop) {
        auto address = address_of_hop(hop);
        client_.clear();
        if (!parse_ip_address(address)) return true;
        const bool is_ours = is_trusted_(address);
        if (address.front() == '[') address = address.substr(1, address.size() - 2);
        client_ = address;
        return !is_ours;
    }
    std::string client() && { return std::move(client_); }

private:
    const IsTrusted& is_trusted_;
    std::string client_ = {};
};

/// Without a list of all entries: the client may have sent a great many before.
std::string client_of_x_forwarded(const HttpHeaders& headers, ClientSearch search) {
    for (auto header = headers.rbegin(); header != headers.rend(); ++header) {
        if (!equals_ignoring_case(header->first, "X-Forwarded-For")) continue;
        std::string_view list = header->second;
        while (true) {
            const auto comma = list.rfind(',');
            const bool is_first = comma == std::string_view::npos;
            if (search.ends_at(is_first ? list : list.substr(comma + 1))) {
                return std::move(search).client();
            }
            if (is_first) break;
            list = list.substr(0, comma);
        }
    }
    return std::move(search).client();
}

std::string client_of_standard(const HttpHeaders& headers, ClientSearch search) {
    const auto elements = read_forwarded_list(joined_headers(headers, "Forwarded"));
    if (!elements) return {};
    for (auto hop = elements->rbegin(); hop != elements->rend(); ++hop) {
        if (search.ends_at(value_in(*hop, "for"))) break;
    }
    return std::move(search).client();
}

/// Whether what both say of the scheme is one.
bool agree_on_proto(const ForwardedRequest& one, const ForwardedRequest& other) noexcept {
    return one.proto.empty() || other.proto.empty() || equals_ignoring_case(one.proto, other.proto);
}

/// Whether what both say of the place is one. X-Forwarded-Port may be the proxy's own, so it counts
/// only where it makes them agree.
bool agree_on_host(const ForwardedRequest& standard, const ForwardedRequest& other,
                   std::string_view scheme) {
    if (standard.host.empty() || other.host.empty()) return true;
    return is_same_place(scheme, standard.host, other.host) ||
           is_same_place(scheme, standard.host, other.host + ':' + other.port);
}

}  // namespace

Result<ForwardedRequest> read_forwarded(const WebhookRequest& request, ForwardedFamily family,
                                        const IsTrusted& is_trusted) {
    auto standard = read_standard(request.headers, is_trusted);
    if (!standard) return standard;
    auto other = read_x_forwarded(request.headers, is_trusted);
    if (!other) return other;
    std::string_view scheme = standard->proto.empty() ? other->proto : standard->proto;
    if (scheme.empty()) scheme = request.scheme;
    if (!agree_on_proto(*standard, *other) || !agree_on_host(*standard, *other, scheme)) {
        return Error::invalid_request("Forwarded", "says something else than X-Forwarded-* do",
                                      "one of them came through the proxy from outside: have it "
                                      "remove the one that it does not set");
    }
    standard->prefix = other->prefix;  // there is no standard one
    return family == ForwardedFamily::forwarded ? standard : other;
}

std::string read_client(const HttpHeaders& headers, ForwardedFamily family,
                        const IsTrusted& is_trusted) {
    const ClientSearch search{is_trusted};
    return family == ForwardedFamily::forwarded ? client_of_standard(headers, search)
                                                : client_of_x_forwarded(headers, search);
}

}  // namespace twiliowa::detail
