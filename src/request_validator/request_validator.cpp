#include <twiliowa/request_validator.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include "net/url.hpp"
#include "request_validator/hmac.hpp"
#include "request_validator/signature_form.hpp"
#include "request_validator/signature_url.hpp"
#include "text/ascii.hpp"
#include "text/media_type.hpp"

namespace twiliowa {

namespace detail {

/// A key, and where it was in the list that it came from.
struct SignatureKey {
    HmacKey key;
    std::size_t index = 0;
};
using SignatureKeys = std::vector<SignatureKey>;

}  // namespace detail

namespace {

using detail::HmacDigest;
using detail::HmacHash;
using detail::HmacKey;
using detail::SignatureForm;
using detail::SignatureKey;
using detail::SignatureKeys;
using detail::UrlParts;

constexpr std::string_view body_hash_name = "bodySHA256";

HmacHash hash_of(SignatureAlgorithm algorithm) noexcept {
    return algorithm == SignatureAlgorithm::hmac_sha256 ? HmacHash::sha256 : HmacHash::sha1;
}

SignatureKeys prepare_keys(const std::vector<SigningKey>& keys) {
    SignatureKeys prepared;
    prepared.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (keys[i].secret.empty()) continue;
        prepared.push_back({HmacKey{keys[i].secret.reveal(), hash_of(keys[i].algorithm)}, i});
    }
    return prepared;
}

std::vector<SigningKey> keys_of_tokens(const std::vector<Secret>& tokens) {
    std::vector<SigningKey> keys;
    keys.reserve(tokens.size());
    for (const auto& token : tokens) keys.push_back({token});
    return keys;
}

/// GET and HEAD have no body that counts.
bool is_bodiless(std::string_view method) noexcept {
    return detail::equals_ignoring_case(method, "GET") ||
           detail::equals_ignoring_case(method, "HEAD");
}

/// Finds the key and the spelling of the URL that make a signature.
class SignatureMatcher {
public:
    SignatureMatcher(const SignatureKeys& keys, const HmacDigest& signature) noexcept
        : keys_(keys), signature_(signature) {}

    bool has_key() const noexcept {
        return std::any_of(keys_.begin(), keys_.end(),
                           [&](const SignatureKey& key) { return fits(key); });
    }

    /// The index of the key that signed exactly this.
    std::optional<std::size_t> match_exactly(std::string_view origin, std::string_view port,
                                             std::string_view rest,
                                             std::string_view text) const noexcept {
        for (const auto& key : keys_) {
            if (fits(key) && detail::equal_in_constant_time(
                                 key.key.sign({origin, port, rest, text}), signature_)) {
                return key.index;
            }
        }
        return std::nullopt;
    }

    /// The same with any port that Twilio may have put there.
    std::optional<std::size_t> match_ports(const UrlParts& url, std::string_view rest,
                                           std::string_view text) const noexcept {
        for (const auto port : detail::ports_to_try(url)) {
            if (const auto key = match_exactly(url.origin, port, rest, text)) return key;
        }
        return std::nullopt;
    }

    /// And with any spelling of apostrophes.
    std::optional<std::size_t> match(const UrlParts& url, std::string_view text) const {
        if (const auto key = match_ports(url, url.rest, text)) return key;
        for (const auto& [from, to] : {std::pair{"'", "%27"}, std::pair{"%27", "'"}}) {
            const auto rest = detail::respell_query(url.rest, from, to);
            if (rest.empty()) continue;
            if (const auto key = match_ports(url, rest, text)) return key;
        }
        return std::nullopt;
    }

private:
    bool fits(const SignatureKey& key) const noexcept {
        return detail::hmac_size(key.key.hash()) == signature_.size;
    }

    const SignatureKeys& keys_;
    const HmacDigest& signature_;
};

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
        return "neither the URL nor the body fits: compare the URL with the one configured at "
               "Twilio, letter by letter; pass the body as received, unparsed; use the primary "
               "auth token of the account in AccountSid (a subaccount has its own; an API key's "
               "secret never signs)";
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
        const auto lower = [](char c) { return detail::ascii_lower(c); };
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
        const auto rest = detail::respell_query(url_.rest, from, to);
        return !rest.empty() && matcher_.match_ports(url_, rest, text_).has_value();
    }

    const SignatureMatcher& matcher_;
    const UrlParts& url_;
    std::string_view text_;
};

