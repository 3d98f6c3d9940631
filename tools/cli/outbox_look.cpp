// `twiliowa outbox`: what shows how jobs stand, and changes nothing.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "job_view.hpp"
#include "layout.hpp"
#include "moment.hpp"
#include "opened_outbox.hpp"
#include "outbox_view.hpp"
#include "service_store.hpp"

namespace cli {

namespace {

using twiliowa::Job;
using twiliowa::JobFilter;
using twiliowa::JobOutcome;
using twiliowa::JobState;
using twiliowa::Outbox;
using Json = nlohmann::ordered_json;

/// Read at once, so that many jobs need little memory.
constexpr std::size_t page_size = 500;

// ---- status

ExitCode show_status(const std::string& store, Context& context) {
    const auto outbox = open_outbox(store);
    const auto counts = outbox->counts();
    Json json{
        {"jobs", json_of_counts(counts)}, {"oldest", Json::object()}, {"pauses", Json::array()}};
    std::vector<std::vector<std::string>> rows;
    for (int i = 0; i <= static_cast<int>(JobState::cancelled); ++i) {
        const auto state = static_cast<JobState>(i);
        const std::string name{to_string(state)};
        if (counts.of(state) == 0) continue;
        std::string since;
        if (!is_final(state)) {
            const auto oldest = outbox->list({.state = state, .limit = 1});
            if (!oldest.empty()) {
                json["oldest"][name] = json_of(oldest.front().created_at);
                since = text_of(oldest.front().created_at);
            }
        }
        rows.push_back({name, std::to_string(counts.of(state)), since});
    }
    auto text = table({"STATE", "JOBS", "OLDEST"}, rows);
    if (rows.empty()) text = "There is no job.\n";
    for (const auto& pause : outbox->try_pauses().value()) {
        json["pauses"].push_back(json_of_pause(pause));
        text += printable(text_of_pause(pause)) + '\n';
    }
    context.output.result(json, text);
    return ExitCode::done;
}

Action declare_status(CLI::App& app) {
    const auto store = std::make_shared<std::string>();
    add_store_option(app, *store);
    return [store](Context& context) { return show_status(*store, context); };
}

// ---- list, export

struct ListOptions {
    std::string store = {};
    std::string state = {};
    std::optional<std::string> tenant = {};
    std::string tag = {};
    std::size_t limit = 100;
    bool reveal = false;

