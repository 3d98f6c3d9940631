#include "testing/fake_twilio/api/route.hpp"

#include <array>

#include "testing/fake_twilio/world/parameters.hpp"
#include "text/percent.hpp"

namespace twiliowa::testing::fake {

namespace {

struct FakeRoutePattern {
    FakeResource resource;
    std::string_view path;  ///< {a}, {m}, {x}, {c}, {s}: account, message, media, content, sender.
};

constexpr std::array route_patterns{
    FakeRoutePattern{FakeResource::account, "2010-04-01/Accounts/{a}.json"},
    FakeRoutePattern{FakeResource::balance, "2010-04-01/Accounts/{a}/Balance.json"},
    FakeRoutePattern{FakeResource::messages, "2010-04-01/Accounts/{a}/Messages.json"},
    FakeRoutePattern{FakeResource::message, "2010-04-01/Accounts/{a}/Messages/{m}.json"},
    FakeRoutePattern{FakeResource::feedback, "2010-04-01/Accounts/{a}/Messages/{m}/Feedback.json"},
    FakeRoutePattern{FakeResource::media_list, "2010-04-01/Accounts/{a}/Messages/{m}/Media.json"},
    FakeRoutePattern{FakeResource::media, "2010-04-01/Accounts/{a}/Messages/{m}/Media/{x}.json"},
    FakeRoutePattern{FakeResource::media_file, "2010-04-01/Accounts/{a}/Messages/{m}/Media/{x}"},
    FakeRoutePattern{FakeResource::contents, "v1/Content"},
    FakeRoutePattern{FakeResource::contents_and_approvals, "v1/ContentAndApprovals"},
    FakeRoutePattern{FakeResource::legacy_contents, "v1/LegacyContent"},
    FakeRoutePattern{FakeResource::searched_contents, "v2/Content"},
    FakeRoutePattern{FakeResource::searched_contents_and_approvals, "v2/ContentAndApprovals"},
    FakeRoutePattern{FakeResource::content, "v1/Content/{c}"},
    FakeRoutePattern{FakeResource::approvals, "v1/Content/{c}/ApprovalRequests"},
    FakeRoutePattern{FakeResource::approval_request, "v1/Content/{c}/ApprovalRequests/whatsapp"},
    FakeRoutePattern{FakeResource::typing, "v2/Indicators/Typing.json"},
    FakeRoutePattern{FakeResource::senders, "v2/Channels/Senders"},
    FakeRoutePattern{FakeResource::sender, "v2/Channels/Senders/{s}"},
};

std::string_view take_segment(std::string_view& path) noexcept {
    const auto slash = path.find('/');
    const auto segment = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    return segment;
}

/// Whether `segment` fits one segment of a pattern; an identifier goes into `route`.
bool fits_segment(std::string_view pattern, std::string_view segment, FakeRoute& route) {
    if (pattern.size() < 3 || pattern.front() != '{') return pattern == segment;
    const auto suffix = pattern.substr(3);
    if (segment.size() <= suffix.size() || !segment.ends_with(suffix)) return false;
    if (!has_whole_escapes(segment)) return false;
    auto& slot = pattern[1] == 'a'   ? route.account
                 : pattern[1] == 'm' ? route.message
                 : pattern[1] == 'c' ? route.content
                 : pattern[1] == 's' ? route.sender
                                     : route.media;
    slot = detail::percent_decode(segment.substr(0, segment.size() - suffix.size()), false);
    return true;
}

std::optional<FakeRoute> fit_route(const FakeRoutePattern& pattern, std::string_view path) {
    FakeRoute route;
    route.resource = pattern.resource;
    for (auto rest = pattern.path; !rest.empty();) {
        // "a/" has an empty segment after "a"; it fits nothing.
        if (path.empty()) return std::nullopt;
        const bool last = path.find('/') == std::string_view::npos;
        if (!fits_segment(take_segment(rest), take_segment(path), route)) {
            return std::nullopt;
        }
        if (last != rest.empty()) return std::nullopt;
    }
    return route;
}

}  // namespace

FakeTarget split_url(std::string_view url) {
    url = url.substr(0, url.find('#'));
    const auto question = url.find('?');
    auto path = url.substr(0, question);
    const auto scheme = path.find("://");
    if (scheme != std::string_view::npos && !path.starts_with('/')) {
        const auto slash = path.find('/', scheme + 3);
        path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash);
    }
    FakeTarget target;
    target.path = path;
    if (question != std::string_view::npos) target.query = url.substr(question + 1);
    return target;
}

std::optional<FakeRoute> match_route(std::string_view path) {
    if (!path.starts_with('/')) return std::nullopt;
    path.remove_prefix(1);
    for (const auto& pattern : route_patterns) {
        if (auto route = fit_route(pattern, path)) return route;
    }
    return std::nullopt;
}

std::string_view domain_of(FakeResource resource) noexcept {
    switch (resource) {
        case FakeResource::contents:
        case FakeResource::contents_and_approvals:
        case FakeResource::legacy_contents:
        case FakeResource::searched_contents:
        case FakeResource::searched_contents_and_approvals:
        case FakeResource::content:
        case FakeResource::approvals:
        case FakeResource::approval_request:
            return "content.twilio.com";
        case FakeResource::typing:
        case FakeResource::senders:
        case FakeResource::sender:
            return "messaging.twilio.com";
        default:
            return "api.twilio.com";
    }
}

}  // namespace twiliowa::testing::fake
