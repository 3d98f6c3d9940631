// A webhook handler under test: no socket, no server, no account. Exits with 0 when it behaves.
#include <cstdio>
#include <string>

#include <twiliowa/webhook_handler.hpp>

#undef NDEBUG
#include <cassert>

namespace wa = twiliowa;

// [test]
const wa::RequestValidator validator{"the account's auth token"};

wa::WebhookRequest text_from_customer(const std::string& body) {
    wa::WebhookRequest request;
    request.target = "/whatsapp";
    request.body =
        "MessageSid=SM0123456789abcdef0123456789abcdef"
        "&AccountSid=AC00000000000000000000000000000001"
        "&From=whatsapp%3A%2B447700900123&To=whatsapp%3A%2B14155238886&Body=" +
        body;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                       {"X-Twilio-Signature", validator.sign({.url = "https://bot.test/whatsapp",
                                                              .body = request.body})}};
    return request;
}

int main() {
    wa::WebhookHandler bot{validator, {.public_url = wa::PublicUrl::fixed("https://bot.test")}};
    bot.on_text(
        [](const wa::InboundMessage& m) { return wa::MessagingResponse{"Echo: " + m.body}; });

    const auto answer = bot.handle(text_from_customer("hello"));
    assert(answer.status == 200);
    assert(answer.body.find("<Body>Echo: hello</Body>") != std::string::npos);

    assert(bot.handle(text_from_customer("hello")).body.find("Echo") ==
           std::string::npos);  // again

    auto forged = text_from_customer("hello");
    forged.body += "!";
    assert(bot.handle(forged).status == 403);
    std::puts("The bot behaves.");
}
// [test]
