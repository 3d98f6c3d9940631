// What the troubleshooting table of docs/receiving.md says, tried: each cause is brought about, and
// must end in the verdict, and the words of the hint, that the table gives.
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using wa::VerdictReason;

namespace {

constexpr std::string_view form = "application/x-www-form-urlencoded";
const std::string token = "the auth token";
const std::string url = "https://bot.example.com/prod/whatsapp?tenant=a,b";
const std::string body =
    "AccountSid=AC00000000000000000000000000000001&Body=1+%2B+1+%26+caf%C3%A9&Empty=";

const wa::RequestValidator validator{token};
const std::string signature = validator.sign({.url = url, .content_type = form, .body = body});

int failures = 0;

void expect(const char* cause, const wa::Verdict& verdict, VerdictReason reason,
            std::string_view hint = {}) {
    if (verdict.reason == reason && verdict.hint.find(hint) != std::string_view::npos) return;
    std::printf("%s: %s: %s\n", cause, std::string(to_string(verdict.reason)).c_str(),
                std::string(verdict.hint).c_str());
    ++failures;
}

wa::SignedRequest received() {
    wa::SignedRequest request;
    request.url = url;
    request.content_type = form;
    request.body = body;
    request.signature = signature;
    return request;
}

/// As received, but for one thing.
wa::Verdict with(std::string_view wa::SignedRequest::*member, std::string_view value) {
    auto request = received();
    request.*member = value;
    return validator.check(request);
}

wa::Verdict with_key(const wa::RequestValidator& other) {
    return other.check(received());
}

void reasons() {
    using Request = wa::SignedRequest;
    expect("as received", validator.check(received()), VerdictReason::ok);
    expect("no header", with(&Request::signature, {}), VerdictReason::missing_signature);
    expect("quotes", with(&Request::signature, "\"" + signature + "\""),
           VerdictReason::malformed_signature);
    expect("no URL", with(&Request::url, {}), VerdictReason::missing_url);
    expect("the target", with(&Request::url, "/prod/whatsapp"), VerdictReason::malformed_url);
    expect("too large", with(&Request::body, std::string(2 << 20, 'a')), VerdictReason::too_large);
    expect("no token", with_key(wa::RequestValidator{""}), VerdictReason::no_key);
    expect("lookup",
           with_key(wa::RequestValidator{[](const wa::KeyQuery&) -> std::vector<wa::SigningKey> {
               throw std::runtime_error("secret store");
           }}),
           VerdictReason::key_lookup_failed);
    const std::vector<wa::SigningKey> shared = {
        {wa::Secret{token}, wa::SignatureAlgorithm::hmac_sha256}};
    const auto by_shared =
        wa::RequestValidator{shared}.sign({.url = url, .content_type = form, .body = body});
    expect("a shared key's signature", with(&Request::signature, by_shared),
           VerdictReason::unsupported_algorithm, "Give it as a SigningKey");
    auto of_shared = received();
    of_shared.signature = by_shared;
    expect("the shared key given", wa::RequestValidator{shared}.check(of_shared),
           VerdictReason::ok);
    expect("a token's signature", with_key(wa::RequestValidator{shared}),
           VerdictReason::unsupported_algorithm, "signed with HMAC-SHA1");
    expect("JSON", with(&Request::content_type, "application/json"),
           VerdictReason::body_hash_missing, "signed as a form");
    const auto hashed = wa::RequestValidator::with_body_hash(url, "{}");
    const auto of_json =
        validator.sign({.url = hashed, .content_type = "application/json", .body = "{}"});
    expect("changed JSON",
           validator.check({.url = hashed,
                            .content_type = "application/json",
                            .body = "{ }",
                            .signature = of_json}),
           VerdictReason::body_hash_mismatch);
}

void mismatches() {
    using Request = wa::SignedRequest;
    const auto differs = [](const char* cause, std::string_view Request::*member,
                            const std::string& value, std::string_view hint = {}) {
        expect(cause, with(member, value), VerdictReason::mismatch, hint);
    };
    differs("TLS", &Request::url, "http" + url.substr(5), "signed for https, you passed http");
    differs("host", &Request::url, "http://app:8080/prod/whatsapp?tenant=a,b");
    expect("port", with(&Request::url, "https://bot.example.com:443/prod/whatsapp?tenant=a,b"),
           VerdictReason::ok);
    differs("slash", &Request::url, "https://bot.example.com/prod/whatsapp/?tenant=a,b",
            "the path with a / at its end");
    differs("stage", &Request::url, "https://bot.example.com/whatsapp?tenant=a,b");
    differs("query encoded again", &Request::url,
            "https://bot.example.com/prod/whatsapp?tenant=a%2Cb", "encoded another way");
    const auto without_query = validator.sign(
        {.url = "https://bot.example.com/prod/whatsapp", .content_type = form, .body = body});
    differs("query added", &Request::signature, without_query, "signed without the query");
    differs("body decoded", &Request::body,
            "AccountSid=AC00000000000000000000000000000001&Body=1 + 1 & caf\xC3\xA9&Empty=");
    differs("body gone", &Request::body, "");
    differs("empty value dropped", &Request::body, body.substr(0, body.rfind('&')));
    const auto by_get = validator.sign({.method = "GET", .url = url});
    differs("GET", &Request::signature, by_get, "signed without the form parameters");
    expect("another token", with_key(wa::RequestValidator{"another"}), VerdictReason::mismatch);
    expect("line break", with_key(wa::RequestValidator{token + "\n"}), VerdictReason::mismatch);
    differs("user", &Request::url,
            "https://user:password@bot.example.com/prod/whatsapp?tenant=a,b");
}

}  // namespace

int main() {
    reasons();
    mismatches();
    return failures == 0 ? 0 : 1;
}
