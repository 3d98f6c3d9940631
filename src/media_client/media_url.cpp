#include "media_client/media_url.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include <twiliowa/types/sid.hpp>

#include "net/url.hpp"
#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::string_view twilio_api_host = "api.twilio.com";

bool is_host_name(std::string_view host) noexcept {
    return !host.empty() && host.size() <= 253 && host.front() != '.' && host.front() != '-' &&
           std::all_of(host.begin(), host.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                      c == '_';
           });
}

bool is_bracketed_address(std::string_view host) noexcept {
    return host.size() > 4 && host.size() < 50 && host.front() == '[' && host.back() == ']' &&
           std::all_of(host.begin() + 1, host.end() - 1, [](char c) {
               return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.';
           });
}

/// Host in lower case, and port, which keeps its value where none is named. User information is
/// refused: a reader that overlooks the @ would see another host.
bool read_authority(std::string_view authority, std::string& host, int& port) {
    const auto parts = split_authority(authority);
    if (!parts || !parts->user.empty()) return false;
    host = parts->host;
    std::transform(host.begin(), host.end(), host.begin(), ascii_lower);
    if (!is_host_name(host) && !is_bracketed_address(host)) return false;
    const auto number = parts->port_or(port);
    if (number) port = *number;
    return number.has_value();
}

/// What is at the front of `text`, of several spellings of one thing, any case; 0 if none is.
std::size_t size_of_front(std::string_view text, std::string_view plain,
                          std::initializer_list<std::string_view> escapes) noexcept {
    if (!text.empty() && plain.find(text.front()) != std::string_view::npos) return 1;
    const auto front = text.substr(0, 3);
    const bool escaped = std::any_of(escapes.begin(), escapes.end(), [front](auto escape) {
        return equals_ignoring_case(front, escape);
    });
    return escaped ? front.size() : 0;
}

/// A path that some reader would rewrite (`..`, in whatever spelling) could leave its prefix. Some
/// take an escaped slash for one, and what follows a semicolon for no part of a name.
bool has_dot_segment(std::string_view target) noexcept {
    auto path = target.substr(0, target.find('?'));
    bool only_dots = true;  // since the last slash
    std::size_t dots = 0;
    while (!path.empty()) {
        const auto slash = size_of_front(path, "/;", {"%2f", "%5c", "%3b"});
        const auto dot = size_of_front(path, ".", {"%2e"});
        if (slash > 0 && only_dots && dots > 0) return true;
        dots = slash > 0 ? 0 : dots + (dot > 0 ? 1 : 0);
        only_dots = slash > 0 || (only_dots && dot > 0);
        path.remove_prefix(std::max<std::size_t>({slash, dot, 1}));
    }
    return only_dots && dots > 0;
}

bool is_plain_url_text(std::string_view text) noexcept {
    return text.size() <= 8192 && std::all_of(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) > 0x20 &&
                      static_cast<unsigned char>(c) < 0x7f && c != '\\';
           });
}

std::string_view next_segment(std::string_view& path) noexcept {
    if (!path.starts_with('/')) return {};
    path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    return segment;
}

/// /2010-04-01/Accounts/{AC}/Messages/{SM, MM}/Media/{ME}
bool is_media_path(std::string_view path) {
    return next_segment(path) == "2010-04-01" && next_segment(path) == "Accounts" &&
           AccountSid::parse(next_segment(path)) && next_segment(path) == "Messages" &&
           MessageSid::parse(next_segment(path)) && next_segment(path) == "Media" &&
           MediaSid::parse(next_segment(path)) && path.empty();
}

Error refused_media_link(std::string_view problem, std::string_view hint,
                         std::string_view host = {}) {
    return Error{{.kind = ErrorKind::invalid_request,
                  .effect = Effect::none,
                  .summary = std::string(problem),
                  .field = "url",
                  .hint = std::string(hint),
                  .host = std::string(host)}};
}

