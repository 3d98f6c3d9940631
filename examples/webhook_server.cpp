// A WhatsApp bot behind a web server (cpp-httplib): it echoes texts, understands buttons, takes
// media and keeps a log of statuses.
//
//     webhook_server [port]          default 8080; 0 takes any free port
//
// It needs TWILIO_AUTH_TOKEN, to verify what comes in, and TWILIOWA_PUBLIC_URL, the address at
// which Twilio reaches it (https://bot.example.com); for an emulator on this machine that can be
// left out. What to enter at Twilio is printed when it starts. A build of your own links
// cpp-httplib (-lcpp-httplib on Debian, where it is not a header alone) and OpenSSL (-lssl
// -lcrypto).
#include <httplib.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

/// Says what became of each webhook. No text, number or token is in these events.
struct WebhookLog final : wa::Observer {
    void on_webhook(const wa::WebhookResultEvent& event) noexcept override {
        std::printf("%d %-8s %s %s%s%s\n", event.http_status, std::string(event.kind).c_str(),
                    std::string(event.message_sid).c_str(),
                    std::string(to_string(event.outcome)).c_str(), event.reason.empty() ? "" : ": ",
                    std::string(event.reason).c_str());
        if (!event.hint.empty()) std::printf("    %s\n", std::string(event.hint).c_str());
        std::fflush(stdout);
    }
};

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') {
        wa::Error::invalid_request(name, "this environment variable is not set").raise();
    }
    return value;
}

wa::WebhookHandler make_bot(const wa::PublicUrl& public_url) {
    wa::WebhookOptions options;
    options.public_url = public_url;
    options.requests_per_peer = 10;  // a minute, that Twilio did not sign
    options.observer = std::make_shared<WebhookLog>();
    wa::WebhookHandler bot{wa::RequestValidator{variable("TWILIO_AUTH_TOKEN")}, std::move(options)};

    bot.on_button([](const wa::InboundMessage& message) {
        return wa::MessagingResponse{"You chose " + std::string(message.button_answer())};
    });
    bot.on_media([](const wa::InboundMessage& message) {
        wa::MessagingResponse answer;
        for (const auto& file : message.media)
            answer.message("Thank you for the " + file.content_type);
        return answer;
    });
    bot.on_location([](const wa::InboundMessage& message) {
        return wa::MessagingResponse{"So that is where you are: " + message.location->label};
    });
    bot.on(wa::inbound::text("help"), [](const wa::InboundMessage&) {
        return wa::MessagingResponse{"Write something, send a picture, or tap a button."};
    });
    bot.on_text([](const wa::InboundMessage& message) {
        wa::MessagingResponse answer;  // a customer may write more than fits into one message
        for (const auto& part : wa::split_text("You said: " + message.body)) answer.message(part);
        return answer;
    });
    bot.on_status([](const wa::StatusCallback& callback) {
        std::printf("    %s is %s\n", callback.sid.str().c_str(), callback.status.str().c_str());
        if (callback.error_code != 0) {
            std::printf("    %d: %s\n", callback.error_code,
                        std::string(callback.advice().advice).c_str());
        }
    });
    return bot;
}

}  // namespace

int main(int argc, char** argv) try {
    httplib::Server server;
    // [threads]
    server.set_keep_alive_max_count(1);
    server.new_task_queue = [] { return new httplib::ThreadPool(32); };
    // [threads]
    const int wanted = argc > 1 ? std::atoi(argv[1]) : 8080;
    const int port = wanted == 0 ? server.bind_to_any_port("127.0.0.1")
                                 : (server.bind_to_port("127.0.0.1", wanted) ? wanted : -1);
    if (port < 0) {
        std::fprintf(stderr, "webhook_server: port %d is taken\n", wanted);
        return 1;
    }
    const char* const outside = std::getenv("TWILIOWA_PUBLIC_URL");
    const auto public_url = wa::PublicUrl::fixed(
        outside != nullptr ? outside : "http://127.0.0.1:" + std::to_string(port));
    const auto bot = make_bot(public_url);

    // [serve]
    wa::serve_webhooks(server, "/whatsapp", bot);  // a WebhookHandler
    // [serve]
    // With these overrides Twilio tries again when this server cannot answer.
    const wa::ConnectionOverrides overrides{.retries = 3, .retry_on = "all"};
    std::printf("Listening on port %d. Enter at Twilio:\n  %s\n", port,
                public_url.webhook_url("/whatsapp", overrides).c_str());
    std::fflush(stdout);
    server.listen_after_bind();
} catch (const std::exception& error) {
    std::fprintf(stderr, "webhook_server: %s\n", error.what());
    return 1;
}
