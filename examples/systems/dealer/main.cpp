// A car dealer's WhatsApp agent: one of two processes, or more, that share a file and a Redis.
// README.md says how to run them.
//
//     dealer            works, until SIGTERM or Ctrl-C
//     dealer record     what was said: entry, SID, status, the help desk's number, text
//
// In the environment, besides TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_WHATSAPP_NUMBER:
//     REDIS_HOST, REDIS_PORT  (redis, 6379) what all processes share; may be away
//     DEALER_DIRECTORY        dealer.db, state.db, media, and keys
//     DEALER_PORT             where the proxy passes webhooks on to
//     DEALER_PUBLIC_URL       how Twilio reaches the proxy
//     DEALER_PROCESSES        how many processes there are (2)
//     DEALER_DESK_URL, DEALER_DESK_TOKEN  the help desk; the token goes with what it is given, and
//         comes with its webhooks, ?token=
//     DEALER_WORKFLOW_MS      how long the stand-in thinks, "2000-5000"
//     DEALER_FALLBACK_TEMPLATE  what goes for an agent's text outside the window (HX...)
//     TWILIOWA_BASE_URL       an emulator, instead of Twilio
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <sys/stat.h>

#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/redis/redis_limiter.hpp>
#include <twiliowa/redis/redis_pool.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/types/error.hpp>

#include "agent.hpp"
#include "dedup_inbox.hpp"
#include "help_desk.hpp"
#include "metrics.hpp"
#include "telemetry.hpp"
#include "web_server.hpp"

namespace wa = twiliowa;
using namespace dealer;
using namespace std::chrono_literals;

namespace {

/// Of all processes together, for one address and minute, that are not signed.
constexpr int forged_a_minute = 50;

std::string variable(const char* name, const char* otherwise = nullptr) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') value = otherwise;
    if (value == nullptr) {
        wa::Error::invalid_request(name, "this environment variable is not set").raise();
    }
    return value;
}

int number(const char* name, const std::string& text, int most) {
    std::size_t end = 0;
    int read = -1;
    try {
        read = std::stoi(text, &end);
    } catch (const std::exception&) {
        end = 0;
    }
    if (end == 0 || end != text.size() || read < 0 || read > most) {
        wa::Error::invalid_request(name, "is no number up to " + std::to_string(most)).raise();
    }
    return read;
}

std::string path_of(const char* name) {
    return variable("DEALER_DIRECTORY") + '/' + name;
}

wa::Sealer open_sealer() {
    return wa::Sealer{[] { return wa::KeyRing::try_from_file(path_of("keys")); }};
}

