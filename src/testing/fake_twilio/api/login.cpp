#include "testing/fake_twilio/api/login.hpp"

#include <optional>
#include <string>

#include "text/ascii.hpp"
#include "text/base64.hpp"

namespace twiliowa::testing::fake {

namespace {

struct FakeCredentials {
    std::string name;
    std::string secret;
};

/// The Authorization header's value, wherever the request carries it.
std::string_view find_authorization(const HttpRequest& request) noexcept {
    if (!request.authorization.empty()) return request.authorization.reveal();
    for (const auto& [name, value] : request.headers) {
        if (detail::equals_ignoring_case(name, "Authorization")) return value;
    }
    return {};
}

std::optional<FakeCredentials> parse_basic(std::string_view authorization) {
    constexpr std::string_view scheme = "basic ";
    if (!detail::equals_ignoring_case(authorization.substr(0, scheme.size()), scheme))
        return std::nullopt;
    const auto pair = detail::decode_base64(authorization.substr(scheme.size()));
    if (!pair) return std::nullopt;
    const auto colon = pair->find(':');
    if (colon == std::string::npos) return std::nullopt;
    return FakeCredentials{pair->substr(0, colon), pair->substr(colon + 1)};
}

}  // namespace

FakeLogin log_in(FakeAccounts& accounts, const HttpRequest& request, std::string_view wanted) {
    using Verdict = FakeLogin::Verdict;
    const auto authorization = find_authorization(request);
    if (authorization.empty()) return {};
    const auto credentials = parse_basic(authorization);
    auto* const own = credentials ? accounts.open(credentials->name, credentials->secret) : nullptr;
    if (own == nullptr) return {.verdict = Verdict::unknown};
    const bool with_key = credentials->name != own->sid;
    if (wanted.empty() || own->sid == wanted) {
        return {.verdict = Verdict::accepted, .account = own, .with_key = with_key};
    }
    auto* const owned = accounts.find(wanted);
    const bool opened = owned != nullptr && owned->owner == own->sid && !with_key;
    return opened ? FakeLogin{.verdict = Verdict::accepted, .account = owned}
                  : FakeLogin{.verdict = Verdict::elsewhere};
}

}  // namespace twiliowa::testing::fake
