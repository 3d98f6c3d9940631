// A chatbot platform: organisations with a Twilio account each, whose customers its chatbots
// answer. One of two processes, or more, that share a database. README.md says how to run them.
//
// In the environment:
//     PLATFORM_DATABASE      postgresql://platform@db.example/platform; its password comes by
//                            PGPASSFILE
//     PLATFORM_KEYS          the file of the keys that seal and hash
//     PLATFORM_PORT          where the proxy passes requests on to, on this machine
//     PLATFORM_PUBLIC_URL    how organisations and Twilio reach the proxy
//     PLATFORM_CHATBOT_MS    how long the stand-in thinks, "1000", or "2000-5000"
//     PLATFORM_MOST_WAITING  messages of one organisation, and to it, that may wait (1000)
//     LOG_LEVEL, LOG_FORMAT  info, text: support/log.hpp
//     TWILIOWA_BASE_URL      an emulator, instead of Twilio
#include <httplib.h>

#include <memory>
#include <string>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/postgresql/postgres_outbox.hpp>

#include "api.hpp"
#include "support/keys.hpp"
#include "support/program.hpp"
#include "support/settings.hpp"

namespace wa = twiliowa;
using namespace platform;
using namespace std::chrono_literals;

namespace {

constexpr const char* webhook_path = "/api/whatsapp/webhook";

wa::QuotasOptions messages_a_minute(const Tenants& tenants) {
    return {
        .windows_of =
            [&tenants](std::string_view organisation) -> wa::Result<std::vector<wa::QuotaWindow>> {
            return std::vector{
                wa::QuotaWindow::per_minute(tenants.plan_of(organisation).messages_a_minute)};
        }};
}

int work() {
    const support::StopSignals stop;
    const auto sealer = support::open_sealer(support::setting("PLATFORM_KEYS"));
    const support::Log log{sealer};
    auto options = wa::ClientOptions::from_environment({.sender = ""});
    options.transport = std::make_shared<wa::CurlTransport>();
    options.observer = log.observer();
    const auto database_url = support::setting("PLATFORM_DATABASE");
    support::PostgresDatabase database{database_url};
    const Tenants tenants{database, sealer, options};
    const History history{database, sealer};
    const Usage usage{database_url, database, tenants, log};
    // The proxy is on this machine, and says who calls.
    const auto public_url =
        wa::PublicUrl::fixed(support::setting("PLATFORM_PUBLIC_URL"), {"127.0.0.1"});
    const auto webhook_url =
        public_url.webhook_url(webhook_path, {.retries = 5, .retry_on = "all"});

    const int most_waiting = support::number_setting("PLATFORM_MOST_WAITING", "1000");
    wa::Outbox outbox{
        std::make_shared<wa::PostgresOutbox>(database_url),
        {.client = [&](std::string_view account) { return tenants.outbox_account(account); },
         .status_callback = webhook_url,
         .send_timeout = 15s,
         .max_waiting_per_tenant = most_waiting,
         .sealer = sealer,
         .quotas = messages_a_minute(tenants),
         .observer = log.observer()}};
    StandInChatbot chatbot{support::waits_setting("PLATFORM_CHATBOT_MS", "1000")};
    const Messages messages{tenants, history, usage, chatbot, outbox, log};
    outbox.on_outcome([&](const wa::JobOutcome& outcome) { messages.on_outcome(outcome); });
    const auto inbox = std::make_shared<wa::DurableInbox>(
        outbox, wa::InboxOptions{
                    .max_waiting_per_account = most_waiting,
                    .account = [&](std::string_view sid) { return tenants.inbox_account(sid); },
                    .clients = [&] { return tenants.clients(); },
                    .sealer = sealer,
                    .observer = log.observer()});
    wa::WebhookHandler handler{wa::RequestValidator{[&](const wa::KeyQuery& query) {
                                   return tenants.keys(query.account_sid);
                               }},
                               {.public_url = public_url,
                                .inbox = inbox,
                                .observer = log.observer(),
                                .requests_per_peer = 60}};
    handler.on_message([&](wa::Turn& turn) { messages.on_message(turn); })
        .on_status([&](const wa::StatusCallback& callback) { outbox.learn(callback); });

    const ApiParts parts{tenants, history, usage, messages, outbox, webhook_url};
    const auto api = make_api(log, parts);
    support::WebServer server;
    wa::serve_webhooks(server, webhook_path, handler);
    api.serve(server);
    support::Service{log,     stop,       server, support::number_setting("PLATFORM_PORT"),
                     &outbox, inbox.get()}
        .run();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    return support::run_command("platform", count, words,
                                {{"", [](const std::string&) { return work(); }}});
}
