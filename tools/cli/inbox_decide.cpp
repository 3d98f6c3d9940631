// `twiliowa inbox`: what a person decides about events, and what fetches those that no webhook
// brought.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "commands.hpp"
#include "consent.hpp"
#include "context.hpp"
#include "customer_state.hpp"
#include "layout.hpp"
#include "opened_inbox.hpp"
#include "opened_outbox.hpp"
#include "service_store.hpp"

namespace cli {

namespace {

using twiliowa::DurableInbox;
using twiliowa::InboxEvent;
using twiliowa::InboxState;

// ---- retry, drop

struct EventNames {
    std::string store = {};
    std::vector<std::string> names = {};
    bool yes = false;
};

void add_event_names(CLI::App& app, EventNames& options) {
    app.add_option("SID", options.names, "Messages, or numbers of events")->required();
    add_store_option(app, options.store);
}

/// What is decided about events, one after the other: what cannot be is named, the others are done.
class Decisions {
public:
    Decisions(DurableInbox& inbox, Output& output) : inbox_(inbox), output_(output) {
        output_.expect_lines();
    }

    /// The events of these names to which a decision applies. Of what has none it says why.
    std::vector<InboxEvent> choose(const std::vector<std::string>& names,
                                   const std::function<bool(const InboxEvent&)>& applies,
                                   std::string_view applies_to) {
        std::vector<InboxEvent> chosen;
        std::set<std::int64_t> numbers;
        for (const auto& name : names) {
            auto events = find_events(inbox_, name);
            bool found = false;
            for (auto& event : events) {
                if (!applies(event)) continue;
                found = true;
                if (numbers.insert(event.sequence).second) chosen.push_back(std::move(event));
            }
            if (found) continue;
            refuse(name, events.empty() ? std::string{"names no event of this inbox"}
                                        : "is " + std::string{to_string(events.front().state)} +
                                              ": " + std::string{applies_to});
        }
        return chosen;
    }

    void decide(const InboxEvent& event, bool applied, std::string_view otherwise) {
        if (!applied) return refuse(std::to_string(event.sequence), std::string{otherwise});
        const auto now = inbox_.find(event.sequence).value_or(event);
        const std::string state{to_string(now.state)};
        output_.line({{"number", now.sequence},
                      {"sid", now.message_sid},
                      {"kind", now.kind},
                      {"state", state}},
                     printable(std::to_string(now.sequence) + "  " + now.message_sid + "  " +
                               now.kind + "  " + state) +
                         '\n');
    }

    ExitCode end() const { return refused_ == 0 ? ExitCode::done : ExitCode::refused; }

private:
    void refuse(const std::string& name, const std::string& problem) {
        ++refused_;
        output_.note(name + ": " + problem);
    }

