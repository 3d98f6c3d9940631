#include <twiliowa/request_validator.hpp>

#include <algorithm>
#include <optional>
#include <utility>

#include <twiliowa/types/sid.hpp>

#include "net/url.hpp"
#include "request_validator/checked_form.hpp"
#include "request_validator/signature_matcher.hpp"
#include "request_validator/signed_text.hpp"
#include "text/ascii.hpp"
#include "text/media_type.hpp"
#include "types/hmac.hpp"
#include "webhook/covered_body.hpp"

namespace twiliowa {

namespace {

using detail::DecodedForm;
using detail::HmacDigest;
using detail::SignatureKeys;
using detail::SignatureMatcher;
using detail::UrlParts;

constexpr std::string_view body_hash_name = "bodySHA256";

std::vector<SigningKey> keys_of_tokens(const std::vector<Secret>& tokens) {
    std::vector<SigningKey> keys;
    keys.reserve(tokens.size());
    for (const auto& token : tokens) keys.push_back({token});
    return keys;
}

Verdict refused_request(VerdictReason reason, std::string_view hint) noexcept {
    return {reason, hint, 0};
}

bool body_has_hash(std::string_view body, std::string_view hash) noexcept {
    const auto hex = detail::sha256_hex(body);
    return detail::equals_ignoring_case({hex.data(), hex.size()}, hash);
}

/// Whether a form's parameters were moved into the URL, where the signature fits as well: its text
/// begins with the account's, without the = of a query. Then all that a customer wrote would be
/// part of the URL, a bodySHA256 for a body of the customer's own, too.
bool holds_signed_form(std::string_view url) noexcept {
    constexpr std::string_view name = "AccountSid";
    constexpr std::size_t sid_size = 34;
    for (auto at = url.find(name); at != std::string_view::npos; at = url.find(name, at + 1)) {
        const auto value = url.substr(at + name.size(), sid_size);
        if (detail::is_whole_sid(detail::account_sid_kind, value)) return true;
    }
    return false;
}

/// Everything of a request that its signature can be over, taken apart.
struct WhatWasSigned {
    HmacDigest signature = {};
    UrlParts url = {};
    bool is_form = false;
    std::string_view body = {};  ///< As far as a signature covers it.
    std::optional<std::string_view> body_hash = {};
    std::string_view text = {};  ///< Its parameters, as they are signed.
};

/// Takes it apart; says what is wrong where that cannot be done.
std::optional<Verdict> read_what_was_signed(const SignedRequest& request, DecodedForm& form,
                                            WhatWasSigned& read) {
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
    if (request.url.size() > RequestValidator::max_url_size) {
        return refused_request(VerdictReason::too_large, "the URL is longer than 16 KiB");
    }
    const auto url = detail::split_url(request.url);
    if (!url) {
        return refused_request(
            VerdictReason::malformed_url,
            "pass the whole URL, as https://example.com/path?query; a request line has "
            "its path and query only");
    }
    if (holds_signed_form(request.url)) {
        return refused_request(VerdictReason::mismatch,
                               "the URL holds what was signed as a form: somebody moved it there");
    }
    read.signature = *signature;
    read.url = *url;
    read.body_hash = detail::raw_query_value(url->query(), body_hash_name);
    read.body = detail::covered_body(request.method, request.body);
    if (read.body.size() > RequestValidator::max_body_size) {
        return refused_request(VerdictReason::too_large, "the body is larger than 1 MiB");
    }
    read.is_form = detail::is_form_type(request.content_type);
    if (read.is_form && !form.read(read.body, RequestValidator::max_parameters)) {
        return refused_request(VerdictReason::too_large, "the form has more than 1000 parameters");
    }
    read.text = detail::signed_text(form);
    return std::nullopt;
}

/// Where nothing of the body enters the string that is signed, its hash in the URL must vouch for
/// it: otherwise anybody could send another body along with a signature that was seen.
std::optional<Verdict> refuse_uncovered_body(const WhatWasSigned& read, bool vouched,
                                             const SignatureMatcher& matcher, bool with_hint) {
    if (!read.text.empty()) return std::nullopt;
    if (read.body_hash && !vouched) {
        return refused_request(VerdictReason::body_hash_mismatch,
                               "pass the body as received: neither parsed and written again, nor "
                               "decompressed, nor empty");
    }
    if (read.body_hash || read.is_form || read.body.empty()) return std::nullopt;
    DecodedForm as_form;
    const bool was_form = with_hint && read.body.size() <= detail::longest_guessed_text &&
                          as_form.read(read.body, RequestValidator::max_parameters) &&
                          matcher.match(read.url, detail::signed_text(as_form));
    return refused_request(
        VerdictReason::body_hash_missing,
        was_form ? "signed as a form: pass the Content-Type as received"
                 : "the body is no form, and the URL has no bodySHA256: was the query lost?");
}

/// Of text that nothing vouches for yet: a whole SID, or nothing.
std::string whole_account_sid(std::string_view text) {
    return AccountSid::parse(text) ? std::string(text) : std::string{};
}

/// As above. Twilio's are words of letters, digits and underscores.
std::string_view plain_key_id(std::string_view text) noexcept {
    constexpr std::size_t longest = 128;
    const bool plain = text.size() <= longest && std::all_of(text.begin(), text.end(), [](char c) {
                           return detail::is_letter_or_digit(c) || c == '_' || c == '-';
                       });
    return plain ? text : std::string_view{};
}

/// Decoded, and the first of several, like `parse_webhook`: both must see the same account.
std::string account_of(const SignedRequest& request, const DecodedForm& form, const UrlParts& url) {
    if (!request.account_sid.empty()) return whole_account_sid(request.account_sid);
    return whole_account_sid(detail::stated_account(form, url.query()));
}

}  // namespace

std::string detail::stated_account(const DecodedForm& form, std::string_view query) {
    constexpr std::string_view name = "AccountSid";
    if (const auto sid = form.first(name)) return std::string{*sid};
    DecodedForm parameters;
    static_cast<void>(parameters.read(query, query.size()));
    return std::string{parameters.first(name).value_or(std::string_view{})};
}

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
    : state_(std::make_shared<const State>(State{detail::prepare_keys(keys)})) {}

RequestValidator::RequestValidator(KeyLookup lookup)
    : state_(std::make_shared<const State>(State{{}, std::move(lookup)})) {}

bool RequestValidator::validate(const SignedRequest& request) const noexcept {
    try {
        DecodedForm form;
        return judge(request, false, form).ok();
    } catch (...) {
        return false;
    }
}

Verdict RequestValidator::check(const SignedRequest& request) const noexcept {
    DecodedForm form;
    return detail::CheckedForm::check(*this, request, form);
}

Verdict detail::CheckedForm::check(const RequestValidator& validator, const SignedRequest& request,
                                   DecodedForm& form) noexcept {
    try {
        return validator.judge(request, true, form);
    } catch (...) {  // what a lookup throws is caught where it is called
        return refused_request(VerdictReason::out_of_memory, {});
    }
}

Verdict RequestValidator::judge(const SignedRequest& request, bool with_hint,
                                DecodedForm& form) const {
    WhatWasSigned read;
    if (const auto refused = read_what_was_signed(request, form, read)) return *refused;

    SignatureKeys looked_up;
    if (state_->lookup) {
        const auto account = account_of(request, form, read.url);
        try {
            looked_up =
                detail::prepare_keys(state_->lookup({account, plain_key_id(request.key_id)}));
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
    const SignatureMatcher matcher{keys, read.signature};
    if (!matcher.has_key()) {
        return refused_request(
            VerdictReason::unsupported_algorithm,
            read.signature.size == 20
                ? "signed with HMAC-SHA1, and no key here is for it"
                : "signed with HMAC-SHA256, and no key here is for it: a shared key of "
                  "Twilio's webhooks API? Give it as a SigningKey");
    }

    const bool vouched = read.body_hash && body_has_hash(request.body, *read.body_hash);
    if (const auto refused = refuse_uncovered_body(read, vouched, matcher, with_hint)) {
        return *refused;
    }
    // A form is signed as one, whatever hash the URL has: the hash vouches for bytes, and not for
    // what they are. JSON with a customer's words in it would pass for any form.
    const auto text = read.text;
    if (const auto key = matcher.match(read.url, text)) return {VerdictReason::ok, {}, *key};
    return refused_request(
        VerdictReason::mismatch,
        with_hint ? detail::mismatch_hint(matcher, read.url, text) : std::string_view{});
}

std::string RequestValidator::sign(const SignedRequest& request) const {
    DecodedForm form;
    const auto body = detail::covered_body(request.method, request.body);
    if (detail::is_form_type(request.content_type)) {
        static_cast<void>(form.read(body, body.size() + 1));
    }
    SignatureKeys looked_up;
    if (state_->lookup) {
        const auto url = detail::split_url(request.url).value_or(UrlParts{});
        looked_up = detail::prepare_keys(
            state_->lookup({account_of(request, form, url), plain_key_id(request.key_id)}));
    }
    const auto& keys = state_->lookup ? looked_up : state_->keys;
    if (keys.empty()) return {};
    return detail::encode_hmac(
        keys.front().key.sign({detail::without_fragment(request.url), detail::signed_text(form)}));
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
