// `twiliowa campaign`: what makes a campaign, and looks at it before it starts.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/types/error.hpp>

#include "campaign_input.hpp"
#include "commands.hpp"
#include "context.hpp"
#include "customer_state.hpp"
#include "definition_file.hpp"
#include "layout.hpp"
#include "opened_campaigns.hpp"
#include "rules_options.hpp"

namespace cli {

namespace {

using twiliowa::AddedRecipients;
using twiliowa::CampaignCheck;
using twiliowa::CampaignDefinition;
using twiliowa::CampaignFile;
using twiliowa::Campaigns;
using twiliowa::Hindrance;
using CampaignJson = nlohmann::ordered_json;

// ---- new

struct NewCampaignOptions {
    std::string file = {};
    std::string store = {};
    RulesOptions rules = {};
};

/// Messages that say nothing of it come from the environment's sender, as those of outbox enqueue.
void give_sender(CampaignDefinition& definition, const std::string& sender) {
    for (auto& variant : definition.variants) {
        auto& message = variant.message;
        if (message.from.empty() && message.messaging_service_sid.empty()) message.from = sender;
    }
}

ExitCode make_campaign(const NewCampaignOptions& options, Context& context) {
    auto definition = CampaignDefinition::from_json(text_of_file(options.file)).value();
    give_sender(definition, context.client_options().from);
    OpenedCampaigns campaigns{options.store, IfMissing::make,
                              rules_of(options.rules, {}, "twiliowa campaign new --help")};
    const bool is_new = campaigns([&](Campaigns& opened) { return opened.create(definition); });
    context.output.result(
        {{"id", std::string{definition.id}}, {"existed", !is_new}},
        facts({{"id", definition.id}, {"made", is_new ? "now" : "before, and the same"}}));
    return ExitCode::done;
}

Action declare_campaign_new(CLI::App& app) {
    const auto options = std::make_shared<NewCampaignOptions>();
    app.add_option("FILE", options->file,
                   "What it is, as JSON (docs/campaigns.md). - is standard input")
        ->required()
        ->type_name("FILE");
    add_prices_option(app, options->rules);
    add_store_option(app, options->store);
    return [options](Context& context) { return make_campaign(*options, context); };
}

// ---- add

constexpr const char* add_help = "twiliowa campaign add --help";

struct AddOptions {
    CampaignName name = {};
    std::string file = {};
    bool csv = false;
    bool json_lines = false;
    bool certain_only = false;
    CampaignFile columns = {};
    std::string country = {};
    RulesOptions rules = {};
    CustomerStateOptions customers = {};
};

bool is_csv(const AddOptions& options) {
    if (options.csv != options.json_lines) return options.csv;
    const std::string_view file = options.file;
    if (file.ends_with(".csv")) return true;
    if (file.ends_with(".jsonl") || file.ends_with(".ndjson") || file.ends_with(".json")) {
        return false;
    }
    throw usage_failure("what FILE holds is not known by its name: say --csv or --json-lines",
                        add_help);
}

/// What is known of customers, or why that cannot be known: only files with consents need it.
struct AddedState {
    explicit AddedState(const AddOptions& options) {
        try {
            state = open_customer_state(options.customers, store_place(options.name.store),
                                        IfMissing::make, ConsentUse::keep);
        } catch (const twiliowa::TwilioError& failed) {
            problem = failed.error();
        }
    }

