// What a forged webhook, a redirect and a file's headers say: credentials stay on the API's media,
// a listed place is the one that was listed, and a file name stays in its directory.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "media_client/media_headers.hpp"
#include "media_client/media_url.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa::detail;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto require = [](bool good) {
        if (!good) std::abort();
    };

    const ApiOrigin api{"https://api.twilio.com", "api.twilio.com", 443};
    if (const auto url = media_resource_url(api, text)) {
        const auto asked = url->text();
        require(asked.starts_with("https://api.twilio.com/2010-04-01/Accounts/AC"));
        require(asked.size() == 162 && asked.find_first_of("?#@\\% ") == std::string::npos);
    }

    MediaUrl from;
    from.host = "api.twilio.com";
    from.target = "/x";
    if (const auto to = redirect_target(from, text)) {
        // Read again, it is the same: what is checked is what is asked for.
        const auto again = parse_media_url(to->text());
        require(again && again->same_origin(*to) && again->target == to->target);
        const auto whole = to->text();
        if (redirect_rule_allows("*.twiliocdn.com", *to)) {
            const auto authority = whole.substr(8, whole.find('/', 8) - 8);
            require(whole.starts_with("https://") && authority.ends_with(".twiliocdn.com"));
        }
        if (redirect_rule_allows("s3.example/bucket/", *to)) {
            require(whole.starts_with("https://s3.example/bucket/"));
            require(to->target.substr(0, to->target.find('?')).find("/../") == std::string::npos);
        }
    }

    const auto name = safe_file_name(text);
    require(name.size() <= 255 && name.find_first_of("/\\") == std::string::npos);
    require(name.empty() || name.front() != '.');
    for (const char c : name) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    for (const char c : plain_media_type(text)) require(c >= 0x20 && c < 0x7f);
    static_cast<void>(is_redirect_rule(text));
    return 0;
}