StandInWorkflow::Waits waits() {
    const char* const name = "DEALER_WORKFLOW_MS";
    const auto text = variable(name, "2000-5000");
    const auto dash = text.find('-');
    if (dash == std::string::npos) wa::Error::invalid_request(name, "is not LEAST-MOST").raise();
    const int least = number(name, text.substr(0, dash), 60'000);
    const int most = number(name, text.substr(dash + 1), 60'000);
    if (most < least) wa::Error::invalid_request(name, "is not LEAST-MOST").raise();
    return {std::chrono::milliseconds{least}, std::chrono::milliseconds{most}};
}

int work() {
    // Every thread leaves them to this one.
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);

    const auto sealer = open_sealer();
    const auto telemetry = std::make_shared<Telemetry>(sealer);
    const auto metrics = std::make_shared<wa::MetricsObserver>(metric_names());
    const auto observer = std::make_shared<wa::CompositeObserver>(
        std::vector<std::shared_ptr<wa::Observer>>{metrics, telemetry});
    const auto credentials = wa::Credentials::from_environment();
    // The proxy is on this machine, and says who calls.
    const auto public_url = wa::PublicUrl::fixed(variable("DEALER_PUBLIC_URL"), {"127.0.0.1"});
    const int processes =
        std::max(number("DEALER_PROCESSES", variable("DEALER_PROCESSES", "2"), 100), 1);

    const auto redis = std::make_shared<wa::RedisPool>(
        "redis://" + variable("REDIS_HOST", "redis") + ':' + variable("REDIS_PORT", "6379"),
        wa::RedisPoolOptions{.connections = 8, .connect_timeout = 500ms});
    // What must not be lost, or be away, is not in Redis.
    const auto store = std::make_shared<wa::SqliteStore>(path_of("state.db"));
    const auto window = std::make_shared<wa::ConversationWindow>(store);
    const auto opt_outs = std::make_shared<wa::OptOuts>(store);

    auto options = wa::ClientOptions::from_environment();
    options.transport = std::make_shared<wa::CurlTransport>();
    options.rate_limiter =
        std::make_shared<wa::RedisLimiter>(redis, wa::RedisLimiterOptions{.per_second = 80,
                                                                          .prefix = "dealer:limit:",
                                                                          .processes = processes,
                                                                          .observer = observer});
    // Three tries of what certainly did nothing, after pauses of up to 1 and 2 s.
    options.retry.max_attempts = 3;
    options.retry.backoff_base = 1s;
    options.retry.backoff_cap = 4s;
    options.window = window;
    options.opt_outs = opt_outs;
    options.observer = observer;
    const wa::MessagesClient client{credentials, options};

    wa::Outbox outbox{
        std::make_shared<wa::SqliteOutbox>(path_of("dealer.db")),
        {.client = [&](std::string_view) { return client; },
         .status_callback = public_url.webhook_url(twilio_path, {.retries = 5, .retry_on = "all"}),
         .send_timeout = 15s,
         .max_tries = 1,  // The client has tried three times then.
         .sealer = sealer}};
    Conversations conversations{path_of("dealer.db"), sealer};
    StandInWorkflow workflow{waits()};
    ::mkdir(path_of("media").c_str(), 0700);
    Agent agent{conversations,
                workflow,
                outbox,
                wa::MediaClient{credentials, options},
                *telemetry,
                {.media_directory = path_of("media"),
                 .fallback_template = variable("DEALER_FALLBACK_TEMPLATE", "")}};
    outbox.on_outcome([&](const wa::JobOutcome& outcome) { agent.on_outcome(outcome); });

    const auto inbox = std::make_shared<wa::DurableInbox>(
        outbox, wa::InboxOptions{.reply_options =
                                     [&](const wa::InboundMessage& message) {
                                         return agent.reply_options(message);
                                     },
                                 .clients = {client},
                                 .sealer = sealer,
                                 .observer = observer});
    wa::WebhookHandler handler{wa::RequestValidator{variable("TWILIO_AUTH_TOKEN")},
                               {.public_url = public_url,
                                .inbox = std::make_shared<DedupInbox>(inbox, redis, *telemetry),
                                .window = window,
                                .opt_outs = opt_outs,
                                .observer = observer,
                                .requests_per_peer = std::max(forged_a_minute / processes, 1),
                                .peer_period = 60s,
                                .peer_limit_counts = wa::PeerLimitCounts::failed}};
    handler.on_opt_out([&](wa::Turn& turn) { agent.on_opt_out(turn); })
        .on_message([&](wa::Turn& turn) { agent.on_message(turn); })
        .on_status([&](const wa::StatusCallback& callback) { outbox.learn(callback); });

    HelpDesk desk{{.url = variable("DEALER_DESK_URL"),
                   .access_token = wa::Secret{variable("DEALER_DESK_TOKEN")}},
                  conversations,
                  *telemetry};
    const auto own = metrics->add_source([&](wa::MetricSamples& samples) {
        telemetry->add_to(samples);
        const auto waiting = inbox->counts().oldest_waiting;
        const auto age = waiting ? wa::system_clock()->now() - *waiting : 0s;
        samples.gauge("twiliowa_inbox_oldest_waiting_seconds", "How long the oldest event waits.",
                      std::chrono::duration<double>(age).count());
    });
    outbox.start();
    inbox->start();
    {
        const WebServer server{
            handler,
            agent,
            {.port = number("DEALER_PORT", variable("DEALER_PORT", "8080"), 65'535),
             .desk_token = wa::Secret{variable("DEALER_DESK_TOKEN")},
             .metrics = [&] { return metrics->text(); }}};
        telemetry->line("works", {});
        int signal = 0;
        sigwait(&ends, &signal);
    }
    // What is under way is ended, and what waits is another process's.
    inbox->drain(10s);
    inbox->stop();
    outbox.drain(15s);
    outbox.stop();
    telemetry->line("ended", {});
    return 0;
}

int show_record() {
    const wa::SqliteOutbox outbox{path_of("dealer.db")};
    Conversations conversations{path_of("dealer.db"), open_sealer()};
    for (const auto& each : conversations.all()) {
        std::cout << each.id << '\t' << each.sid << '\t' << each.status << '\t' << each.desk_id
                  << '\t' << each.text << '\n';
    }
    return 0;
}

}  // namespace

int main(int count, char** arguments) try {
    if (count == 1) return work();
    if (count == 2 && std::string_view{arguments[1]} == "record") return show_record();
    std::cerr << "dealer: knows no other word than record\n";
    return 2;
} catch (const std::exception& error) {
    std::cerr << "dealer: " << error.what() << '\n';
    return 1;
}
