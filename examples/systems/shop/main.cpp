// A fashion shop's notifications: one process that the back end and Twilio call, and workers that
// send. README.md says how to run them.
//
//     shop serve      the API, Twilio's webhooks and /metrics
//     shop work       sends, and has /metrics; any number of them
//
// In the environment, besides TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_WHATSAPP_NUMBER:
//     SHOP_DATABASE      postgresql://shop@db.example/shop; its password comes by PGPASSFILE
//     SHOP_KEYS          the file of the keys that seal and hash
//     SHOP_CUSTOMER_KEY  32 random bytes, in any form: the same for good
//     SHOP_API_KEY       what a request has in its header x-api-key
//     SHOP_PORT          where this process listens, on this machine
//     SHOP_PUBLIC_URL    how Twilio reaches the process that serves
//     SHOP_CONFIRMATION_TEMPLATE, SHOP_STATUS_TEMPLATE, SHOP_PROMOTION_TEMPLATE  HX...
//     SHOP_SMS_NUMBER    sms:+..., for whom WhatsApp does not reach; without it nobody gets an SMS
//     SHOP_PRICES        a file of prices, in one currency: docs/prices.md
//     SHOP_MONTH_BUDGET  in that currency; beyond it nothing is sent
//     SHOP_HOURS         08:00-20:00, by the recipient's clock
//     SHOP_TIME_ZONE     Europe/London: of whom nobody knows where they are
//     SHOP_COUNTRY       GB: whose numbers are written without a country code
//     SHOP_PER_SECOND    80, all workers together
//     SHOP_MESSAGE_DAYS, SHOP_JOB_DAYS  7, 30: how long texts, and what became of them, are kept
//     TWILIOWA_BASE_URL  an emulator, instead of Twilio
#include <httplib.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "api.hpp"
#include "shop.hpp"

namespace wa = twiliowa;
using namespace shop;
using namespace std::chrono_literals;

namespace {

/// /metrics, and what was added to the server, until the process is asked to end.
void listen(httplib::Server& server, Shop& shop, const sigset_t& ends) {
    server.set_keep_alive_max_count(1);
    server.new_task_queue = [] { return new httplib::ThreadPool(16); };
    // A port is one process's: httplib would share it, and requests would go to either.
    server.set_socket_options([](socket_t socket) {
        const int yes = 1;
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    const int port = number_setting("SHOP_PORT");
    if (!server.bind_to_port("127.0.0.1", port)) {
        throw std::runtime_error("port " + std::to_string(port) + " is taken");
    }
    std::thread end{[&] {
        int signal = 0;
        sigwait(&ends, &signal);
        // One that does not listen yet would not hear it.
        while (!server.is_running()) std::this_thread::yield();
        server.stop();
    }};
    shop.log->line("works");
    server.listen_after_bind();
    end.join();
}

void add_metrics(httplib::Server& server, const Shop& shop) {
    server.Get("/metrics", [&shop](const httplib::Request&, httplib::Response& response) {
        response.set_content(shop.metrics->text(), wa::MetricsObserver::content_type);
    });
}

int serve(const sigset_t& ends) {
    Shop shop;
    wa::WebhookHandler handler{wa::RequestValidator{setting("TWILIO_AUTH_TOKEN")},
                               {.public_url = shop.public_url,
                                .window = shop.window,
                                .opt_outs = shop.opt_outs,
                                .customers = shop.customers,
                                .observer = shop.observer}};
    handler.on_status([&](const wa::StatusCallback& callback) { shop.outbox.learn(callback); });
    // What they wrote, and where it can be found, is the proof.
    handler.on(wa::inbound::text("JOIN"), [&](const wa::InboundMessage& message) {
        shop.consents
            ->grant(shop.sender, message.from,
                    {.source = "WhatsApp message " + message.sid.str() + ": JOIN"})
            .value();
        return wa::MessagingResponse{"Thank you. You will hear of our offers; STOP ends it."};
    });
    const Api api{shop, wa::Secret{setting("SHOP_API_KEY")}};
    httplib::Server server;
    add_metrics(server, shop);
    wa::serve_webhooks(server, twilio_path, handler);
    wa::serve_webhooks(
        server, "/.*",
        [&api](const wa::WebhookRequest& request, const httplib::Request& from) {
            return api.answer(request, from.path);
        },
        Api::max_body_bytes);
    listen(server, shop, ends);
    return 0;
}

int work(const sigset_t& ends) {
    Shop shop;
    httplib::Server server;
    add_metrics(server, shop);
    shop.outbox.start();
    listen(server, shop, ends);
    shop.outbox.drain(15s);
    shop.outbox.stop();
    return 0;
}

}  // namespace

int main(int count, char** arguments) try {
    // Every thread leaves them to one.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    const std::string word = count == 2 ? arguments[1] : "";
    if (word == "serve") return serve(ends);
    if (word == "work") return work(ends);
    std::cerr << "shop: knows serve and work\n";
    return 2;
} catch (const std::exception& error) {
    std::cerr << "shop: " << error.what() << '\n';
    return 1;
}
