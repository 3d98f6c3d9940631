// A whole conversation as a unit test: no network, no threads, no waiting.
#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/webhook_handler.hpp>

using namespace std::chrono_literals;
using namespace twiliowa;
using testing::FakeTwilio;

static void expect(bool truth, const char* what) {
    if (!truth) throw std::logic_error(what);
}

static void a_customer_confirms_an_appointment() {
    auto twilio = FakeTwilio::with_account({.lifecycle = testing::Lifecycle::automatic});
    const auto question = twilio->add_content(
        FakeTwilio::demo_account_sid,
        {.variables = {{"1", "today"}},
         .types = R"({"twilio/quick-reply": {"body": "Your appointment is {{1}}.",
            "actions": [{"title": "I will come", "id": "yes"}, {"title": "I cannot", "id": "no"}]}})"});
    auto options = twilio->client_options();
    options.status_callback = "https://example.com/whatsapp";
    const MessagesClient client{twilio->credentials(), options};

    std::vector<std::string> seen;
    WebhookHandler bot{RequestValidator{FakeTwilio::demo_auth_token}, {.clock = twilio->clock()}};
    bot.on_button([](const InboundMessage& m) {
        return MessagingResponse{m.button_answer() == "yes" ? "See you then!" : "Maybe next time."};
    });
    bot.on_status([&](const StatusCallback& s) {
        seen.push_back(s.status.str() +
                       (s.error_code == 0 ? "" : " " + std::to_string(s.error_code)));
    });
    twilio->set_webhook(FakeTwilio::demo_sender, "https://example.com/whatsapp");
    twilio->on_webhook([&](const auto&, const WebhookRequest& r) { return bot.handle(r); });

    const auto lee = twilio->customer("+447700900123");
    client.send_template(
        {.to = lee.address(), .content_sid = question, .variables = {{"1", "at 9"}}});
    twilio->run_until_idle();
    expect(seen.back() == "delivered", "the template arrives");
    lee.reads();
    lee.taps("I will come");
    twilio->run_until_idle();
    expect(lee.conversation().back().body == "See you then!", "the bot answers");

    twilio->advance(25h);
    client.send_text({.to = lee.address(), .body = "How was it?"});
    twilio->run_until_idle();
    expect(seen.back() == "undelivered 63016", "after a day only templates arrive");
    client.send_template({.to = lee.address(), .content_sid = question});
    twilio->run_until_idle();
    expect(seen.back() == "delivered", "a template does");
}

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
