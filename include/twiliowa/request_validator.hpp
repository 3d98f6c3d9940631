/// @file
/// Telling Twilio's webhooks from everybody else's.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/secret.hpp>

namespace twiliowa {

namespace detail {
class DecodedForm;
struct CheckedForm;
}  // namespace detail

/// What the signature is over, as received: nothing decoded, nothing re-encoded. The views must
/// stay valid during the call.
struct SignedRequest {
    std::string_view method = "POST";
    /// The whole URL that Twilio called: `https://example.com/whatsapp?tenant=7`. Behind a proxy
    /// that is not the one this server was reached by; PublicUrl knows it. A fragment is ignored.
    std::string_view url = {};
    std::string_view content_type = {};  ///< An empty one counts as a form's.
    std::string_view body = {};
    std::string_view signature = {};  ///< The `X-Twilio-Signature` header.
    /// For the key lookup only; the request's own AccountSid parameter when empty.
    std::string_view account_sid = {};
    /// For the key lookup only: the `X-Twilio-Signature-Key-Sid` header.
    std::string_view key_id = {};
};

/// How a key signs. Twilio signs with HMAC-SHA1 and the auth token. HMAC-SHA256 comes with the
/// shared keys of its webhooks API (beta); it is over the same string here, which Twilio has not
/// confirmed in public. More values may come with a minor release.
enum class SignatureAlgorithm { hmac_sha1, hmac_sha256 };

/// An auth token, or another key that Twilio signs with. API key secrets never sign.
struct SigningKey {
    Secret secret = {};
    SignatureAlgorithm algorithm = SignatureAlgorithm::hmac_sha1;
};

/// Whose key is wanted. Both come from the request and are not proved by anything yet.
struct KeyQuery {
    std::string_view account_sid = {};
    std::string_view key_id = {};
};

/// The keys that may have signed a request, the likeliest first; none if there is no such account.
/// Must be safe to call from any thread at once. What it throws becomes a verdict.
using KeyLookup = std::function<std::vector<SigningKey>(const KeyQuery&)>;

/// Why a request was accepted or not. More values may come with a minor release.
enum class VerdictReason {
    ok,                     ///< Twilio sent it.
    missing_signature,      ///< There is none.
    malformed_signature,    ///< Not the base64 text of an HMAC.
    missing_url,            ///< No URL was given.
    malformed_url,          ///< Not an absolute http or https URL.
    too_large,              ///< Over a limit of RequestValidator.
    no_key,                 ///< No token was given or found, or it is empty.
    key_lookup_failed,      ///< The lookup threw.
    unsupported_algorithm,  ///< No key has the algorithm that the signature was made with.
    body_hash_missing,      ///< The body is no form, and the URL has no bodySHA256.
    body_hash_mismatch,     ///< The body is not the one that bodySHA256 was made of.
    mismatch,               ///< Signed for something else, or with another key.
    out_of_memory,
};
TWILIOWA_EXPORT std::string_view to_string(VerdictReason reason) noexcept;

/// What `RequestValidator::check` found. May be logged: it holds neither key nor signature, nor
/// anything of the request.
struct [[nodiscard]] Verdict {
    VerdictReason reason = VerdictReason::mismatch;
    std::string_view hint = {};  ///< The way out, where one can be guessed. Static text.
    std::size_t key_index = 0;   ///< When ok: which of the keys fitted, from 0.

    bool ok() const noexcept { return reason == VerdictReason::ok; }
    explicit operator bool() const noexcept { return ok(); }
};

/// Verifies `X-Twilio-Signature`: the HMAC over the URL, and over the form parameters sorted by
/// name (POST) or nothing else (GET; other bodies, whose hash is in the URL as bodySHA256). A form
/// is signed as a form, also where the URL has a hash of it.
///
///     const RequestValidator validator{auth_token};
///     if (!validator.validate({.url = url, .content_type = type, .body = body,
///                              .signature = signature})) return 403;
///
/// Twilio signs with or without a port, whatever the URL was, and spells an apostrophe in the query
/// as it is or as %27; each is tried, nine spellings at most, the URL as given first. The case of
/// letters, percent-escapes, user name and password must be as Twilio called them.
///
/// Limits, over which a request is refused as `too_large`: 16 KiB of URL, 1 MiB of body, 1000 form
/// parameters.
///
/// Immutable; safe to use from any thread at once; copies share the keys, which are wiped with the
/// last of them. Comparisons take the same time whatever they find. Nothing here throws on account
/// of a request.
class TWILIOWA_EXPORT RequestValidator {
public:
    static constexpr std::size_t max_url_size = std::size_t{16} * 1024;
    static constexpr std::size_t max_body_size = std::size_t{1024} * 1024;
    static constexpr std::size_t max_parameters = 1000;

    /// The auth token of the account: its primary one, of the subaccount if messages belong to one.
    /// With an empty token nothing passes.
    explicit RequestValidator(std::string_view auth_token);
    explicit RequestValidator(const Secret& auth_token);
    /// Several that are good at once, for the time a token is changed. Empty ones are left out.
    explicit RequestValidator(const std::vector<Secret>& auth_tokens);
    explicit RequestValidator(const std::vector<SigningKey>& keys);
    /// Asked once for each request that has a signature. A request that is signed with the key of
    /// one account and names another does not pass; serve the account it names.
    explicit RequestValidator(KeyLookup lookup);

    /// Whether Twilio sent it.
    bool validate(const SignedRequest& request) const noexcept;

    /// The same with a reason and, where it can be guessed, what to change. Guessing costs a few
    /// more HMACs, for a request that is refused only.
    Verdict check(const SignedRequest& request) const noexcept;

    /// The signature that Twilio would send, with the first key; empty without one. For tests.
    /// `signature`, `account_sid` and `key_id` are not looked at, except by a KeyLookup, and the
    /// limits do not count. A body that is no form needs its hash in the URL: `with_body_hash`.
    std::string sign(const SignedRequest& request) const;

    /// The URL with `bodySHA256=...` added to its query, as Twilio does for a body that is no form.
    static std::string with_body_hash(std::string_view url, std::string_view body);

private:
    friend struct detail::CheckedForm;
    struct State;
    Verdict judge(const SignedRequest& request, bool with_hint, detail::DecodedForm& form) const;
    std::shared_ptr<const State> state_;
};

}  // namespace twiliowa
