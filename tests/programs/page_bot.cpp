// A bot for the test of the emulator's page: sends a template at each line "send" of its input, and
// prints and answers what reaches its webhook handler. Ends with its input.
//
//     page_bot <ContentSid of a quick reply> <recipient>
#include <httplib.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr) throw std::runtime_error(std::string{name} + " is not set");
    return value;
}

void tell(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

wa::WebhookHandler make_bot(const std::string& url) {
    wa::WebhookOptions options;
    options.public_url = wa::PublicUrl::fixed(url);
    wa::WebhookHandler bot{wa::RequestValidator{variable("TWILIO_AUTH_TOKEN")}, std::move(options)};
    bot.on_button([](const wa::InboundMessage& message) {
        tell("button " + std::string(message.button_answer()));
        return wa::MessagingResponse{"You chose " + std::string(message.button_answer())};
    });
    bot.on_text([](const wa::InboundMessage& message) {
        tell("text " + message.body);
        return wa::MessagingResponse{"You said: " + message.body};
    });
    return bot;
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 3) throw std::runtime_error("usage: page_bot <ContentSid> <recipient>");
    httplib::Server server;
    const int port = server.bind_to_any_port("127.0.0.1");
    const std::string url = "http://127.0.0.1:" + std::to_string(port);
    const auto bot = make_bot(url);
    wa::serve_webhooks(server, "/whatsapp", bot);
    std::thread serving{[&server] { server.listen_after_bind(); }};
    while (!server.is_running()) std::this_thread::yield();
    int status = 0;
    try {
        tell("webhook " + url + "/whatsapp");
        std::string line;
        while (std::getline(std::cin, line)) {
            if (line != "send") continue;
            const auto message = wa::MessagesClient::from_environment().send_template(
                {.to = argv[2], .content_sid = argv[1], .variables = {}});
            tell("sent " + message.sid.str());
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "page_bot: %s\n", error.what());
        status = 1;
    }
    server.stop();
    serving.join();
    return status;
} catch (const std::exception& error) {
    std::fprintf(stderr, "page_bot: %s\n", error.what());
    return 1;
}