Verdict refused_request(VerdictReason reason, std::string_view hint) noexcept {
    return {reason, hint, 0};
}

bool body_has_hash(std::string_view body, std::string_view hash) noexcept {
    const auto hex = detail::sha256_hex(body);
    return detail::equals_ignoring_case({hex.data(), hex.size()}, hash);
}

/// The account that a request says it is for; from the query when the body names none. Decoded, and
/// the first of several, like `parse_webhook`: both must see the same account.
std::string account_of(const SignedRequest& request, const SignatureForm& form,
                       const UrlParts& url) {
    if (!request.account_sid.empty()) return std::string(request.account_sid);
    if (const auto sid = form.first("AccountSid")) return std::string(*sid);
    SignatureForm query;
    static_cast<void>(query.read(url.query(), url.query().size()));
    return std::string(query.first("AccountSid").value_or(std::string_view{}));
}

}  // namespace

struct RequestValidator::State {
    detail::SignatureKeys keys = {};
    KeyLookup lookup = nullptr;
};

std::string_view to_string(VerdictReason reason) noexcept {
    switch (reason) {
        case VerdictReason::ok:
            return "ok";
        case VerdictReason::missing_signature:
            return "missing_signature";
        case VerdictReason::malformed_signature:
            return "malformed_signature";
        case VerdictReason::missing_url:
            return "missing_url";
        case VerdictReason::malformed_url:
            return "malformed_url";
        case VerdictReason::too_large:
            return "too_large";
        case VerdictReason::no_key:
            return "no_key";
        case VerdictReason::key_lookup_failed:
            return "key_lookup_failed";
        case VerdictReason::unsupported_algorithm:
            return "unsupported_algorithm";
        case VerdictReason::body_hash_missing:
            return "body_hash_missing";
        case VerdictReason::body_hash_mismatch:
            return "body_hash_mismatch";
        case VerdictReason::mismatch:
            return "mismatch";
        case VerdictReason::out_of_memory:
            return "out_of_memory";
    }
    return "unknown";
}

RequestValidator::RequestValidator(std::string_view auth_token)
    : RequestValidator(Secret{auth_token}) {}

RequestValidator::RequestValidator(const Secret& auth_token)
    : RequestValidator(std::vector<Secret>{auth_token}) {}

RequestValidator::RequestValidator(const std::vector<Secret>& auth_tokens)
    : RequestValidator(keys_of_tokens(auth_tokens)) {}

RequestValidator::RequestValidator(const std::vector<SigningKey>& keys)
    : state_(std::make_shared<const State>(State{prepare_keys(keys)})) {}

RequestValidator::RequestValidator(KeyLookup lookup)
    : state_(std::make_shared<const State>(State{{}, std::move(lookup)})) {}

bool RequestValidator::validate(const SignedRequest& request) const noexcept {
    try {
        return judge(request, false).ok();
    } catch (...) {
        return false;
    }
}

Verdict RequestValidator::check(const SignedRequest& request) const noexcept {
    try {
        return judge(request, true);
    } catch (...) {  // what a lookup throws is caught where it is called
        return refused_request(VerdictReason::out_of_memory, {});
    }
}