    Numbers numbers() const { return reveal ? Numbers::whole : Numbers::masked; }
};

void add_filter_options(CLI::App& app, ListOptions& options) {
    app.add_option("--state", options.state, "Only those")->type_name(job_state_names());
    app.add_option("--tenant", options.tenant, "Only those of one tenant")->type_name("TENANT");
    app.add_option("--tag", options.tag, "Only those of one tag")->type_name("TEXT");
    app.add_flag("--reveal", options.reveal, "Whole numbers, instead of +44*******23");
    add_store_option(app, options.store);
}

/// Gives each job that the options name to `give`, the oldest first.
void for_each_job(const ListOptions& options, std::size_t most,
                  const std::function<void(const Job&)>& give) {
    JobFilter filter{
        .state = job_state_of(options.state), .tenant = options.tenant, .tag = options.tag};
    const auto outbox = open_outbox(options.store);
    while (most > 0) {
        filter.limit = std::min(most, page_size);
        const auto jobs = outbox->list(filter);
        for (const auto& job : jobs) give(job);
        if (jobs.size() < filter.limit) return;
        filter.after = jobs.back().sequence;
        most -= jobs.size();
    }
}

ExitCode list_jobs(const ListOptions& options, Context& context) {
    context.output.expect_lines();
    std::vector<std::vector<std::string>> rows;
    for_each_job(options, options.limit, [&](const Job& job) {
        if (context.output.is_json()) {
            context.output.line(summary_of_job(job, options.numbers()), "");
            return;
        }
        rows.push_back({job.key, state_of_job(job), job.sid.str(), job.status.str(),
                        std::to_string(job.attempts.size()), text_of(job.updated_at), job.problem});
    });
    if (context.output.is_json()) return ExitCode::done;
    if (rows.empty()) context.output.note("There is no such job.");
    if (rows.size() == options.limit) {
        context.output.note("There may be more: --limit shows " + std::to_string(options.limit) +
                            " of them.");
    }
    context.output.result(
        {}, table({"KEY", "STATE", "SID", "STATUS", "ATTEMPTS", "UPDATED", "PROBLEM"}, rows));
    return ExitCode::done;
}

Action declare_list(CLI::App& app) {
    const auto options = std::make_shared<ListOptions>();
    add_filter_options(app, *options);
    app.add_option("--limit", options->limit, "How many at most (100)")
        ->check(CLI::Range(1, 1'000'000).description(""))
        ->type_name("N");
    return [options](Context& context) { return list_jobs(*options, context); };
}

ExitCode export_jobs(const ListOptions& options, Context& context) {
    context.output.expect_lines();
    for_each_job(options, std::numeric_limits<std::size_t>::max(), [&](const Job& job) {
        auto json = json_of_job(job, options.numbers());
        json["message"] = message_of_job(job, options.numbers());
        context.output.line(json, json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n');
    });
    return ExitCode::done;
}

Action declare_outbox_export(CLI::App& app) {
    const auto options = std::make_shared<ListOptions>();
    add_filter_options(app, *options);
    return [options](Context& context) { return export_jobs(*options, context); };
}

// ---- show

Action declare_outbox_show(CLI::App& app) {
    const auto name = std::make_shared<JobName>();
    const auto reveal = std::make_shared<bool>(false);
    add_job_options(app, *name);
    app.add_flag("--reveal", *reveal, "Whole numbers, instead of +44*******23");
    return [name, reveal](Context& context) {
        const auto numbers = *reveal ? Numbers::whole : Numbers::masked;
        const auto outbox = open_outbox(name->store);
        const auto job = find_job(*outbox, *name);
        context.output.result(json_of_job(job, numbers), text_of_job(job, numbers));
        return ExitCode::done;
    };
}

// ---- watch

struct WatchOptions {
    std::string store = {};
    std::int64_t since = 0;
    bool once = false;
};

void print_outcome(const JobOutcome& outcome, Output& output) {
    const auto& job = outcome.job;
    const auto name = std::string{to_string(outcome.outcome)};
    const auto problem = job.problem.empty() ? "" : "  " + job.problem;
    const auto text = std::to_string(outcome.cursor) + "  " + text_of(outcome.at) + "  " + name +
                      "  " + job.key + (job.sid.empty() ? "" : "  " + job.sid.str()) + problem;
    output.line({{"cursor", outcome.cursor},
                 {"outcome", name},
                 {"at", json_of(outcome.at)},
                 {"key", job.key},
                 {"id", job.id.str()},
                 {"tenant", job.tenant},
                 {"tag", job.tag},
                 {"state", to_string(job.state)},
                 {"sid", job.sid.str()},
                 {"status", job.status.str()},
                 {"error_code", job.error_code},
                 {"problem", job.problem}},
                printable(text) + '\n');
}

ExitCode watch(const WatchOptions& options, Context& context) {
    constexpr std::chrono::milliseconds pause{500};
    context.output.expect_lines();
    const auto outbox = open_outbox(options.store);
    const auto& cancel = context.call_options().cancel;
    const auto clock = twiliowa::system_clock();
    auto cursor = options.since;
    while (!cancel.is_cancelled()) {
        const auto outcomes = outbox->try_outcomes(cursor, page_size).value();
        for (const auto& outcome : outcomes) {
            print_outcome(outcome, context.output);
            cursor = outcome.cursor;
        }
        // Nobody reads any more.
        if (!context.output.flush()) break;
        if (outcomes.size() == page_size) continue;
        if (options.once) break;
        clock->sleep_until(clock->monotonic_now() + pause, cancel);
    }
    return ExitCode::done;
}

Action declare_watch(CLI::App& app) {
    const auto options = std::make_shared<WatchOptions>();
    app.add_option("--since", options->since,
                   "The cursor that was read last. Default: the oldest outcome that is kept")
        ->check(CLI::NonNegativeNumber.description(""))
        ->type_name("CURSOR");
    app.add_flag("--once", options->once, "Ends when what has happened so far is printed");
    add_store_option(app, options->store);
    return [options](Context& context) { return watch(*options, context); };
}

}  // namespace

std::vector<Command> outbox_look_commands() {
    return {
        {.noun = "outbox",
         .verb = "status",
         .summary = "Shows how many jobs are in which state, and what is paused",
         .examples = {"twiliowa outbox status --store sqlite:outbox.db",
                      "TWILIOWA_STORE=sqlite:outbox.db twiliowa outbox status --json"},
         .declare = declare_status},
        {.noun = "outbox",
         .verb = "list",
         .summary = "Lists jobs, a line each, the oldest first",
         .examples = {"twiliowa outbox list --store sqlite:outbox.db --state accepted",
                      "twiliowa outbox list --store sqlite:outbox.db --json"},
         .declare = declare_list},
        {.noun = "outbox",
         .verb = "show",
         .summary = "Shows all that is known of one job, attempt by attempt",
         .examples = {"twiliowa outbox show order-42 --store sqlite:outbox.db"},
         .declare = declare_outbox_show},
        {.noun = "outbox",
         .verb = "watch",
         .summary = "Prints what becomes of jobs, a line each, as it happens",
         .details = "Ends with Ctrl-C. Each line has a cursor: --since goes on behind it.",
         .examples = {"twiliowa outbox watch --store sqlite:outbox.db --once",
                      "twiliowa outbox watch --store sqlite:outbox.db --since 0 --once --json"},
         .declare = declare_watch},
        {.noun = "outbox",
         .verb = "export",
         .summary = "Prints jobs with their messages, one JSON object a line",
         .details = "Numbers are masked, in texts too, unless --reveal is given; then a message "
                    "is what outbox enqueue\nreads.",
         .examples = {"twiliowa outbox export --store sqlite:outbox.db",
                      "twiliowa outbox export --store sqlite:outbox.db --reveal"},
         .declare = declare_outbox_export}};
}

}  // namespace cli
