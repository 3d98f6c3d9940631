#include "net/url.hpp"

#include <algorithm>

#include "text/ascii.hpp"

namespace twiliowa::detail {

bool SignatureUrl::is_https() const noexcept {
    return scheme.size() == 5;
}

std::string_view SignatureUrl::default_port() const noexcept {
    return is_https() ? ":443" : ":80";
}

std::string_view SignatureUrl::query() const noexcept {
    const auto question = rest.find('?');
    return question == std::string_view::npos ? std::string_view{} : rest.substr(question + 1);
}

std::string_view without_fragment(std::string_view url) noexcept {
    return url.substr(0, url.find('#'));
}

std::optional<SignatureUrl> split_signature_url(std::string_view url) noexcept {
    url = without_fragment(url);
    const auto colon = url.find("://");
    if (colon == std::string_view::npos) return std::nullopt;
    SignatureUrl parts;
    parts.scheme = url.substr(0, colon);
    if (!equals_ignoring_case(parts.scheme, "https") &&
        !equals_ignoring_case(parts.scheme, "http")) {
        return std::nullopt;
    }
    const auto start = colon + 3;
    const auto end = std::min(url.find_first_of("/?", start), url.size());
    auto authority = url.substr(start, end - start);
    const auto at = authority.rfind('@');
    if (at != std::string_view::npos) authority.remove_prefix(at + 1);

    // The colons inside of [::1] are not the one before a port.
    const auto bracket = authority.rfind(']');
    const auto port = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (port != std::string_view::npos) {
        parts.port = authority.substr(port);
        const auto digits = parts.port.substr(1);
        const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
        if (digits.size() > 5 || !std::all_of(digits.begin(), digits.end(), is_digit)) {
            return std::nullopt;
        }
    }
    parts.host = authority.substr(0, authority.size() - parts.port.size());
    const bool opens = !parts.host.empty() && parts.host.front() == '[';
    if (parts.host.empty() || opens != (bracket != std::string_view::npos)) return std::nullopt;
    if (opens && parts.host.back() != ']') return std::nullopt;
    parts.origin = url.substr(0, end - parts.port.size());
    parts.rest = url.substr(end);
    return parts;
}

SignaturePorts ports_to_try(const SignatureUrl& url) noexcept {
    SignaturePorts ports;
    ports.list[ports.count++] = url.port;
    if (!url.port.empty()) ports.list[ports.count++] = {};
    if (url.port != url.default_port()) ports.list[ports.count++] = url.default_port();
    return ports;
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

std::string respell_query(std::string_view rest, std::string_view from, std::string_view to) {
    const auto question = rest.find('?');
    if (question == std::string_view::npos) return {};
    auto found = rest.find(from, question);
    if (found == std::string_view::npos) return {};
    std::string text;
    text.reserve(rest.size() + 16);
    std::size_t copied = 0;
    for (; found != std::string_view::npos; found = rest.find(from, copied)) {
        text += rest.substr(copied, found - copied);
        text += to;
        copied = found + from.size();
    }
    text += rest.substr(copied);
    return text;
}

}  // namespace twiliowa::detail
