// What docs/coming-from-twilio.md shows: ten tasks.
#include <chrono>
#include <cstdio>
#include <string>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

const std::string template_sid = "HX00000000000000000000000000000001";
const std::string service_sid = "MG00000000000000000000000000000001";

// [twiml]
std::string answer() {
    return wa::MessagingResponse{"Thank you!"}.xml();
}
// [twiml]

// [validate]
bool is_genuine(const wa::RequestValidator& validator, const std::string& url,
                const std::string& raw_body, const std::string& signature) {
    return validator.validate({.url = url, .body = raw_body, .signature = signature});
}
// [validate]

}  // namespace

int main() {
    // [client]
    const auto client = wa::MessagesClient::from_environment();
    // [client]

    // [text]
    const auto text = client.send_text({.to = "+447700900123", .body = "Hello"});
    // [text]

    // [template]
    client.send_template({.to = "+447700900123",
                          .content_sid = template_sid,
                          .variables = {{"1", "Lee"}, {"2", "A-1042"}}});
    // [template]

    // [media]
    client.send_media(
        {.to = "+447700900123", .media_url = "https://example.com/cat.jpg", .body = "A cat"});
    // [media]

    // [schedule]
    const auto later = client.send_template({.to = "+447700900123",
                                             .content_sid = template_sid,
                                             .messaging_service_sid = service_sid,
                                             .send_at = std::chrono::system_clock::now() + 1h});
    client.cancel(later.sid);
    // [schedule]

    // [fetch]
    std::printf("%s\n", client.fetch(text.sid).status.str().c_str());
    // [fetch]

    // [list]
    for (const auto& message : client.list({.to = "+447700900123"})) {
        std::printf("%s %s\n", message.sid.str().c_str(), message.status.str().c_str());
    }
    // [list]

    // [errors]
    try {
        client.send_text({.to = "+15005550004", .body = "Hello"});
    } catch (const wa::ApiError& error) {
        std::printf("%d %d %s\n", error.http_status(), error.code(), error.message().c_str());
    }
    // [errors]

    const wa::RequestValidator validator{"12345"};
    const bool genuine = is_genuine(validator, "https://example.com/myapp.php?foo=1&bar=2",
                                    "Body=hello", "auPCBlqYuOXiaJO3vsvFsrY0XQU=");
    return genuine && answer().find("Thank you!") != std::string::npos ? 0 : 1;
}
