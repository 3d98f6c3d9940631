// A sports club's registration: another program of the club has parents written to, and a
// conversation asks them who the player is. README.md says how to run it.
//
//     registration            works, until SIGTERM or Ctrl-C
//     registration list       the players: id, state, the message's state, what is known, as JSON
//     registration held       messages of which nobody can know whether they were sent
//
// In the environment, or in the file .env of the working directory:
//     TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_WHATSAPP_NUMBER
//     REGISTRATION_API_KEY    what a request has in its header x-api-key
//     REGISTRATION_DIRECTORY  registration.db, state.db, and keys
//     REGISTRATION_PORT       where requests come in, by way of a proxy that ends TLS; and /metrics
//     REGISTRATION_PUBLIC_URL how Twilio reaches it
//     LOG_LEVEL, LOG_FORMAT   info, text: support/log.hpp
//     TWILIOWA_BASE_URL       an emulator, instead of Twilio
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>
#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/outbox/dialogue.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/state/private_store.hpp>
#include <twiliowa/twiliowa.hpp>
#include <twiliowa/types/env_file.hpp>

#include "api.hpp"
#include "club_templates.hpp"
#include "player_dialogue.hpp"
#include "registrations.hpp"
#include "support/jobs.hpp"
#include "support/keys.hpp"
#include "support/program.hpp"
#include "support/settings.hpp"

namespace wa = twiliowa;
using namespace registration;
using support::number_setting;
using support::setting;
using namespace std::chrono_literals;

namespace {

std::string path_of(const char* name) {
    return setting("REGISTRATION_DIRECTORY") + '/' + name;
}

wa::Sealer open_sealer() {
    return support::open_sealer(path_of("keys"));
}

std::shared_ptr<wa::Store> open_store(const wa::Sealer& sealer) {
    auto file = std::make_shared<wa::SqliteStore>(
        path_of("state.db"), wa::SqliteStoreOptions{.max_entry_bytes = std::size_t{8} * 1024});
    return support::private_store(std::move(file), sealer, path_of("keys"));
}

wa::ClientOptions client_options(const wa::Credentials& credentials,
                                 const std::shared_ptr<wa::ConversationWindow>& window,
                                 const std::shared_ptr<wa::OptOuts>& opt_outs,
                                 const std::shared_ptr<wa::Observer>& observer) {
    auto options = wa::ClientOptions::from_environment();
    options.transport = std::make_shared<wa::CurlTransport>();
    options.rate_limiter = wa::token_bucket({.per_second = 80});
    options.observer = observer;
    options.window = window;
    options.unknown_window = wa::UnknownWindow::refuse;
    options.opt_outs = opt_outs;
    options.templates = std::make_shared<wa::Templates>(wa::ContentClient{credentials, options});
    return options;
}

int serve() {
    const support::StopSignals stop;
    const auto sealer = open_sealer();
    const support::Log log{sealer};
    const auto metrics = std::make_shared<wa::MetricsObserver>();
    const auto observer = log.observer_with(metrics);
    const auto store = open_store(sealer);
    const auto window = std::make_shared<wa::ConversationWindow>(store);
    const auto opt_outs = std::make_shared<wa::OptOuts>(store);
    const auto credentials = wa::Credentials::from_environment();
    const auto options = client_options(credentials, window, opt_outs, observer);
    const wa::MessagesClient client{credentials, options};
    const auto public_url = wa::PublicUrl::fixed(setting("REGISTRATION_PUBLIC_URL"));

    const auto database = path_of("registration.db");
    wa::Outbox outbox{
        std::make_shared<wa::SqliteOutbox>(database),
        {.client = [client](std::string_view) { return client; },
         .status_callback = public_url.webhook_url("/webhook", {.retries = 5, .retry_on = "all"}),
         .send_timeout = 15s,
         .sealer = sealer,
         .observer = observer}};
    outbox.on_outcome([&](const wa::JobOutcome& outcome) { support::log_sent(log, outcome); });
    Registrations registrations{database, sealer};

    // An answer to a message has its SID for the request's id.
    const auto inbox = std::make_shared<wa::DurableInbox>(
        outbox, wa::InboxOptions{.reply_options =
                                     [](const wa::InboundMessage& message) {
                                         return wa::JobOptions{.tag = message.sid.str()};
                                     },
                                 .clients = {client},
                                 .sealer = sealer,
                                 .observer = observer});
    wa::WebhookHandler handler{wa::RequestValidator{setting("TWILIO_AUTH_TOKEN")},
                               {.public_url = public_url,
                                .inbox = inbox,
                                .window = window,
                                .opt_outs = opt_outs,
                                .observer = observer}};
    // Catching up reads the account's list, which other services' senders are in, too.
    const wa::InboundFilter ours{
        [sender = wa::Address::parse(options.from).value().wire()](
            const wa::InboundMessage& message) { return message.to == sender; }};
    handler.on(ours && wa::inbound::media(), [](const wa::InboundMessage&) {
        return wa::MessagingResponse{"We cannot look at files here. Please write it in words."};
    });
    wa::Dialogue dialogue{
        store,
        {.name = "registration", .time_out = 24h * 7, .from = options.from, .window = window}};
    add_steps(dialogue, registrations, log);
    options.templates->verify_all(templates::expectations());
    dialogue.ensure(wa::ContentClient{credentials, options}, {.buttons = 2, .rows = 1});
    dialogue.attach(handler, ours);

    const auto api = make_api(setting("REGISTRATION_API_KEY"), options.from, registrations, outbox,
                              *window, log);
    support::WebServer server;
    const auto own = support::serve_metrics(server, metrics, outbox, inbox.get());
    wa::serve_webhooks(server, "/webhook", handler);
    api.serve(server);
    support::Service{log, stop, server, number_setting("REGISTRATION_PORT"), &outbox, inbox.get()}
        .run();
    return 0;
}

int list() {
    const auto sealer = open_sealer();
    const auto database = path_of("registration.db");
    wa::Outbox outbox{std::make_shared<wa::SqliteOutbox>(database), {.sealer = sealer}};
    Registrations registrations{database, sealer};
    for (const auto& each : registrations.all()) {
        const auto id = wa::JobId::parse(each.job);
        const auto job = id ? outbox.try_find(*id).value() : std::nullopt;
        auto known = each.triggered;
        for (const auto& [name, value] : each.confirmed) known[name] = value;
        std::cout << each.id << '\t' << each.state << '\t' << (job ? to_string(job->state) : "gone")
                  << '\t' << nlohmann::json(known).dump() << '\n';
    }
    return 0;
}

int held() {
    wa::Outbox outbox{std::make_shared<wa::SqliteOutbox>(path_of("registration.db")),
                      {.sealer = open_sealer()}};
    for (const auto state : {wa::JobState::held, wa::JobState::unknown}) {
        for (const auto& job : outbox.list({.state = state, .limit = 1'000})) {
            std::cout << job.id.str() << '\t' << to_string(state) << '\t' << job.problem << '\n';
        }
    }
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const auto by_env_file = [](int (*run)()) {
        return [run](const std::string&) {
            if (std::filesystem::exists(".env")) wa::load_env_file(".env");
            return run();
        };
    };
    return support::run_command(
        "registration", count, words,
        {{"", by_env_file(serve)}, {"list", by_env_file(list)}, {"held", by_env_file(held)}});
}