struct RedirectRule {
    bool subdomains = false;
    std::string host = {};
    int port = 443;
    std::string_view path = {};
};

std::optional<RedirectRule> parse_redirect_rule(std::string_view text) {
    RedirectRule rule;
    if (!is_plain_url_text(text)) return std::nullopt;
    if (text.starts_with("*.")) {
        rule.subdomains = true;
        text.remove_prefix(2);
    }
    const auto slash = text.find('/');
    if (slash != std::string_view::npos) rule.path = text.substr(slash);
    if (!read_authority(text.substr(0, slash), rule.host, rule.port)) return std::nullopt;
    return rule;
}

}  // namespace

std::string MediaUrl::text() const {
    std::string url = https ? "https://" : "http://";
    url += host;
    if (port != (https ? 443 : 80)) url.append(1, ':').append(std::to_string(port));
    return url + target;
}

std::optional<MediaUrl> parse_media_url(std::string_view text) {
    if (!is_plain_url_text(text)) return std::nullopt;
    MediaUrl url;
    const auto scheme = text.substr(0, std::min(text.find("://"), text.size()));
    if (equals_ignoring_case(scheme, "http")) {
        url.https = false;
        url.port = 80;
    } else if (!equals_ignoring_case(scheme, "https")) {
        return std::nullopt;
    }
    if (scheme.size() + 3 > text.size()) return std::nullopt;
    text.remove_prefix(scheme.size() + 3);
    text = text.substr(0, text.find('#'));
    const auto authority = text.substr(0, text.find_first_of("/?"));
    if (!read_authority(authority, url.host, url.port)) return std::nullopt;
    const auto target = text.substr(authority.size());
    if (!target.starts_with('/')) url.target = '/';
    url.target += target;
    if (has_dot_segment(url.target)) return std::nullopt;
    return url;
}

Result<MediaUrl> media_resource_url(const ApiOrigin& origin, std::string_view link) {
    constexpr auto hint = "give the MediaUrl of a webhook, or the uri of a Media";
    auto api = parse_media_url(origin.base);
    if (!api) return Error::invalid_request("base_url", "is not one that files can come from");
    auto url = std::move(*api);
    std::string path;
    if (link.starts_with('/') && !link.starts_with("//")) {
        path = link;
    } else {
        const auto named = parse_media_url(link);
        if (!named || link.find('#') != std::string_view::npos) {
            return refused_media_link("is not a URL of media", hint);
        }
        const bool twilio = named->https && named->port == 443 && named->host == twilio_api_host;
        if (!twilio && !url.same_origin(*named)) {
            return refused_media_link("leads to another host than the API's",
                                      "credentials are sent to the API's own host only",
                                      named->host);
        }
        path = named->target;
    }
    if (path.ends_with(".json")) path.resize(path.size() - 5);
    if (!is_media_path(path)) return refused_media_link("is not a path of media", hint);
    url.target = std::move(path);
    return url;
}

std::optional<MediaUrl> redirect_target(const MediaUrl& from, std::string_view location) {
    if (location.starts_with("//")) {
        return parse_media_url((from.https ? "https:" : "http:") + std::string(location));
    }
    if (location.starts_with('/')) {
        MediaUrl base = from;
        base.target.clear();
        return parse_media_url(base.text() + std::string(location));
    }
    return parse_media_url(location);
}

bool is_redirect_rule(std::string_view rule) {
    return parse_redirect_rule(rule).has_value();
}

bool redirect_rule_allows(std::string_view text, const MediaUrl& url) {
    const auto rule = parse_redirect_rule(text);
    if (!rule || !url.https || url.port != rule->port) return false;
    if (!url.target.starts_with(rule->path)) return false;
    if (!rule->subdomains) return url.host == rule->host;
    return url.host.size() > rule->host.size() + 1 && url.host.ends_with(rule->host) &&
           url.host[url.host.size() - rule->host.size() - 1] == '.';
}

}  // namespace twiliowa::detail
