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
//     LOG_LEVEL, LOG_FORMAT  info, text: support/log.hpp
//     TWILIOWA_BASE_URL  an emulator, instead of Twilio
#include <string>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "api.hpp"
#include "shop.hpp"
#include "support/program.hpp"
#include "support/settings.hpp"

namespace wa = twiliowa;
using namespace shop;

namespace {

int serve(const support::StopSignals& stop) {
    Shop shop;
    wa::WebhookHandler handler{wa::RequestValidator{support::setting("TWILIO_AUTH_TOKEN")},
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
    const auto api = make_api(shop);
    support::WebServer server;
    support::add_metrics(server, [&shop] { return shop.metrics->text(); });
    wa::serve_webhooks(server, twilio_path, handler);
    api.serve(server);
    support::Service{shop.log, stop, server, support::number_setting("SHOP_PORT")}.run();
    return 0;
}

int work(const support::StopSignals& stop) {
    Shop shop;
    support::WebServer server;
    support::add_metrics(server, [&shop] { return shop.metrics->text(); });
    support::Service{shop.log, stop, server, support::number_setting("SHOP_PORT"), &shop.outbox}
        .run();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const support::StopSignals stop;
    return support::run_command("shop", count, words,
                                {{"serve", [&](const std::string&) { return serve(stop); }},
                                 {"work", [&](const std::string&) { return work(stop); }}});
}
