// `twiliowa outbox run`: a worker.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "customer_state.hpp"
#include "layout.hpp"
#include "moment.hpp"
#include "opened_outbox.hpp"
#include "outbox_view.hpp"
#include "rules_options.hpp"
#include "run_notes.hpp"
#include "run_progress.hpp"
#include "service_store.hpp"
#include "webhook_server.hpp"

namespace cli {

namespace {

using twiliowa::Error;
using twiliowa::JobState;
using twiliowa::MessagesClient;
using twiliowa::Outbox;
using twiliowa::OutboxAccount;
using twiliowa::OutboxOptions;
using twiliowa::OutboxStorage;
using twiliowa::Pause;
using twiliowa::PublicUrl;

constexpr const char* run_help = "twiliowa outbox run --help";

struct RunOptions {
    std::string store = {};
    bool until_empty = false;
    std::chrono::seconds settle{120};
    int concurrency = 50;
    std::optional<double> rate = {};
    std::optional<std::string> account = {};
    CustomerStateOptions customers = {};
    RulesOptions rules = {};
    std::string callback_url = {};
    std::optional<int> webhook_port = {};
    std::string webhook_address = "127.0.0.1";
    std::string public_url = {};
};

MessagesClient client_of(const RunOptions& options, const CustomerState& state,
                         const Context& context) {
    auto client = context.client_options();
    client.window = state.window;
    client.opt_outs = state.opt_outs;
    if (options.rate) client.rate_limiter = twiliowa::token_bucket({.per_second = *options.rate});
    return MessagesClient{context.credentials(), std::move(client)};
}

/// The URL that messages carry, so that Twilio's reports prove what was sent.
std::string status_callback_of(const RunOptions& options) {
    if (!options.callback_url.empty() || !options.webhook_port) return options.callback_url;
    // Twilio asks again for what could not be taken in.
    return PublicUrl::fixed(options.public_url)
        .webhook_url("/status", {.retries = 3, .retry_on = "all"});
}

OutboxOptions outbox_options_of(const RunOptions& options, const CustomerState& state,
                                std::shared_ptr<const twiliowa::JobGate> gate,
                                const Context& context) {
    OutboxOptions outbox;
    outbox.gate = std::move(gate);
    outbox.client = [client = client_of(options, state, context),
                     account = options.account](std::string_view name) {
        if (account && *account != name) return OutboxAccount::switched_off();
        return OutboxAccount{client};
    };
    outbox.status_callback = status_callback_of(options);
    outbox.concurrency = options.concurrency;
    outbox.sealer = sealer_of_environment();
    return outbox;
}

std::unique_ptr<WebhookServer> serve_webhooks(const RunOptions& options, Outbox& outbox,
                                              const CustomerState& state, const Context& context) {
    if (!options.webhook_port) return nullptr;
    twiliowa::WebhookOptions webhooks;
    webhooks.public_url = PublicUrl::fixed(options.public_url);
    webhooks.window = state.window;
    webhooks.opt_outs = state.opt_outs;
    webhooks.customers = state.customers;
    twiliowa::WebhookHandler handler{twiliowa::RequestValidator{context.auth_token()},
                                     std::move(webhooks)};
    handler.on_status(
        [&outbox](const twiliowa::StatusCallback& callback) { outbox.learn(callback); });
    // Learnt from, and answered with nothing.
    handler.on_opt_out([](const twiliowa::InboundMessage&) {});
    handler.on_message([](const twiliowa::InboundMessage&) {});
    auto server = std::make_unique<WebhookServer>(options.webhook_address, *options.webhook_port,
                                                  std::move(handler));
    context.output.note("Webhooks are served on port " + std::to_string(server->port()) +
                        ". Enter at Twilio: " +
                        PublicUrl::fixed(options.public_url)
                            .webhook_url("/whatsapp", {.retries = 3, .retry_on = "all"}));
    return server;
}

/// Jobs that were sealed would be refused for good by who cannot read them.
void require_keys(OutboxStorage& storage) {
    bool sealed = false;
    storage
        .transact([&](twiliowa::OutboxTransaction& transaction) -> twiliowa::Result<void> {
            const auto jobs = transaction.list({.state = JobState::ready, .limit = 1});
            if (!jobs) return jobs.error();
            sealed = !jobs->empty() && twiliowa::Sealer::is_sealed(jobs->front().payload);
            return {};
        })
        .value();
    if (!sealed || sealer_of_environment()) return;
    Error::invalid_request("TWILIOWA_KEYS", "is not set, and the jobs are sealed",
                           "set it, or TWILIOWA_KEYS_FILE, to the keys they were sealed with")
        .raise();
}

/// A worker at its work.
struct Run {
    const RunOptions& options;
    Outbox& outbox;
    OutboxStorage& storage;
    const twiliowa::JobGate* gate;
    RunNotes& notes;

