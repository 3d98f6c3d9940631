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
//     DEALER_SMS_NUMBER       sms:+..., for whom WhatsApp does not reach; else nobody gets one
//     DEALER_ACCOUNTS         a file of further accounts, one a line, an object with
//         twilio_account_sid, twilio_auth_token, twilio_whatsapp_number, and, where the account has
//         such, twilio_sms_number and twilio_fallback_template
//     DEALER_PRICES           a file of prices, in one currency: docs/prices.md
//     DEALER_MONTH_BUDGET     in that currency; beyond it nothing is sent
//     LOG_LEVEL, LOG_FORMAT   info, text: support/log.hpp
//     TWILIOWA_BASE_URL       an emulator, instead of Twilio
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/outbox/accounts.hpp>
#include <twiliowa/outbox/dedup_inbox.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/redis/redis_limiter.hpp>
#include <twiliowa/redis/redis_pool.hpp>
#include <twiliowa/redis/redis_store.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "agent.hpp"
#include "help_desk.hpp"
#include "metrics.hpp"
#include "support/costs.hpp"
#include "support/keys.hpp"
#include "support/members.hpp"
#include "support/program.hpp"
#include "support/settings.hpp"

namespace wa = twiliowa;
using namespace dealer;
using support::number_setting;
using support::setting;
using namespace std::chrono_literals;

