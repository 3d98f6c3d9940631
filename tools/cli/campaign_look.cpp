// `twiliowa campaign`: what shows how campaigns stand, and changes nothing.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/types/error.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "layout.hpp"
#include "live_line.hpp"
#include "moment.hpp"
#include "opened_campaigns.hpp"

namespace cli {

namespace {

using twiliowa::CampaignPhase;
using twiliowa::CampaignProgress;
using twiliowa::Campaigns;
using twiliowa::TimePoint;
using ShownJson = nlohmann::ordered_json;

// ---- list

ExitCode list_campaigns(const std::string& store, Context& context) {
    context.output.expect_lines();
    OpenedCampaigns campaigns{store};
    const auto all = campaigns([](Campaigns& opened) { return opened.list(); });
    std::vector<std::vector<std::string>> rows;
    for (const auto& each : all) {
        if (context.output.is_json()) {
            context.output.line(ShownJson::parse(each.to_json()), "");
            continue;
        }
        rows.push_back({each.id, std::string{to_string(each.phase)},
                        std::to_string(each.recipients), std::to_string(each.waiting),
                        std::to_string(each.sent), std::to_string(each.in_doubt),
                        text_of(each.updated_at), each.problem});
    }
    if (context.output.is_json()) return ExitCode::done;
    if (rows.empty()) context.output.note("There is no campaign.");
    context.output.result(
        {}, table({"ID", "PHASE", "RECIPIENTS", "WAITING", "SENT", "IN DOUBT", "CHANGED", "WHY"},
                  rows));
    return ExitCode::done;
}

Action declare_campaign_list(CLI::App& app) {
    const auto store = std::make_shared<std::string>();
    add_store_option(app, *store);
    return [store](Context& context) { return list_campaigns(*store, context); };
}

// ---- status

struct CampaignStatusOptions {
    CampaignName name = {};
    bool watch = false;
};

/// Nothing more happens to it unless somebody does something.
bool has_ended(const CampaignProgress& progress) {
    return progress.phase == CampaignPhase::finished || progress.phase == CampaignPhase::cancelled;
}

void print_progress(const CampaignProgress& progress, Output& output) {
    output.line(ShownJson::parse(progress.to_json()), printable(progress.line()) + '\n');
}

ExitCode show_campaign(const CampaignStatusOptions& options, Context& context) {
    constexpr std::chrono::seconds pause{1};
    context.output.expect_lines();
    OpenedCampaigns campaigns{options.name.store};
    const auto clock = twiliowa::system_clock();
    const auto& cancel = context.call_options().cancel;
    LiveLine line{std::cout, STDOUT_FILENO};
    std::string shown;
    while (true) {
        const auto progress =
            campaigns([&](Campaigns& opened) { return opened.progress(options.name.id); });
        const bool is_last = !options.watch || has_ended(progress);
        const auto text = progress.line();
        if (line.is_on_terminal() && options.watch && !context.output.is_json()) {
            line.show(text);
        } else if (text != shown) {
            print_progress(progress, context.output);
        }
        shown = text;
        // Nobody reads any more, or wants to.
        if (is_last || !context.output.flush() || cancel.is_cancelled()) return ExitCode::done;
        clock->sleep_until(clock->monotonic_now() + pause, cancel);
    }
}

Action declare_campaign_status(CLI::App& app) {
    const auto options = std::make_shared<CampaignStatusOptions>();
    add_campaign_options(app, options->name);
    app.add_flag("--watch", options->watch,
                 "Goes on until it is finished or cancelled: one line on a terminal, elsewhere one "
                 "each time it changes");
    return [options](Context& context) { return show_campaign(*options, context); };
}

// ---- report

struct ReportOptions {
    CampaignName name = {};
    std::string file = {};
    bool reveal = false;
};

void write_report(const ReportOptions& options, bool json, OpenedCampaigns& campaigns,
                  std::ostream& out) {
    campaigns([&](Campaigns& opened) {
        if (json) {
            opened.report_json(options.name.id, out, {.reveal = options.reveal});
        } else {
            opened.report_csv(options.name.id, out, {.reveal = options.reveal});
        }
    });
}

/// The file holds all of it, or what it held before.
void write_report_file(const ReportOptions& options, bool json, OpenedCampaigns& campaigns) {
    const auto written = options.file + ".new";
    const auto give_up = [&] {
        std::error_code ignored;
        std::filesystem::remove(written, ignored);
    };
    std::ofstream out{written, std::ios::binary};
    if (!out) twiliowa::Error::invalid_request("--out", "cannot be written").raise();
    try {
        write_report(options, json, campaigns, out);
    } catch (...) {
        give_up();
        throw;
    }
    out.close();
    std::error_code failed;
    if (out) std::filesystem::rename(written, options.file, failed);
    if (out && !failed) return;
    give_up();
    twiliowa::Error::invalid_request("--out", "cannot be written").raise();
}

ExitCode report_campaign(const ReportOptions& options, Context& context) {
    context.output.expect_lines();
    OpenedCampaigns campaigns{options.name.store};
    const bool json = context.output.is_json();
    if (options.file.empty()) {
        write_report(options, json, campaigns, std::cout);
        return ExitCode::done;
    }
    write_report_file(options, json, campaigns);
    context.output.line({{"file", options.file}}, facts({{"written", options.file}}));
    return ExitCode::done;
}

Action declare_campaign_report(CLI::App& app) {
    const auto options = std::make_shared<ReportOptions>();
    add_campaign_options(app, options->name);
    app.add_option("--out", options->file, "Written whole or not at all; default: standard output")
        ->type_name("FILE");
    app.add_flag("--reveal", options->reveal, "Whole numbers, instead of +44*******23");
    return [options](Context& context) { return report_campaign(*options, context); };
}

// ---- spend

constexpr const char* spend_help = "twiliowa campaign spend --help";

struct SpendOptions {
    std::string store = {};
    std::string from = {};
    std::string to = {};
};

/// `2026-11-30`: its beginning, in UTC.
TimePoint day_of(const std::string& text, const std::string& option) {
    constexpr std::size_t length = std::string_view{"2026-11-30"}.size();
    const auto time = text.size() == length ? time_of(text + "T00:00:00Z") : std::nullopt;
    if (time) return *time;
    throw usage_failure(option + " is no day: 2026-11-30", spend_help);
}

ExitCode show_spend(const SpendOptions& options, Context& context) {
    constexpr std::chrono::hours day{24};
    constexpr std::chrono::hours kept{24 * 400};
    context.output.expect_lines();
    const auto to = options.to.empty() ? twiliowa::system_clock()->now() + day
                                       : day_of(options.to, "--to") + day;
    const auto from = options.from.empty() ? to - kept : day_of(options.from, "--from");
    OpenedCampaigns campaigns{options.store};
    const auto spent = twiliowa::spend_by_day(campaigns.outbox(), from, to).value();
    std::vector<std::vector<std::string>> rows;
    for (const auto& each : spent) {
        const auto its_day = text_of(each.day).substr(0, std::string_view{"2026-11-30"}.size());
        const std::string currency{each.spend.currency()};
        if (context.output.is_json()) {
            context.output.line({{"day", its_day},
                                 {"tenant", each.tenant},
                                 {"content_sid", each.content_sid},
                                 {"country", each.country},
                                 {"channel", each.channel},
                                 {"spend", each.spend.decimal()},
                                 {"currency", currency}},
                                "");
            continue;
        }
        rows.push_back({its_day, each.tenant, each.content_sid, each.country, each.channel,
                        each.spend.decimal(), currency});
    }
    if (context.output.is_json()) return ExitCode::done;
    if (rows.empty()) context.output.note("Nothing was spent, or no worker knew the prices.");
    context.output.result(
        {}, table({"DAY", "TENANT", "TEMPLATE", "COUNTRY", "CHANNEL", "SPEND", ""}, rows));
    return ExitCode::done;
}

Action declare_campaign_spend(CLI::App& app) {
    const auto options = std::make_shared<SpendOptions>();
    app.add_option("--from", options->from, "The first day, in UTC: 2026-11-30. Default: all kept")
        ->type_name("DAY");
    app.add_option("--to", options->to, "The last day. Default: today")->type_name("DAY");
    add_store_option(app, options->store);
    return [options](Context& context) { return show_spend(*options, context); };
}

}  // namespace

std::vector<Command> campaign_look_commands() {
    return {
        {.noun = "campaign",
         .verb = "list",
         .summary = "Lists campaigns, a line each, the oldest first",
         .examples = {"twiliowa campaign list --store sqlite:spring.db",
                      "TWILIOWA_STORE=sqlite:spring.db twiliowa campaign list --json"},
         .declare = declare_campaign_list},
        {.noun = "campaign",
         .verb = "status",
         .summary = "Shows how far a campaign is, on one line",
         .details = "With --watch until it is finished or cancelled, or Ctrl-C. With --json one "
                    "object a line.",
         .examples = {"twiliowa campaign status spring --store sqlite:spring.db",
                      "twiliowa campaign status opening --watch --store sqlite:spring.db"},
         .declare = declare_campaign_status},
        {.noun = "campaign",
         .verb = "report",
         .summary = "Prints what became of each recipient, as CSV, or with --json as JSON lines",
         .details = "Every recipient is there: who was sent to, and who was not, for which reason. "
                    "Numbers are masked unless\n--reveal is given.",
         .examples = {"twiliowa campaign report spring --store sqlite:spring.db",
                      "twiliowa campaign report spring --out report.csv --reveal --store "
                      "sqlite:spring.db"},
         .declare = declare_campaign_report},
        {.noun = "campaign",
         .verb = "spend",
         .summary = "Shows what all jobs have cost, by day, tenant, template, country and channel",
         .details = "Of what was sent by an outbox run that knew --prices; estimates where Twilio "
                    "has not told the price.\nDays are those of UTC; they are kept for 400 days.",
         .examples = {"twiliowa campaign spend --from 2026-11-01 --to 2026-11-30 --store "
                      "sqlite:spring.db"},
         .declare = declare_campaign_spend}};
}

}  // namespace cli