    CustomerState state = {};
    std::optional<twiliowa::Error> problem = {};
};

/// Without the words that every problem begins with.
std::string problem_shown(std::string_view problem) {
    constexpr std::string_view beginning = "invalid request: ";
    if (problem.starts_with(beginning)) problem.remove_prefix(beginning.size());
    return std::string{problem};
}

void tell_faults(const AddedRecipients& added, Output& output) {
    auto faults = added.faults;
    std::stable_sort(faults.begin(), faults.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    for (const auto& fault : faults) {
        output.note("line " + std::to_string(fault.line) + ": " + problem_shown(fault.problem));
    }
    const auto all = added.refused + added.faulty;
    if (all > faults.size()) {
        output.note("and " + std::to_string(all - faults.size()) + " more");
    }
}

std::string text_of_added(const AddedRecipients& added) {
    const auto shown = [](std::size_t count) {
        return count == 0 ? std::string{} : std::to_string(count);
    };
    return facts({{"rows", std::to_string(added.rows)},
                  {"added", std::to_string(added.added)},
                  {"there before", shown(added.known)},
                  {"refused", shown(added.refused)},
                  {"faulty", shown(added.faulty)},
                  {"consents", shown(added.consents)}});
}

ExitCode add_recipients(const AddOptions& options, Context& context) {
    const bool csv = is_csv(options);
    auto file = options.columns;
    file.country = options.country;
    file.take_likely = !options.certain_only;
    CampaignInput input{options.file, context.call_options().cancel};
    const AddedState known{options};
    OpenedCampaigns campaigns{options.name.store, IfMissing::refuse,
                              rules_of(options.rules, known.state, add_help)};
    const auto added = campaigns([&](Campaigns& opened) {
        auto taken = csv ? opened.try_add_csv(options.name.id, input.stream(), file)
                         : opened.try_add_json_lines(options.name.id, input.stream(), file);
        if (!taken && known.problem && taken.error().field() == "consent_at") {
            known.problem->raise();
        }
        return std::move(taken).value();
    });
    input.end();
    tell_faults(added, context.output);
    context.output.result(CampaignJson::parse(added.to_json()), text_of_added(added));
    return added.refused + added.faulty == 0 ? ExitCode::done : ExitCode::refused;
}

Action declare_campaign_add(CLI::App& app) {
    const auto options = std::make_shared<AddOptions>();
    app.add_option("ID", options->name.id, "The campaign's, as its definition says")->required();
    app.add_option("FILE", options->file, "The recipients. - is standard input")
        ->required()
        ->type_name("FILE");
    auto* const csv =
        app.add_flag("--csv", options->csv, "FILE is CSV, whatever its name ends with");
    app.add_flag("--json-lines", options->json_lines, "FILE is one JSON object a line")
        ->excludes(csv);
    app.add_option("--country", options->country,
                   "Whose numbers are written without a country code: GB. Then numbers are read as "
                   "people write them")
        ->type_name("COUNTRY");
    app.add_flag("--certain-only", options->certain_only,
                 "Refuses numbers whose reading is likely and not certain");
    auto& columns = options->columns;
    const std::pair<const char*, std::pair<twiliowa::TextField*, const char*>> names[] = {
        {"--to", {&columns.to, "The column of the numbers (to)"}},
        {"--tag", {&columns.tag, "Of your words, which come back in the report (tag)"}},
        {"--time-zone", {&columns.time_zone, "Of the recipients' time zones (time_zone)"}},
        {"--consent-at", {&columns.consent_at, "Of when they agreed (consent_at)"}},
        {"--consent-source",
         {&columns.consent_source, "Of where that is written down (consent_source)"}}};
    for (const auto& [name, column] : names) {
        auto* const into = column.first;
        app.add_option_function<std::string>(
               name, [into](const std::string& text) { *into = text; }, column.second)
            ->type_name("COLUMN");
    }
    add_prices_option(app, options->rules);
    add_customer_state_options(app, options->customers);
    add_consent_option(app, options->customers);
    add_store_option(app, options->name.store);
    return [options](Context& context) { return add_recipients(*options, context); };
}

// ---- check

struct CheckOptions {
    CampaignName name = {};
    RulesOptions rules = {};
    CustomerStateOptions customers = {};
};

std::string text_of_check(const CampaignCheck& check) {
    const auto shown = [&](Hindrance hindrance) {
        const auto count = check.of(hindrance);
        return count == 0 ? std::string{} : std::to_string(count);
    };
    std::string cost = check.cost ? twiliowa::to_string(*check.cost) : "";
    if (!check.within_budget) cost += ", more than its budget has left";
    auto text = facts({{"wait to be sent", std::to_string(check.recipients)},
                       {"go at once", std::to_string(check.of(Hindrance::none))},
                       {"go later", shown(Hindrance::quiet)},
                       {"opted out", shown(Hindrance::opted_out)},
                       {"have not agreed", shown(Hindrance::no_consent)},
                       {"are refused", shown(Hindrance::refused)},
                       {"cost", cost}});
    for (const auto& [problem, count] : check.problems) {
        text += std::to_string(count) + " refused: " + printable(problem_shown(problem)) + '\n';
    }
    return text;
}

/// Where none is set, what templates are for is not known.
const Context* account_of(const Context& context) {
    return environment("TWILIO_ACCOUNT_SID").empty() ? nullptr : &context;
}

ExitCode check_campaign(const CheckOptions& options, Context& context) {
    constexpr const char* help = "twiliowa campaign check --help";
    const auto state = open_customer_state(options.customers, store_place(options.name.store),
                                           IfMissing::make, ConsentUse::keep);
    OpenedCampaigns campaigns{options.name.store, IfMissing::refuse,
                              rules_of(options.rules, state, help, account_of(context))};
    const auto check = campaigns([&](Campaigns& opened) { return opened.check(options.name.id); });
    context.output.result(CampaignJson::parse(check.to_json()), text_of_check(check));
    const auto go = check.of(Hindrance::none) + check.of(Hindrance::quiet);
    return go > 0 && check.within_budget ? ExitCode::done : ExitCode::refused;
}

Action declare_campaign_check(CLI::App& app) {
    const auto options = std::make_shared<CheckOptions>();
    add_campaign_options(app, options->name);
    add_judging_options(app, options->rules);
    add_customer_state_options(app, options->customers);
    add_consent_option(app, options->customers);
    return [options](Context& context) { return check_campaign(*options, context); };
}

// ---- test

struct TestOptions {
    CampaignName name = {};
    std::string to = {};
    std::string variables = {};
    RulesOptions rules = {};
};

ExitCode test_campaign(const TestOptions& options, Context& context) {
    constexpr const char* help = "twiliowa campaign test --help";
    const auto in_words = [](const twiliowa::Error& error, const char* field, const char* option) {
        return error.with([&](twiliowa::ErrorData& data) {
            if (data.field == field || data.field.empty()) data.field = option;
        });
    };
    twiliowa::TemplateVariables variables;
    if (!options.variables.empty()) {
        auto read = twiliowa::TemplateVariables::from_json(options.variables);
        if (!read) in_words(read.error(), "ContentVariables", "--variables").raise();
        variables = std::move(*read);
    }
    OpenedCampaigns campaigns{options.name.store, IfMissing::refuse,
                              rules_of(options.rules, {}, help)};
    const auto jobs = campaigns([&](Campaigns& opened) {
        auto made = opened.try_test(options.name.id, options.to, variables);
        if (!made) in_words(made.error(), "to", "--to").raise();
        return std::move(*made);
    });
    auto json = CampaignJson::array();
    std::string text;
    for (const auto& job : jobs) {
        json.push_back({{"key", job.key}, {"id", job.id.str()}, {"state", to_string(job.state)}});
        text += job.key + '\n';
    }
    context.output.result({{"jobs", std::move(json)}}, text);
    return ExitCode::done;
}

Action declare_campaign_test(CLI::App& app) {
    const auto options = std::make_shared<TestOptions>();
    add_campaign_options(app, options->name);
    app.add_option("--to", options->to, "Who gets it: +447700900123")
        ->required()
        ->type_name("NUMBER");
    app.add_option("--variables", options->variables,
                   R"(What a recipient's columns would give: {"1": "Lee"})")
        ->type_name("JSON");
    add_prices_option(app, options->rules);
    return [options](Context& context) { return test_campaign(*options, context); };
}

}  // namespace

std::vector<Command> campaign_make_commands() {
    return {
        {.noun = "campaign",
         .verb = "new",
         .summary = "Makes a campaign of its definition, as a draft",
         .details = "Made twice it is the same; another definition of the same id is refused. One "
                    "with a budget needs --prices.",
         .examples = {"twiliowa campaign new spring.json --store sqlite:spring.db",
                      R"(echo '{"id": "opening", "message": {"body": "We are open"}}' | )"
                      "twiliowa campaign new - --store sqlite:spring.db --json"},
         .declare = declare_campaign_new},
        {.noun = "campaign",
         .verb = "add",
         .summary = "Adds recipients from a file, however long it is",
         .details =
             "CSV whose first line names the columns, or JSON lines, by the ending of its name: "
             ".csv, or .jsonl,\n.ndjson, .json. Who was cut off adds the whole file again: who is "
             "in is known. A row that is refused or\nfaulty is named on standard error, the others "
             "go in, and the exit code is 1.",
         .examples =
             {"twiliowa campaign add spring customers.csv --country GB --store sqlite:spring.db",
              R"(echo '{"to": "+447700900126", "name": "Ann"}' | )"
              "twiliowa campaign add spring - --json-lines --store sqlite:spring.db --json"},
         .declare = declare_campaign_add},
        {.noun = "campaign",
         .verb = "check",
         .summary = "Says of all that wait whether they would be sent, and what that costs",
         .details = "Sends and changes nothing. Give it what outbox run is given. Exit code 1: "
                    "nobody would get it, or the\nbudget is not enough for all.",
         .examples =
             {"twiliowa campaign check spring --prices prices.csv --store sqlite:spring.db",
              "twiliowa campaign check spring --quiet-hours 08:00-20:00 --store sqlite:spring.db "
              "--json"},
         .declare = declare_campaign_check},
        {.noun = "campaign",
         .verb = "test",
         .summary = "Hands its message over to one number, each variant once",
         .details = "As jobs that are none of the campaign's: the next outbox run sends them.",
         .examples =
             {"twiliowa campaign test spring --to +447700900123 --variables '{\"1\": \"Lee\"}' "
              "--store sqlite:spring.db"},
         .declare = declare_campaign_test}};
}

}  // namespace cli
