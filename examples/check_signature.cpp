// The signature check alone: where it fits into any web framework, before a request is believed.
#include <cstdio>

#include <twiliowa/request_validator.hpp>

namespace wa = twiliowa;

// [check]
bool is_from_twilio(const wa::RequestValidator& validator, const wa::SignedRequest& request) {
    const wa::Verdict verdict = validator.check(request);
    if (!verdict) {
        std::fprintf(stderr, "refused: %s. %s\n", std::string(to_string(verdict.reason)).c_str(),
                     std::string(verdict.hint).c_str());
    }
    return verdict.ok();
}
// [check]

int main() {
    const wa::RequestValidator validator{"12345"};
    // As Twilio sends it; the token is 12345.
    wa::SignedRequest request;
    request.url = "https://example.com/myapp.php?foo=1&bar=2";
    request.content_type = "application/x-www-form-urlencoded";
    request.body = "Body=hello";
    request.signature = "auPCBlqYuOXiaJO3vsvFsrY0XQU=";
    if (!is_from_twilio(validator, request)) return 1;
    std::puts("accepted");
    // The same behind a proxy that ends TLS, for a program that does not know of it.
    request.url = "http://example.com/myapp.php?foo=1&bar=2";
    return is_from_twilio(validator, request) ? 1 : 0;
}
