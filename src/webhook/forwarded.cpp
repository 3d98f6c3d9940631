#include "webhook/forwarded.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

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

/// The entry so many hops from the end; the first one if there are fewer.
std::string entry_of(const HttpHeaders& headers, std::string_view name, std::size_t hops) {
    const auto joined = joined_headers(headers, name);
    std::string_view list = joined;
    for (;;) {
        const auto comma = list.rfind(',');
        if (comma == std::string_view::npos) return std::string(trim(list, blanks));
        if (hops == 0) return std::string(trim(list.substr(comma + 1), blanks));
        --hops;
        list = list.substr(0, comma);
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

}  // namespace

std::optional<ForwardedRequest> read_forwarded(
    const HttpHeaders& headers, const std::function<bool(std::string_view)>& is_trusted) {
    ForwardedRequest request;
    const auto standard = joined_headers(headers, "Forwarded");
    if (!standard.empty()) {
        const auto elements = read_forwarded_list(standard);
        if (!elements) return std::nullopt;
        std::size_t hop = elements->size() - 1;
        while (hop > 0 && is_trusted(address_of_hop(value_in((*elements)[hop], "for")))) --hop;
        request.proto = value_in((*elements)[hop], "proto");
        request.host = value_in((*elements)[hop], "host");
        return request;
    }
    const auto path = joined_headers(headers, "X-Forwarded-For");
    std::size_t hops = 0;
    std::string_view rest = path;
    while (!rest.empty()) {
        const auto comma = rest.rfind(',');
        const auto last = comma == std::string_view::npos ? rest : rest.substr(comma + 1);
        if (comma == std::string_view::npos || !is_trusted(address_of_hop(last))) break;
        ++hops;
        rest = rest.substr(0, comma);
    }
    request.proto = entry_of(headers, "X-Forwarded-Proto", hops);
    request.host = entry_of(headers, "X-Forwarded-Host", hops);
    request.port = entry_of(headers, "X-Forwarded-Port", hops);
    request.prefix = entry_of(headers, "X-Forwarded-Prefix", hops);
    return request;
}

}  // namespace twiliowa::detail
