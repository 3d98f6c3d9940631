// The fake Twilio, as the emulator serves it: any request is answered, any TwiML is obeyed or not,
// any saved state is loaded or refused by name.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/types/error.hpp>

#include "text/utf8.hpp"

namespace {

using namespace twiliowa;
using testing::FakeTwilio;

void ask(FakeTwilio& fake, HttpMethod method, std::string_view input) {
    const auto line = input.find('\n');
    HttpRequest request;
    request.method = method;
    request.url = std::string{input.substr(0, line)};
    request.authorization = fake.credentials().authorization();
    if (line != std::string_view::npos) request.body = std::string{input.substr(line + 1)};
    request.headers = {{"Content-Type", request.body.starts_with('{')
                                            ? "application/json"
                                            : "application/x-www-form-urlencoded"}};
    const auto answer = fake.handle(request);
    if (answer.status < 200 || answer.status > 599) std::abort();
    if (!detail::is_valid_utf8(answer.body)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.empty()) return 0;
    const char what = input.front();
    input.remove_prefix(1);
    const auto fake = FakeTwilio::with_account({.lifecycle = testing::Lifecycle::automatic});
    fake->on_webhook([input](const std::string&, const WebhookRequest&) {
        return WebhookResponse{200, {{"Content-Type", "text/xml"}}, std::string{input}};
    });
    fake->set_webhook(FakeTwilio::demo_sender, "https://example.com/whatsapp");
    switch (what) {
        case 'G':
            ask(*fake, HttpMethod::get, input);
            break;
        case 'P':
            ask(*fake, HttpMethod::post, input);
            break;
        case 'U':
            ask(*fake, HttpMethod::put, input);
            break;
        case 'D':
            ask(*fake, HttpMethod::delete_, input);
            break;
        case 'X':
            fake->customer("+447700900123").sends_text("Hello");
            break;
        case 'S':
            try {
                fake->load(std::string{input});
            } catch (const InvalidRequestError&) {
                return 0;
            }
            break;
        default:
            return 0;
    }
    fake->run_until_idle();
    return 0;
}
