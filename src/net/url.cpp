#include "net/url.hpp"

#include <algorithm>

#include "text/ascii.hpp"
#include "text/utf8.hpp"

namespace twiliowa::detail {

std::optional<int> Authority::port_or(int otherwise) const noexcept {
    if (port.empty()) return otherwise;
    const auto number = parse_number<int>(port.substr(1));
    return number && *number >= 1 && *number <= 65535 ? number : std::nullopt;
}

std::optional<Authority> split_authority(std::string_view text) noexcept {
    Authority parts;
    parts.user = text.substr(0, text.rfind('@') + 1);  // npos + 1 is 0
    parts.host = text.substr(parts.user.size());
    // The colons inside of [::1] are not the one before a port.
    const auto bracket = parts.host.rfind(']');
    const auto colon = parts.host.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon != std::string_view::npos) {
        parts.port = parts.host.substr(colon);
        parts.host = parts.host.substr(0, colon);
        const auto digits = parts.port.substr(1);
        if (digits.size() > 5 || !std::all_of(digits.begin(), digits.end(), is_digit)) {
            return std::nullopt;
        }
    }
    const bool opens = parts.host.starts_with('[');
    if (parts.host.empty() || opens != (bracket != std::string_view::npos)) return std::nullopt;
    if (opens && (parts.host.find(']') + 1 != parts.host.size() || parts.host == "[]"))
        return std::nullopt;
    return parts;
}

bool is_same_place(std::string_view scheme, std::string_view one, std::string_view other) noexcept {
    const auto a = split_authority(one);
    const auto b = split_authority(other);
    if (!a || !b) return false;
    const int usual = equals_ignoring_case(scheme, "https") ? 443 : 80;
    const auto port = a->port_or(usual);
    return port && port == b->port_or(usual) && a->user == b->user &&
           equals_ignoring_case(a->host, b->host);
}

bool UrlParts::is_https() const noexcept {
    return scheme.size() == 5;
}

std::string_view UrlParts::default_port() const noexcept {
    return is_https() ? ":443" : ":80";
}

std::string_view UrlParts::query() const noexcept {
    return query_of(rest);
}

std::optional<UrlParts> split_url(std::string_view url) noexcept {
    url = without_fragment(url);
    const auto colon = url.find("://");
    if (colon == std::string_view::npos) return std::nullopt;
    UrlParts parts;
    parts.scheme = url.substr(0, colon);
    if (!equals_ignoring_case(parts.scheme, "https") &&
        !equals_ignoring_case(parts.scheme, "http")) {
        return std::nullopt;
    }
    const auto start = colon + 3;
    const auto end = std::min(url.find_first_of("/?", start), url.size());
    const auto authority = split_authority(url.substr(start, end - start));
    if (!authority) return std::nullopt;
    parts.host = authority->host;
    parts.port = authority->port;
    parts.origin = url.substr(0, end - parts.port.size());
    parts.rest = url.substr(end);
    return parts;
}

HostAndPort host_and_port(std::string_view url) noexcept {
    const auto parts = split_url(url);
    if (!parts) return {};
    const Authority authority{{}, parts->host, parts->port};
    return {parts->host, authority.port_or(parts->is_https() ? 443 : 80).value_or(0)};
}

std::string_view web_url_problem(std::string_view url) noexcept {
    const auto scheme = url.substr(0, std::min(url.find("://"), url.size()));
    if (scheme.size() == url.size() ||
        !(equals_ignoring_case(scheme, "http") || equals_ignoring_case(scheme, "https"))) {
        return "does not begin with http:// or https://";
    }
    const bool clean = std::all_of(url.begin(), url.end(), [](char c) {
        return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
    });
    if (!clean || !is_valid_utf8(url)) {
        return "holds white space, a control character or text that is not UTF-8";
    }
    return split_url(url) ? std::string_view{} : "has no host, or a port that is none";
}

std::string_view without_fragment(std::string_view url) noexcept {
    return url.substr(0, url.find('#'));
}

std::string_view query_of(std::string_view target) noexcept {
    target = without_fragment(target);
    const auto mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

std::optional<std::string_view> raw_query_value(std::string_view query,
                                                std::string_view name) noexcept {
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto field = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const auto equals = std::min(field.find('='), field.size());
        if (field.substr(0, equals) == name) {
            return field.substr(std::min(equals + 1, field.size()));
        }
    }
    return std::nullopt;
}

}  // namespace twiliowa::detail