Verdict RequestValidator::judge(const SignedRequest& request, bool with_hint) const {
    if (request.signature.empty()) {
        return refused_request(
            VerdictReason::missing_signature,
            "no X-Twilio-Signature: not from Twilio, or a proxy removed the header");
    }
    const auto signature = detail::decode_hmac(request.signature);
    if (!signature) {
        return refused_request(
            VerdictReason::malformed_signature,
            "X-Twilio-Signature is 28 characters of base64, without anything around");
    }
    if (request.url.empty()) {
        return refused_request(VerdictReason::missing_url, "pass the URL that Twilio called");
    }
    if (request.url.size() > max_url_size) {
        return refused_request(VerdictReason::too_large, "the URL is longer than 16 KiB");
    }
    const auto url = detail::split_url(request.url);
    if (!url) {
        return refused_request(
            VerdictReason::malformed_url,
            "pass the whole URL, as https://example.com/path?query; a request line has "
            "its path and query only");
    }

    const auto body = is_bodiless(request.method) ? std::string_view{} : request.body;
    if (body.size() > max_body_size) {
        return refused_request(VerdictReason::too_large, "the body is larger than 1 MiB");
    }
    const bool is_form = detail::is_form_type(request.content_type);
    SignatureForm form;
    if (is_form && !form.read(body, max_parameters)) {
        return refused_request(VerdictReason::too_large, "the form has more than 1000 parameters");
    }

    SignatureKeys looked_up;
    if (state_->lookup) {
        const auto account = account_of(request, form, *url);
        try {
            looked_up = prepare_keys(state_->lookup({account, request.key_id}));
        } catch (...) {
            return refused_request(VerdictReason::key_lookup_failed,
                                   "the key lookup threw an exception");
        }
    }
    const auto& keys = state_->lookup ? looked_up : state_->keys;
    if (keys.empty()) {
        return refused_request(VerdictReason::no_key,
                               state_->lookup ? "the key lookup knows no key of this account"
                                              : "the auth token is empty");
    }
    const SignatureMatcher matcher{keys, *signature};
    if (!matcher.has_key()) {
        return refused_request(
            VerdictReason::unsupported_algorithm,
            signature->size == 20
                ? "signed with HMAC-SHA1, and no key here is for it"
                : "signed with HMAC-SHA256, and no key here is for it: a shared key of "
                  "Twilio's webhooks API? Give it as a SigningKey");
    }

    // Where nothing of the body enters the string that is signed, its hash in the URL must vouch
    // for it: otherwise anybody could send a body of his own along with a signature he saw.
    const auto hash = detail::raw_query_value(url->query(), body_hash_name);
    const bool vouched = hash && body_has_hash(request.body, *hash);
    if (form.text().empty()) {
        if (hash && !vouched) {
            return refused_request(
                VerdictReason::body_hash_mismatch,
                "pass the body as received: neither parsed and written again, nor "
                "decompressed, nor empty");
        }
        if (!hash && !is_form && !body.empty()) {
            SignatureForm as_form;
            const bool was_form = with_hint && as_form.read(body, max_parameters) &&
                                  matcher.match(*url, as_form.text());
            return refused_request(
                VerdictReason::body_hash_missing,
                was_form ? "signed as a form: pass the Content-Type as received"
                         : "the body is no form, and the URL has no bodySHA256: was the "
                           "query lost?");
        }
    }
    if (const auto key = matcher.match(*url, form.text())) return {VerdictReason::ok, {}, *key};
    // Nobody has seen Twilio hash a form, but what is so signed is signed.
    if (vouched && !form.text().empty()) {
        if (const auto key = matcher.match(*url, {})) return {VerdictReason::ok, {}, *key};
    }
    return refused_request(
        VerdictReason::mismatch,
        with_hint ? MismatchDiagnosis{matcher, *url, form.text()}.hint() : std::string_view{});
}

std::string RequestValidator::sign(const SignedRequest& request) const {
    SignatureForm form;
    if (!is_bodiless(request.method) && detail::is_form_type(request.content_type)) {
        static_cast<void>(form.read(request.body, request.body.size() + 1));
    }
    SignatureKeys looked_up;
    if (state_->lookup) {
        const auto url = detail::split_url(request.url).value_or(UrlParts{});
        looked_up = prepare_keys(state_->lookup({account_of(request, form, url), request.key_id}));
    }
    const auto& keys = state_->lookup ? looked_up : state_->keys;
    if (keys.empty()) return {};
    return detail::encode_hmac(
        keys.front().key.sign({detail::without_fragment(request.url), form.text()}));
}

std::string RequestValidator::with_body_hash(std::string_view url, std::string_view body) {
    const auto bare = detail::without_fragment(url);
    const auto hex = detail::sha256_hex(body);
    std::string text(bare);
    text += bare.find('?') == std::string_view::npos ? '?' : '&';
    text.append(body_hash_name).append("=").append(hex.data(), hex.size());
    text.append(url.substr(bare.size()));
    return text;
}

}  // namespace twiliowa
