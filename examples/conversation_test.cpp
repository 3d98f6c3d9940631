// A whole conversation as a unit test: no network, no threads, no waiting.
#include <chrono>
#include <iostream>
#include <stdexcept>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/webhook_handler.hpp>

using namespace std::chrono_literals;
using namespace twiliowa;
using namespace twiliowa::testing;

static void expect(bool truth, const char* what) {
    if (!truth) throw std::logic_error(what);
}

// [conversation]
static void a_customer_confirms_an_appointment() {
    const auto twilio = FakeTwilio::with_account({.lifecycle = Lifecycle::automatic});
    const auto question = twilio->add_content(
        FakeContent::quick_reply("Your appointment is at {{1}}.", {"I will come", "I cannot"}));
    const MessagesClient client{twilio->credentials(), twilio->client_options()};
    WebhookHandler bot{RequestValidator{FakeTwilio::demo_auth_token}};
    bot.on_button([](const InboundMessage& answer) {
        return MessagingResponse{answer.body == "I will come" ? "See you!" : "Maybe next time."};
    });
    twilio->connect(bot);
    const auto lee = twilio->customer("+447700900123");
    client.send_template({.to = lee.address(), .content_sid = question, .variables = {{"1", "9"}}});
    expect(lee.sees().status == "delivered", "the template arrives");
    lee.reads();
    expect(lee.sees().status == "read", "Lee opens the chat");
    lee.taps("I will come");
    expect(lee.sees().body == "See you!", "the bot answers");
    twilio->advance(25h);
    client.send_text({.to = lee.address(), .body = "How was it?"});
    expect(lee.sees().error_code == 63016, "after a day, text is refused");
    client.send_template({.to = lee.address(), .content_sid = question, .variables = {{"1", "7"}}});
    expect(lee.sees().status == "delivered", "a template goes out");
}
// [conversation]

int main() {
    try {
        a_customer_confirms_an_appointment();
        std::cout << "passed: a customer confirms an appointment\n";
        return 0;
    } catch (const std::exception& failure) {
        std::cout << "FAILED: " << failure.what() << '\n';
        return 1;
    }
}
