// Signatures. The input is a URL, a content type, a signature and a body, each after a line break:
// whatever they are, there is a verdict; what is signed here passes, and nothing else does.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <twiliowa/request_validator.hpp>

#include "net/url.hpp"
#include "request_validator/signed_text.hpp"
#include "text/decoded_form.hpp"
#include "text/form.hpp"

namespace {

std::string_view next_line(std::string_view& input) {
    const auto end = input.find('\n');
    const auto line = input.substr(0, end);
    input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
    return line;
}

void expect(bool holds) {
    if (!holds) std::abort();
}

/// The form as it is signed, the slow way.
std::string slowly_signed_text(std::string_view body) {
    auto fields = twiliowa::detail::parse_form(body);
    std::sort(fields.begin(), fields.end());
    fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
    std::string text;
    for (const auto& [name, value] : fields) text.append(name).append(value);
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    static const RequestValidator validator{"12345"};
    std::string_view input(reinterpret_cast<const char*>(data), size);
    SignedRequest request;
    request.url = next_line(input);
    request.content_type = next_line(input);
    request.signature = next_line(input);
    request.body = input;

    const auto first = validator.check(request);
    expect(first.ok() == validator.validate(request));

    const auto url = detail::split_url(request.url);
    if (url) {
        std::string again(url->origin);
        again.append(url->port).append(url->rest);
        expect(again == detail::without_fragment(request.url));
    }
    detail::DecodedForm form;
    if (form.read(request.body, 1000)) {
        expect(detail::signed_text(form) == slowly_signed_text(request.body));
    }

    const auto signature = validator.sign(request);
    if (first.ok()) return 0;
    request.signature = signature;
    const auto second = validator.check(request);
    expect(second.ok() == validator.validate(request));
    switch (second.reason) {
        case VerdictReason::ok:
            break;
        case VerdictReason::missing_url:
        case VerdictReason::malformed_url:
            expect(!url);
            break;
        case VerdictReason::too_large:
        case VerdictReason::body_hash_missing:
        case VerdictReason::body_hash_mismatch:
            break;
        case VerdictReason::mismatch:
            // Only where the URL looks as if a signed form had been moved there.
            expect(request.url.find("AccountSidAC") != std::string_view::npos);
            break;
        default:
            std::abort();
    }
    return 0;
}
