#include "request_validator/signature_matcher.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "request_validator/signature_url.hpp"
#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::string_view nothing_fits =
    "neither the URL nor the body fits: compare the URL with the one configured at Twilio, letter "
    "by letter; pass the body as received, unparsed; use the primary auth token of the account in "
    "AccountSid (a subaccount has its own; an API key's secret never signs)";

HmacHash hash_of(SignatureAlgorithm algorithm) noexcept {
    return algorithm == SignatureAlgorithm::hmac_sha256 ? HmacHash::sha256 : HmacHash::sha1;
}

/// What goes wrong most: tries what the request may have been signed as, and names it. None of it
/// makes a request pass.
class MismatchDiagnosis {
public:
    MismatchDiagnosis(const SignatureMatcher& matcher, const UrlParts& url, std::string_view text)
        : matcher_(matcher), url_(url), text_(text) {}

    std::string_view hint() const {
        if (other_scheme()) {
            return url_.is_https()
                       ? "signed for http, you passed https: the URL configured at Twilio starts "
                         "with http"
                       : "signed for https, you passed http: is TLS ended at a proxy? Give "
                         "PublicUrl the public base URL, or trust the proxy's forwarded headers";
        }
        if (lower_case_host()) {
            return "signed for the host in lower case: pass the URL as it is configured at Twilio";
        }
        if (slash()) {
            return "signed for the path with a / at its end more, or one less: pass the path as it "
                   "was received";
        }
        if (!text_.empty() && matcher_.match_ports(url_, url_.rest, {})) {
            return "signed without the form parameters: Twilio called with GET, or something "
                   "between added a body";
        }
        if (!url_.query().empty() && matcher_.match_ports(url_, before_query(), text_)) {
            return "signed without the query: something between Twilio and this server added it";
        }
        if (respelt("+", "%20") || respelt("%20", "+") || respelt("%2B", "+") ||
            respelt("%2C", ",") || respelt(",", "%2C") || respelt("%3A", ":") ||
            respelt(":", "%3A")) {
            return "signed for the same query, encoded another way: pass the bytes of the request "
                   "line, not a URL put together again";
        }
        return nothing_fits;
    }

private:
    std::string_view before_query() const noexcept {
        return url_.rest.substr(0, url_.rest.find('?'));
    }

    bool other_scheme() const {
        const auto after = url_.origin.substr(url_.scheme.size());
        const auto origin = std::string(url_.is_https() ? "http" : "https").append(after);
        const std::string_view port = url_.is_https() ? ":80" : ":443";
        return matcher_.match_exactly(origin, {}, url_.rest, text_) ||
               matcher_.match_exactly(origin, port, url_.rest, text_) ||
               (!url_.port.empty() && matcher_.match_exactly(origin, url_.port, url_.rest, text_));
    }

    bool lower_case_host() const {
        std::string origin(url_.origin);
        const auto lower = [](char c) { return ascii_lower(c); };
        const auto host = origin.end() - static_cast<std::ptrdiff_t>(url_.host.size());
        const auto scheme_end = origin.begin() + static_cast<std::ptrdiff_t>(url_.scheme.size());
        std::transform(origin.begin(), scheme_end, origin.begin(), lower);
        std::transform(host, origin.end(), host, lower);
        if (origin == url_.origin) return false;
        auto url = url_;
        url.origin = origin;
        return matcher_.match_ports(url, url.rest, text_).has_value();
    }

    bool slash() const {
        const auto path = before_query();
        std::string rest(path);
        if (!path.empty() && path.back() == '/') {
            rest.pop_back();
        } else {
            rest += '/';
        }
        rest += url_.rest.substr(path.size());
        return matcher_.match_ports(url_, rest, text_).has_value();
    }

    bool respelt(std::string_view from, std::string_view to) const {
        const auto rest = respell_query(url_.rest, from, to);
        return !rest.empty() && matcher_.match_ports(url_, rest, text_).has_value();
    }

    const SignatureMatcher& matcher_;
    const UrlParts& url_;
    std::string_view text_;
};

}  // namespace

SignatureKeys prepare_keys(const std::vector<SigningKey>& keys) {
    SignatureKeys prepared;
    prepared.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].secret.empty()) continue;
        prepared.push_back({HmacKey{keys[i].secret.reveal(), hash_of(keys[i].algorithm)}, i});
    }
    return prepared;
}

bool SignatureMatcher::has_key() const noexcept {
    return std::any_of(keys_.begin(), keys_.end(),
                       [&](const SignatureKey& key) { return fits(key); });
}

std::optional<std::size_t> SignatureMatcher::match_exactly(std::string_view origin,
                                                           std::string_view port,
                                                           std::string_view rest,
                                                           std::string_view text) const noexcept {
    for (const auto& key : keys_) {
        if (fits(key) &&
            equal_in_constant_time(key.key.sign({origin, port, rest, text}), signature_)) {
            return key.index;
        }
    }
    return std::nullopt;
}

std::optional<std::size_t> SignatureMatcher::match_ports(const UrlParts& url, std::string_view rest,
                                                         std::string_view text) const noexcept {
    for (const auto port : ports_to_try(url)) {
        if (const auto key = match_exactly(url.origin, port, rest, text)) return key;
    }
    return std::nullopt;
}

std::optional<std::size_t> SignatureMatcher::match(const UrlParts& url,
                                                   std::string_view text) const {
    if (const auto key = match_ports(url, url.rest, text)) return key;
    for (const auto& [from, to] : {std::pair{"'", "%27"}, std::pair{"%27", "'"}}) {
        const auto rest = respell_query(url.rest, from, to);
        if (rest.empty()) continue;
        if (const auto key = match_ports(url, rest, text)) return key;
    }
    return std::nullopt;
}

std::string_view mismatch_hint(const SignatureMatcher& matcher, const UrlParts& url,
                               std::string_view text) {
    if (text.size() > longest_guessed_text) return nothing_fits;
    return MismatchDiagnosis{matcher, url, text}.hint();
}

}  // namespace twiliowa::detail
