#include "testing/fake_twilio/world/webhook_url.hpp"

#include "text/ascii.hpp"
#include "text/form.hpp"
#include "text/percent.hpp"

namespace twiliowa::testing::fake {

namespace {

void read_override(std::string_view text, int least, int most, int& value) {
    const auto number = detail::parse_number<int>(text);
    if (number && *number >= least && *number <= most) value = *number;
}

void read_override(std::string_view text, int most, std::chrono::milliseconds& value) {
    int number = static_cast<int>(value.count());
    read_override(text, 100, most, number);
    value = std::chrono::milliseconds{number};
}

}  // namespace

FakeWebhookUrl FakeWebhookUrl::parse(std::string_view url) {
    FakeWebhookUrl parsed;
    const auto hash = url.find('#');
    if (hash != std::string_view::npos) parsed.fragment = url.substr(hash + 1);
    url = url.substr(0, hash);
    parsed.text = url;

    const auto scheme = url.find("://");
    if (scheme != std::string_view::npos) {
        parsed.scheme = url.substr(0, scheme);
        url.remove_prefix(scheme + 3);
    }
    const auto host = url.substr(0, url.find_first_of("/?"));
    parsed.target = url.substr(host.size());
    if (!parsed.target.starts_with('/')) parsed.target.insert(0, 1, '/');
    const auto user = host.rfind('@');
    parsed.host = user == std::string_view::npos ? host : host.substr(user + 1);
    if (user != std::string_view::npos) {
        const auto login = host.substr(0, user);
        const auto colon = login.find(':');
        parsed.user = detail::percent_decode(login.substr(0, colon), false);
        if (colon != std::string_view::npos) {
            parsed.password = detail::percent_decode(login.substr(colon + 1), false);
        }
    }

    for (const auto& [key, value] : detail::parse_form(parsed.fragment)) {
        if (key == "ct") read_override(value, 10'000, parsed.connect_timeout);
        if (key == "rt") read_override(value, 15'000, parsed.read_timeout);
        if (key == "tt") read_override(value, 15'000, parsed.total_timeout);
        if (key == "rc") read_override(value, 0, 5, parsed.retries);
        if (key == "rp") parsed.retry_on = value;
    }
    return parsed;
}

std::string FakeWebhookUrl::with_query(std::string_view query) const {
    if (query.empty()) return text;
    // The target has a path, even where the text has none.
    const auto question = target.find('?');
    const auto prefix = text.substr(0, text.find("://") + 3);
    const auto authority =
        text.substr(prefix.size(), text.find_first_of("/?", prefix.size()) - prefix.size());
    return prefix + authority + target + (question == std::string::npos ? '?' : '&') +
           std::string{query};
}

bool FakeWebhookUrl::retries_on(std::string_view failure) const noexcept {
    for (std::string_view rest = retry_on; !rest.empty();) {
        const auto comma = rest.find(',');
        const auto word = rest.substr(0, comma);
        if (word == failure || word == "all") return true;
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    return false;
}

std::string resolve_url(const FakeWebhookUrl& base, std::string_view reference) {
    if (reference.find("://") != std::string_view::npos) return std::string{reference};
    const auto root = base.scheme + "://" + base.host;
    if (reference.starts_with('/')) return root + std::string{reference};
    const auto path = base.target.substr(0, base.target.find('?'));
    if (reference.empty() || reference.starts_with('?')) {
        return root + path + std::string{reference};
    }
    return root + path.substr(0, path.rfind('/') + 1) + std::string{reference};
}

}  // namespace twiliowa::testing::fake
