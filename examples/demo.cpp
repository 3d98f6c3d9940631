// A tour: a template, a text, a look at what was sent, and a mistake made on purpose.
//
//     demo [recipient [content_sid]]
//
// It needs only the environment: TWILIO_ACCOUNT_SID; TWILIO_AUTH_TOKEN, or TWILIO_API_KEY with
// TWILIO_API_SECRET; TWILIO_WHATSAPP_NUMBER; and, if you use them, TWILIO_EDGE and TWILIO_REGION.
#include <cstdio>
#include <exception>
#include <string>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

void step(const char* what) {
    static int number = 0;
    std::printf("\n%d. %s\n", ++number, what);
}

void show(const wa::Message& message) {
    std::printf("   %s  %-10s to %s\n", message.sid.str().c_str(), message.status.str().c_str(),
                message.to.c_str());
    if (!message.body.empty()) std::printf("   \"%s\"\n", message.body.c_str());
}

void show(const wa::TwilioError& error) {
    const auto advice = error.advice();
    std::printf("   %s\n", error.what());
    std::printf("   kind:    %s\n", std::string(to_string(error.kind())).c_str());
    std::printf("   effect:  %s\n", std::string(to_string(error.effect())).c_str());
    std::printf("   code:    %d  %s\n", error.code(), std::string(advice.title).c_str());
    std::printf("   advice:  %s\n", std::string(advice.advice).c_str());
    std::printf("   request: %s\n", error.request_id().c_str());
}

void tour(const wa::MessagesClient& client, const std::string& to, const std::string& content_sid) {
    step("Send a template");
    const auto sent = client.send_template(
        {.to = to, .content_sid = content_sid, .variables = {{"1", "Lee"}, {"2", "A-1042"}}});
    show(sent);

    step("Send a text");
    show(client.send_text({.to = to, .body = "Your order A-1042 is on its way."}));

    step("Fetch the template message again");
    show(client.fetch(sent.sid));

    step("List the newest messages to this recipient");
    int left = 5;
    for (const auto& message : client.list({.to = to, .page_size = 5})) {
        show(message);
        if (--left == 0) break;
    }

    step("A mistake, on purpose: a template that does not exist");
    try {
        client.send_template({.to = to, .content_sid = "HXffffffffffffffffffffffffffffffff"});
        std::printf("   Twilio accepted it, which is a surprise.\n");
    } catch (const wa::ApiError& error) {
        show(error);
    }

    step("Another: an address with a typing error, refused before the network");
    try {
        client.send_text({.to = "+44 7700 O00123", .body = "Hello"});
    } catch (const wa::InvalidRequestError& error) {
        std::printf("   %s\n", error.what());
        std::printf("   field:   %s\n", error.field().c_str());
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const std::string to = argc > 1 ? argv[1] : "+447700900123";
        const std::string content_sid = argc > 2 ? argv[2] : "HX00000000000000000000000000000001";
        tour(wa::MessagesClient::from_environment(), to, content_sid);
        std::printf("\nDone.\n");
        return 0;
    } catch (const wa::TwilioError& error) {
        std::fprintf(stderr, "demo: %s\n", error.what());
        if (!error.hint().empty()) std::fprintf(stderr, "demo: %s\n", error.hint().c_str());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "demo: %s\n", error.what());
    }
    return 1;
}
