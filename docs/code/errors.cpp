// What docs/errors.md shows.
#include <cstdio>
#include <string>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

// [catch]
bool send(const wa::MessagesClient& client, const wa::OutboundText& text) try {
    client.send_text(text);
    return true;
} catch (const wa::OutcomeUnknownError& error) {
    std::printf("look before sending again: %s\n", error.what());
    return false;
} catch (const wa::InvalidRequestError& error) {
    std::printf("%s is wrong: %s\n", error.field().c_str(), error.what());
    return false;
} catch (const wa::ApiError& error) {
    std::printf("Twilio says no (%d): %s\n", error.code(),
                std::string(error.advice().advice).c_str());
    return false;
} catch (const wa::TwilioError& error) {  // transport, timeout, cancelled: nothing was done
    std::printf("%s\n", error.what());
    return false;
}
// [catch]

// [values]
enum class Next { done, later, look, give_up };

Next next_step(const wa::Result<wa::Message>& sent) {
    if (sent) return Next::done;
    const wa::Error& error = sent.error();
    if (error.effect() == wa::Effect::unknown) return Next::look;
    switch (error.kind()) {
        case wa::ErrorKind::transport:
        case wa::ErrorKind::timeout:
        case wa::ErrorKind::rate_limit:
            return Next::later;
        default:
            return Next::give_up;
    }
}
// [values]

// [advice]
void on_failure(int code) {
    const wa::ErrorAdvice advice = wa::advise(code);
    switch (advice.category) {
        case wa::ErrorCategory::opted_out:
            std::puts(code == 63050 ? "send this customer no marketing"
                                    : "stop writing to this customer");
            break;
        case wa::ErrorCategory::window:
            std::puts("send a template instead");
            break;
        default:
            std::printf("%d: %s\n", code, std::string(advice.advice).c_str());
    }
}
// [advice]

}  // namespace

int main() {
    const auto client = wa::MessagesClient::from_environment();
    if (!send(client, {.to = "+447700900123", .body = "Hello"})) return 1;
    if (send(client, {.to = "nobody", .body = "Hello"})) return 1;
    if (send(client, {.to = "+15005550004", .body = "Hello"})) return 1;
    on_failure(63016);
    return next_step(client.try_send_text({.to = "+15005550029", .body = "Hi"})) == Next::later ? 0
                                                                                                : 1;
}
