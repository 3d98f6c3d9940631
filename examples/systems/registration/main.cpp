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
//     REGISTRATION_PORT       where requests come in, by way of a proxy that ends TLS
//     REGISTRATION_PUBLIC_URL how Twilio reaches it
//     TWILIOWA_BASE_URL       an emulator, instead of Twilio
#include <httplib.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

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
#include "log.hpp"
#include "player_dialogue.hpp"
#include "registrations.hpp"

namespace wa = twiliowa;
using namespace registration;
using namespace std::chrono_literals;

namespace {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') {
        wa::Error::invalid_request(name, "this environment variable is not set").raise();
    }
    return value;
}

int port() {
    const auto text = variable("REGISTRATION_PORT");
    char* end = nullptr;
    const long port = std::strtol(text.c_str(), &end, 10);
    if (*end != '\0' || port < 1 || port > 65'535) {
        wa::Error::invalid_request("REGISTRATION_PORT", "is no number between 1 and 65535").raise();
    }
    return static_cast<int>(port);
}

std::string path_of(const char* name) {
    return variable("REGISTRATION_DIRECTORY") + '/' + name;
}

wa::Sealer open_sealer() {
    return wa::Sealer{[] { return wa::KeyRing::try_from_file(path_of("keys")); }};
}

/// No number in its keys, and none in its values.
std::shared_ptr<wa::Store> open_store(const wa::Sealer& sealer) {
    const auto oldest_key = wa::KeyRing::from_file(path_of("keys")).ids().back();
    auto file = std::make_shared<wa::SqliteStore>(
        path_of("state.db"), wa::SqliteStoreOptions{.max_entry_bytes = std::size_t{8} * 1024});
    auto sealed = std::make_shared<wa::SealedStore>(std::move(file), sealer);
    return std::make_shared<wa::HashedStore>(std::move(sealed), sealer, oldest_key);
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

void serve_requests(httplib::Server& server, Api& api, const wa::WebhookHandler& handler,
                    const sigset_t& ends) {
    wa::serve_webhooks(server, "/webhook", handler);
    wa::serve_webhooks(
        server, "/trigger",
        [&api](const wa::WebhookRequest& request, const httplib::Request&) {
            return api.trigger(request);
        },
        Api::max_body_bytes);
    wa::serve_webhooks(
        server, "/message",
        [&api](const wa::WebhookRequest& request, const httplib::Request&) {
            return api.message(request);
        },
        Api::max_body_bytes);
    wa::serve_webhooks(
        server, "/messages/([0-9a-f]{20})",
        [&api](const wa::WebhookRequest& request, const httplib::Request& from) {
            return api.look_up(request, std::string{from.matches[1]});
        },
        Api::max_body_bytes);
    server.set_keep_alive_max_count(1);
    server.new_task_queue = [] { return new httplib::ThreadPool(32); };
    const int at = port();
    if (!server.bind_to_port("127.0.0.1", at)) {
        throw std::runtime_error("port " + std::to_string(at) + " is taken");
    }
    std::thread end{[&] {
        int signal = 0;
        sigwait(&ends, &signal);
        // One that does not listen yet would not hear it.
        while (!server.is_running()) std::this_thread::yield();
        server.stop();
    }};
    server.listen_after_bind();
    end.join();
}

int serve() {
    // Every thread leaves them to one.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);

    const auto sealer = open_sealer();
    const Log log{sealer};
    const auto process = new_request_id();
    const auto observer = std::make_shared<CallLog>(log);
    const auto store = open_store(sealer);
    const auto window = std::make_shared<wa::ConversationWindow>(store);
    const auto opt_outs = std::make_shared<wa::OptOuts>(store);
    const auto credentials = wa::Credentials::from_environment();
    const auto options = client_options(credentials, window, opt_outs, observer);
    const wa::MessagesClient client{credentials, options};
    const auto public_url = wa::PublicUrl::fixed(variable("REGISTRATION_PUBLIC_URL"));

    const auto database = path_of("registration.db");
    wa::Outbox outbox{
        std::make_shared<wa::SqliteOutbox>(database),
        {.client = [client](std::string_view) { return client; },
         .status_callback = public_url.webhook_url("/webhook", {.retries = 5, .retry_on = "all"}),
         .send_timeout = 15s,
         .sealer = sealer}};
    outbox.on_outcome([&](const wa::JobOutcome& outcome) { log.outcome(outcome); });
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
    wa::WebhookHandler handler{wa::RequestValidator{variable("TWILIO_AUTH_TOKEN")},
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

    Api api{wa::Secret{variable("REGISTRATION_API_KEY")},
            options.from,
            registrations,
            outbox,
            *window,
            log};
    httplib::Server server;
    outbox.start();
    inbox->start();
    log.line("works", process, {});
    serve_requests(server, api, handler, ends);
    inbox->drain(10s);
    outbox.drain(15s);
    inbox->stop();
    outbox.stop();
    log.line("ended", process, {});
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

int main(int count, char** arguments) try {
    if (std::filesystem::exists(".env")) wa::load_env_file(".env");
    const std::string word = count == 2 ? arguments[1] : "";
    if (count == 1) return serve();
    if (word == "list") return list();
    if (word == "held") return held();
    std::cerr << "registration: knows list and held\n";
    return 2;
} catch (const std::exception& error) {
    std::cerr << "registration: " << error.what() << '\n';
    return 1;
}
