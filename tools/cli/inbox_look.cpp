// `twiliowa inbox`: what shows how events stand, and changes nothing.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/types/error.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "event_view.hpp"
#include "layout.hpp"
#include "moment.hpp"
#include "opened_inbox.hpp"
#include "service_store.hpp"

namespace cli {

namespace {

using twiliowa::Error;
using twiliowa::InboxFilter;
using twiliowa::InboxState;
using Json = nlohmann::ordered_json;

constexpr int inbox_state_count = static_cast<int>(InboxState::dropped) + 1;
/// Read at once, so that many events need little memory.
constexpr std::size_t event_page_size = 500;

bool is_over(InboxState state) {
    return state == InboxState::done || state == InboxState::dropped;
}

// ---- status

ExitCode show_inbox_status(const std::string& store, Context& context) {
    const auto inbox = open_inbox(store_place(store));
    const auto counts = inbox->counts();
    Json json{{"events", Json::object()},
              {"oldest", Json::object()},
              {"oldest_waiting", json_of(counts.oldest_waiting)}};
    std::vector<std::vector<std::string>> rows;
    for (int i = 0; i < inbox_state_count; ++i) {
        const auto state = static_cast<InboxState>(i);
        const std::string name{to_string(state)};
        json["events"][name] = counts.of(state);
        if (counts.of(state) == 0) continue;
        std::string since;
        if (!is_over(state)) {
            const auto first = inbox->list({.state = state, .limit = 1});
            if (!first.empty()) {
                json["oldest"][name] = json_of(first.front().arrived_at);
                since = text_of(first.front().arrived_at);
            }
        }
        rows.push_back({name, std::to_string(counts.of(state)), since});
    }
    const auto text = table({"STATE", "EVENTS", "OLDEST"}, rows);
    context.output.result(json, rows.empty() ? "There is no event.\n" : text);
    return ExitCode::done;
}

Action declare_inbox_status(CLI::App& app) {
    const auto store = std::make_shared<std::string>();
    add_store_option(app, *store);
    return [store](Context& context) { return show_inbox_status(*store, context); };
}

// ---- list

struct EventListOptions {
    std::string store = {};
    std::string state = {};
    std::string kind = {};
    std::size_t limit = 100;
    bool reveal = false;
};

std::optional<InboxState> inbox_state_of(const std::string& name) {
    if (name.empty()) return std::nullopt;
    const auto state = twiliowa::parse_inbox_state(name);
    if (!state) {
        throw usage_failure("--state is none of " + inbox_state_names(),
                            "twiliowa inbox list --help");
    }
    return state;
}

ExitCode list_events(const EventListOptions& options, Context& context) {
    context.output.expect_lines();
    InboxFilter filter{.state = inbox_state_of(options.state), .kind = options.kind};
    const auto inbox = open_inbox(store_place(options.store));
    const auto numbers = options.reveal ? Numbers::whole : Numbers::masked;
    std::vector<std::vector<std::string>> rows;
    for (auto left = options.limit; left > 0;) {
        filter.limit = std::min(left, event_page_size);
        const auto events = inbox->list(filter);
        for (const auto& event : events) {
            if (context.output.is_json()) {
                context.output.line(summary_of_event(event, numbers), "");
                continue;
            }
            rows.push_back({std::to_string(event.sequence), event.message_sid, event.kind,
                            std::string{to_string(event.state)}, std::to_string(event.tries),
                            text_of(event.arrived_at), event.problem});
        }
        if (events.size() < filter.limit) break;
        filter.after = events.back().sequence;
        left -= events.size();
    }
    if (context.output.is_json()) return ExitCode::done;
    if (rows.empty()) context.output.note("There is no such event.");
    if (rows.size() == options.limit) {
        context.output.note("There may be more: --limit shows " + std::to_string(options.limit) +
                            " of them.");
    }
    context.output.result(
        {}, table({"NUMBER", "SID", "KIND", "STATE", "TRIES", "ARRIVED", "PROBLEM"}, rows));
    return ExitCode::done;
}

Action declare_inbox_list(CLI::App& app) {
    const auto options = std::make_shared<EventListOptions>();
    app.add_option("--state", options->state, "Only those")->type_name(inbox_state_names());
    app.add_option("--kind", options->kind, "Only those")->type_name("message|status|unknown");
    app.add_option("--limit", options->limit, "How many at most (100)")
        ->check(CLI::Range(1, 1'000'000).description(""))
        ->type_name("N");
    app.add_flag("--reveal", options->reveal, "Whole numbers, instead of +44*******23");
    add_store_option(app, options->store);
    return [options](Context& context) { return list_events(*options, context); };
}

// ---- show

struct EventShowOptions {
    std::string store = {};
    std::string name = {};
    bool reveal = false;
};

ExitCode show_events(const EventShowOptions& options, Context& context) {
    const auto inbox = open_inbox(store_place(options.store));
    const auto events = find_events(*inbox, options.name);
    if (events.empty()) {
        Error::invalid_request("SID", "names no event of this inbox",
                               "twiliowa inbox list shows them")
            .raise();
    }
    const auto numbers = options.reveal ? Numbers::whole : Numbers::masked;
    Json json{{"events", Json::array()}};
    std::string text;
    for (const auto& event : events) {
        json["events"].push_back(json_of_event(event, numbers));
        text += (text.empty() ? "" : "\n") + text_of_event(event, numbers);
    }
    context.output.result(json, text);
    return ExitCode::done;
}

Action declare_inbox_show(CLI::App& app) {
    const auto options = std::make_shared<EventShowOptions>();
    app.add_option("SID", options->name, "The message's, or the number of an event")->required();
    app.add_flag("--reveal", options->reveal, "Whole numbers, instead of +44*******23");
    add_store_option(app, options->store);
    return [options](Context& context) { return show_events(*options, context); };
}

}  // namespace

std::vector<Command> inbox_look_commands() {
    return {{.noun = "inbox",
             .verb = "status",
             .summary = "Shows how many events are in which state, and since when",
             .examples = {"twiliowa inbox status --store sqlite:bot.db",
                          "TWILIOWA_STORE=sqlite:bot.db twiliowa inbox status --json"},
             .declare = declare_inbox_status},
            {.noun = "inbox",
             .verb = "list",
             .summary = "Lists events, a line each, in the order of their arrival",
             .examples = {"twiliowa inbox list --store sqlite:bot.db --state dead",
                          "twiliowa inbox list --store sqlite:bot.db --kind message --json"},
             .declare = declare_inbox_list},
            {.noun = "inbox",
             .verb = "show",
             .summary = "Shows all that is known of the events of a message, and what came in",
             .details = "Numbers are masked, in texts, too, unless --reveal is given.",
             .examples =
                 {"twiliowa inbox show SM00000000000000000000000000000001 --store sqlite:bot.db"},
             .declare = declare_inbox_show}};
}

}  // namespace cli