    DurableInbox& inbox_;
    Output& output_;
    int refused_ = 0;
};

ExitCode retry_events(const EventNames& options, Context& context) {
    const auto inbox = open_inbox(store_place(options.store));
    Decisions decisions{*inbox, context.output};
    const auto chosen = decisions.choose(
        options.names, [](const InboxEvent& event) { return event.state == InboxState::dead; },
        "only what is dead is tried again");
    for (const auto& event : chosen) {
        decisions.decide(event, inbox->retry(event.sequence),
                         "is not dead any more, or what came in is not kept any more");
    }
    return decisions.end();
}

Action declare_inbox_retry(CLI::App& app) {
    const auto options = std::make_shared<EventNames>();
    add_event_names(app, *options);
    return [options](Context& context) { return retry_events(*options, context); };
}

ExitCode drop_events(const EventNames& options, Context& context) {
    const auto inbox = open_inbox(store_place(options.store));
    Decisions decisions{*inbox, context.output};
    const auto chosen = decisions.choose(
        options.names,
        [](const InboxEvent& event) {
            return event.state == InboxState::dead || event.state == InboxState::waiting;
        },
        "only what is dead or waits can be dropped");
    if (chosen.empty()) return decisions.end();
    const auto question = "Drop " + std::to_string(chosen.size()) +
                          (chosen.size() == 1 ? " event? Nobody will handle it."
                                              : " events? Nobody will handle them.");
    if (!options.yes && !agrees(question, "twiliowa inbox drop --help")) {
        context.output.note("Nothing was dropped.");
        return ExitCode::refused;
    }
    for (const auto& event : chosen) {
        decisions.decide(event, inbox->drop(event.sequence), "has been taken up meanwhile");
    }
    return decisions.end();
}

Action declare_inbox_drop(CLI::App& app) {
    const auto options = std::make_shared<EventNames>();
    add_event_names(app, *options);
    app.add_flag("--yes", options->yes, "Does not ask; needed where there is no terminal");
    return [options](Context& context) { return drop_events(*options, context); };
}

// ---- catch-up

struct CatchUpOptions {
    std::string store = {};
    std::string since = {};
    std::vector<std::string> senders = {};
    CustomerStateOptions customers = {};
};

ExitCode catch_up(const CatchUpOptions& options, Context& context) {
    const auto since = moment_of(options.since, "--since", "twiliowa inbox catch-up --help");
    for (const auto& sender : options.senders) twiliowa::Address::parse(sender, "--sender").value();
    const auto place = store_place(options.store);
    const std::shared_ptr<DurableInbox> inbox = open_inbox(
        place,
        {.clients = {twiliowa::MessagesClient{context.credentials(), context.client_options()}},
         .catch_up_senders = options.senders});
    const auto state = open_customer_state(options.customers, place, IfMissing::refuse);
    // Takes in as the service does, and handles nothing; no webhook comes to it.
    twiliowa::WebhookOptions webhooks;
    webhooks.inbox = inbox;
    webhooks.window = state.window;
    webhooks.opt_outs = state.opt_outs;
    webhooks.customers = state.customers;
    const twiliowa::WebhookHandler handler{twiliowa::RequestValidator{"none"}, std::move(webhooks)};
    const auto report = inbox->try_catch_up(since, context.call_options().cancel).value();
    context.output.result({{"taken", report.taken}, {"listed", report.listed}},
                          facts({{"taken in", std::to_string(report.taken)},
                                 {"listed", std::to_string(report.listed)}}));
    return ExitCode::done;
}

Action declare_catch_up(CLI::App& app) {
    const auto options = std::make_shared<CatchUpOptions>();
    app.add_option("--since", options->since,
                   "When the service went away: 2026-11-21T06:10:00Z, or the seconds since 1970")
        ->required()
        ->type_name("TIME");
    app.add_option("--sender", options->senders,
                   "Only what came to this number of yours; may be given several times")
        ->type_name("ADDRESS");
    add_customer_state_options(app, options->customers);
    add_store_option(app, options->store);
    return [options](Context& context) { return catch_up(*options, context); };
}

}  // namespace

std::vector<Command> inbox_decide_commands() {
    return {
        {.noun = "inbox",
         .verb = "retry",
         .summary = "Has dead letters handled again, out of their order, with all their tries",
         .details =
             "A message has one event, or one for each of its statuses: all of them that are "
             "dead. What cannot be\ntried again is named on standard error, the others are, "
             "and the exit code is 1.",
         .examples = {"twiliowa inbox retry SM00000000000000000000000000000001 --store "
                      "sqlite:bot.db",
                      "twiliowa inbox retry 2 --store sqlite:bot.db"},
         .declare = declare_inbox_retry},
        {.noun = "inbox",
         .verb = "drop",
         .summary = "Gives up events that are dead or wait: nobody handles them",
         .details = "Asks before it does. The messages are lost to the program: read them first, "
                    "with inbox show.",
         .examples = {"twiliowa inbox drop SM00000000000000000000000000000002 --yes --store "
                      "sqlite:bot.db"},
         .declare = declare_inbox_drop},
        {.noun = "inbox",
         .verb = "catch-up",
         .summary = "Takes in messages that Twilio lists and no webhook has brought",
         .details = "Of the account of the environment; they are handled by the service. Twilio's "
                    "list may lag: do it\nagain after a while, nothing is taken in twice. Windows "
                    "and opt-outs learn of them, where the\nservice keeps them: --customer-store.",
         .examples = {"twiliowa inbox catch-up --since 2026-11-21T06:10:00Z --store sqlite:bot.db "
                      "--customer-store sqlite:state.db"},
         .declare = declare_catch_up}};
}

}  // namespace cli