namespace {

/// Of all processes together, for one address and minute, that are not signed.
constexpr int forged_a_minute = 50;

constexpr const char* twilio_path = "/webhooks/twilio/whatsapp";

std::string path_of(const char* name) {
    return setting("DEALER_DIRECTORY") + '/' + name;
}

/// That of the environment, and those of a file.
wa::Accounts read_accounts(const wa::ClientOptions& options, std::map<std::string, Site>& sites) {
    wa::Accounts accounts{options};
    const auto own = wa::Credentials::from_environment();
    accounts.add(own, options.from);
    sites[own.account_sid().str()] = {setting("DEALER_SMS_NUMBER", ""),
                                      setting("DEALER_FALLBACK_TEMPLATE", "")};
    const char* const name = "DEALER_ACCOUNTS";
    const auto file = setting(name, "");
    std::istringstream lines{file.empty() ? file : support::contents_of(file, name)};
    for (std::string line; std::getline(lines, line);) {
        const auto credentials = wa::Credentials::from_json(line);
        const auto object = nlohmann::json::parse(line);
        accounts.add(credentials, support::text_at(object, "twilio_whatsapp_number").value());
        sites[credentials.account_sid().str()] = {object.value("twilio_sms_number", ""),
                                                  object.value("twilio_fallback_template", "")};
    }
    return accounts;
}

/// What the help desk reports; its address has the token.
void serve_desk(httplib::Server& server, const Agent& agent) {
    server.Post("/webhooks/helpdesk",
                [&agent, token = wa::Secret{setting("DEALER_DESK_TOKEN")}](
                    const httplib::Request& request, httplib::Response& response) {
                    const bool is_desk = token.matches(request.get_param_value("token"));
                    response.status = is_desk ? agent.on_desk_event(request.body) : 403;
                });
}

int work() {
    const support::StopSignals stop;
    const auto sealer = support::open_sealer(path_of("keys"));
    const support::Log log{sealer};
    const auto metrics = std::make_shared<wa::MetricsObserver>(metric_names());
    const auto observer = log.observer_with(metrics);
    // The proxy is on this machine, and says who calls.
    const auto public_url = wa::PublicUrl::fixed(setting("DEALER_PUBLIC_URL"), {"127.0.0.1"});
    const int processes = number_setting("DEALER_PROCESSES", "2", 100);

    const auto redis = std::make_shared<wa::RedisPool>(
        "redis://" + setting("REDIS_HOST", "redis") + ':' + setting("REDIS_PORT", "6379"),
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
    options.retry = {.max_attempts = 3, .backoff_base = 1s, .backoff_cap = 4s};
    options.window = window;
    options.opt_outs = opt_outs;
    options.observer = observer;
    AgentOptions agent_options{.media_directory = path_of("media")};
    const auto accounts = read_accounts(options, agent_options.sites);
    wa::SendingRulesOptions costs{.observer = observer};
    support::add_costs(costs, "DEALER_PRICES", "DEALER_MONTH_BUDGET");
    const auto rules = std::make_shared<wa::SendingRules>(std::move(costs));

    wa::Outbox outbox{
        std::make_shared<wa::SqliteOutbox>(path_of("dealer.db")),
        {.client = [&](std::string_view account) { return accounts.outbox_account(account); },
         .status_callback = public_url.webhook_url(twilio_path, {.retries = 5, .retry_on = "all"}),
         // Later nobody needs an answer any more, and people have to hear of it.
         .on_unknown = wa::OnUnknown::drop(10min),
         .send_timeout = 15s,
         .max_tries = 1,  // The client has tried three times then.
         .sealer = sealer,
         .gate = rules,
         .observer = observer}};
    Conversations conversations{path_of("dealer.db"), sealer};
    StandInWorkflow workflow{support::waits_setting("DEALER_WORKFLOW_MS", "2000-5000")};
    ::mkdir(agent_options.media_directory.c_str(), 0700);
    const Agent agent{conversations, workflow, outbox, accounts, log, agent_options};
    outbox.on_outcome([&](const wa::JobOutcome& outcome) { agent.on_outcome(outcome); });

    const auto inbox = std::make_shared<wa::DurableInbox>(
        outbox,
        wa::InboxOptions{.clients = accounts.clients(), .sealer = sealer, .observer = observer});
    // What came within the last hour is known in Redis to all processes: a duplicate costs the disk
    // nothing. A webhook does not wait long for what only saves work.
    const auto deduplicated = std::make_shared<wa::DedupInbox>(
        inbox,
        wa::DedupStore{std::make_shared<wa::RedisStore>(
                           redis, wa::RedisStoreOptions{.prefix = "dealer:", .timeout = 200ms}),
                       {.lease = 10s, .kept = 1h}},
        wa::DedupInboxOptions{.on_change = [&](const wa::Error* problem) {
            if (problem == nullptr) return log.info("redis_is_there");
            log.warning("redis_is_away", {{"problem", problem->what()}});
        }});
    wa::WebhookHandler handler{wa::RequestValidator{[&](const wa::KeyQuery& query) {
                                   return accounts.signing_keys(query);
                               }},
                               {.public_url = public_url,
                                .inbox = deduplicated,
                                .window = window,
                                .opt_outs = opt_outs,
                                .observer = observer,
                                .requests_per_peer = std::max(forged_a_minute / processes, 1),
                                .peer_period = 60s,
                                .peer_limit_counts = wa::PeerLimitCounts::failed}};
    handler.on_opt_out([&](wa::Turn& turn) { agent.on_opt_out(turn); })
        .on_message([&](wa::Turn& turn) { agent.on_message(turn); })
        .on_status([&](const wa::StatusCallback& callback) { outbox.learn(callback); });

    HelpDesk desk{{.url = setting("DEALER_DESK_URL"),
                   .access_token = wa::Secret{setting("DEALER_DESK_TOKEN")}},
                  conversations,
                  log};
    const auto own = metrics->add_source([&](wa::MetricSamples& samples) {
        desk.add_to(samples);
        samples.gauge("dealer_redis_up", "Whether Redis answered last.",
                      deduplicated->memory_answers() ? 1 : 0);
        support::add_budget_samples(samples, "dealer", *rules, outbox);
        add_samples(samples, *inbox);
    });
    support::WebServer server;
    wa::serve_webhooks(server, twilio_path, handler);
    serve_desk(server, agent);
    support::add_metrics(server, [&] { return metrics->text(); });
    support::Service{log, stop, server, number_setting("DEALER_PORT", "8080"), &outbox, inbox.get()}
        .run();
    return 0;
}

int show_record() {
    const wa::SqliteOutbox outbox{path_of("dealer.db")};
    Conversations conversations{path_of("dealer.db"), support::open_sealer(path_of("keys"))};
    for (const auto& each : conversations.all()) {
        std::cout << each.id << '\t' << each.sid << '\t' << each.status << '\t' << each.desk_id
                  << '\t' << each.text << '\n';
    }
    return 0;
}

}  // namespace

int main(int count, char** words) {
    return support::run_command("dealer", count, words,
                                {{"", [](const std::string&) { return work(); }},
                                 {"record", [](const std::string&) { return show_record(); }}});
}