    twiliowa::Result<WorkLeft> left() const {
        return work_left(storage, options.account, options.settle, gate);
    }
};

void tell_notes(RunNotes& notes, ProgressLine& progress, Output& output) {
    for (const auto& note : notes.take()) {
        progress.end();
        output.note(note);
    }
}

/// Waits until it is interrupted, or nothing is left. Whether it was interrupted.
bool wait_for_end(const Run& run, Context& context) {
    constexpr std::chrono::milliseconds pause{100};
    constexpr std::chrono::minutes longest_failure{1};
    const auto clock = twiliowa::system_clock();
    const auto& cancel = context.call_options().cancel;
    std::optional<twiliowa::MonotonicTime> failing_since;
    ProgressLine progress;
    bool interrupted = cancel.is_cancelled();
    for (; !interrupted; interrupted = cancel.is_cancelled()) {
        const auto now = clock->monotonic_now();
        if (run.options.until_empty) {
            const auto left = run.left();
            if (left && !left->any()) break;
            if (left) {
                failing_since.reset();
            } else if (!failing_since) {
                failing_since = now;
            } else if (now - *failing_since > longest_failure) {
                progress.end();
                run.outbox.drain(longest_failure);
                left.error().raise();
            }
        }
        tell_notes(run.notes, progress, context.output);
        progress.show(run.outbox, now);
        clock->sleep_until(now + pause, cancel);
    }
    progress.end();
    return interrupted;
}

/// Those that were paused meanwhile by what watches over them, and what budgets have come to.
void tell_campaigns(RunNotes& notes, const std::vector<std::string>& before,
                    const std::vector<std::string>& paused, Output& output) {
    for (const auto& note : notes.take()) output.note(note);
    for (const auto& note : paused) {
        if (std::find(before.begin(), before.end(), note) == before.end()) output.note(note);
    }
}

/// An account that Twilio refused meanwhile: nothing more of it goes before a person acts.
std::optional<Pause> refused_account(Outbox& outbox, const std::vector<Pause>& before) {
    for (auto& pause : outbox.try_pauses().value()) {
        const bool known = std::any_of(before.begin(), before.end(),
                                       [&](const Pause& each) { return each.same_place(pause); });
        if (pause.of == Pause::Of::account && !known) return std::move(pause);
    }
    return std::nullopt;
}

ExitCode end_of(const RunOptions& options, bool interrupted, bool drained, bool in_doubt) {
    if (!options.until_empty) return drained ? ExitCode::done : ExitCode::outcome_unknown;
    if (interrupted) return ExitCode::try_later;
    return in_doubt ? ExitCode::outcome_unknown : ExitCode::done;
}

void check(const RunOptions& options) {
    if (options.webhook_port.has_value() == options.public_url.empty()) {
        throw usage_failure("--webhook-port and --public-url go together", run_help);
    }
}

ExitCode run(const RunOptions& options, Context& context) {
    check(options);
    const auto place = store_place(options.store);
    const auto storage = open_outbox_storage(place, IfMissing::make);
    require_keys(*storage);
    const auto state =
        open_customer_state(options.customers, place, IfMissing::make, ConsentUse::keep);
    const auto notes = std::make_shared<RunNotes>();
    const auto gate = gate_of(options.rules, state, run_help, context, notes);
    require_rules_of_campaigns(storage, options.rules, state);
    Outbox outbox{storage, outbox_options_of(options, state, gate, context)};
    const Run worker{options, outbox, *storage, gate.get(), *notes};
    const auto pauses = outbox.try_pauses().value();
    const auto paused_before = paused_campaigns(*storage);
    // Longer than a send may take, so that nothing is left to be looked for.
    constexpr std::chrono::seconds drain_time{45};
    bool drained = false;
    bool interrupted = false;
    {
        const auto webhooks = serve_webhooks(options, outbox, state, context);
        if (!options.until_empty) {
            context.output.note("Sends what the outbox holds; Ctrl-C or SIGTERM ends it.");
        }
        outbox.start();
        interrupted = wait_for_end(worker, context);
        drained = outbox.drain(drain_time);
    }
    outbox.stop();
    tell_campaigns(*notes, paused_before, paused_campaigns(*storage), context.output);
    const auto counts = outbox.counts();
    const auto left = worker.left().value();
    const bool in_doubt =
        counts.of(JobState::unknown) > 0 || counts.of(JobState::held) > 0 || left.suspects;
    if (const auto refused = refused_account(outbox, pauses)) {
        throw Failure{.kind = "authentication",
                      .field = "account",
                      .message = refused->reason,
                      .advice = "twiliowa outbox resume --account '" + refused->name + "'"};
    }
    context.output.result({{"ended", interrupted ? "interrupted" : "empty"},
                           {"drained", drained},
                           {"in_doubt", in_doubt},
                           {"jobs", json_of_counts(counts)}},
                          text_of_counts(counts) + '\n');
    return end_of(options, interrupted, drained, in_doubt);
}

std::vector<std::string> run_examples() {
    return {"twiliowa outbox run --store sqlite:queue.db --until-empty",
            "twiliowa outbox run --store sqlite:queue.db --until-empty --rate 20 --json",
#ifdef TWILIOWA_CLI_CAMPAIGNS
            "twiliowa outbox run --store sqlite:spring.db --until-empty --prices prices.csv "
            "--budget 250/month --quiet-hours 08:00-20:00"
#endif
    };
}

Action declare_run(CLI::App& app) {
    const auto options = std::make_shared<RunOptions>();
    app.add_flag("--until-empty", options->until_empty,
                 "Ends when nothing is ready now, and every unknown was looked for");
    app.add_option_function<std::string>(
           "--settle",
           [options](const std::string& text) {
               const auto settle = duration_of(text);
               if (!settle) {
                   throw CLI::ValidationError("--settle",
                                              "is a whole number of s, m or h: 90s, 30m");
               }
               options->settle = *settle;
           },
           "How long an unknown is looked for, with --until-empty: 30s, 2m (default)")
        ->type_name("TIME");
    app.add_option("--concurrency", options->concurrency, "Messages under way at once (50)")
        ->check(CLI::Range(1, 10'000).description(""))
        ->type_name("N");
    app.add_option("--rate", options->rate, "Messages a second for each sender; default: no limit")
        ->check(CLI::Range(0.000'001, 1e9).description(""))
        ->type_name("N");
    app.add_option("--account", options->account,
                   "Sends the jobs of this account only, by the program's name for it")
        ->type_name("ACCOUNT");
    add_customer_state_options(app, options->customers);
    add_consent_option(app, options->customers);
    add_rules_options(app, options->rules);
    app.add_option("--callback-url", options->callback_url,
                   "Where Twilio reports, of messages that name no URL")
        ->type_name("URL");
    app.add_option("--webhook-port", options->webhook_port,
                   "Serves Twilio's reports and customers' messages itself; 0: any free port")
        ->check(CLI::Range(0, 65'535).description(""))
        ->type_name("PORT");
    app.add_option("--webhook-address", options->webhook_address,
                   "What it listens on (127.0.0.1); TLS is a proxy's")
        ->type_name("ADDRESS");
    app.add_option("--public-url", options->public_url, "How Twilio reaches that port")
        ->type_name("URL");
    add_store_option(app, options->store);
    return [options](Context& context) { return run(*options, context); };
}

}  // namespace

std::vector<Command> outbox_run_commands() {
    return {{.noun = "outbox",
             .verb = "run",
             .summary = "Sends what the outbox holds, and finds out what became of it",
             .details =
                 "One account, that of the environment, for every job, or those of --account; of "
                 "campaigns, too. What\nis known of customers lies in FILE.state and FILE.consents "
                 "beside the jobs' FILE, or in the jobs'\ndatabase. Ctrl-C or SIGTERM: what is "
                 "under way ends, nothing new begins. With "
                 "--until-empty:\nexit code 0, nothing is in doubt; 3, something is unknown or "
                 "held; 4, interrupted.",
             .examples = run_examples(),
             .declare = declare_run}};
}

}  // namespace cli
