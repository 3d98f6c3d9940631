#include "rules_options.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include <twiliowa/types/error.hpp>

#ifdef TWILIOWA_CLI_CAMPAIGNS
#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/content_client.hpp>
#include <twiliowa/senders_client.hpp>
#include <twiliowa/templates.hpp>

#include "campaign/campaign_plan.hpp"
#endif
#include "definition_file.hpp"
#include "failure.hpp"

namespace cli {

#ifdef TWILIOWA_CLI_CAMPAIGNS

using twiliowa::Budget;
using twiliowa::Error;
using twiliowa::PriceTable;
using twiliowa::QuietHoursOptions;
using twiliowa::SendingRules;
using twiliowa::SendingRulesOptions;

namespace {

constexpr std::array<std::pair<std::string_view, Budget::Period>, 3> budget_periods{
    {{"day", Budget::Period::day},
     {"month", Budget::Period::month},
     {"all", Budget::Period::in_all}}};

/// The options of SendingRules, by those of the command line.
constexpr std::array<std::pair<std::string_view, const char*>, 5> rules_fields{
    {{"prices", "--prices"},
     {"budget", "--budget"},
     {"consents", "--marketing-needs-consent"},
     {"assumed_zone", "--time-zone-unknown"},
     {"week", "--quiet-hours"}}};

PriceTable prices_of(const RulesOptions& options) {
    if (options.prices.empty()) return {};
    auto table = PriceTable::from_csv(text_of_file(options.prices, "--prices"));
    if (table && !table->empty()) return std::move(*table);
    if (table) Error::invalid_request("--prices", "names a file without a price").raise();
    table.error()
        .with([](twiliowa::ErrorData& data) {
            data.field = data.field.empty() ? "--prices" : "--prices: " + data.field;
        })
        .raise();
}

/// `250/month`
Budget budget_of(const std::string& text, const PriceTable& prices, const std::string& help) {
    const auto slash = text.find('/');
    const auto period =
        slash == std::string::npos ? std::string_view{} : std::string_view{text}.substr(slash + 1);
    for (const auto& [name, its] : budget_periods) {
        if (name != period) continue;
        const auto limit = twiliowa::Money::parse(std::string_view{text}.substr(0, slash),
                                                  prices.currencies().front(), "--budget");
        return {.limit = limit.value(), .period = its};
    }
    throw usage_failure("--budget is an amount for a day, a month, or all: 250/month", help);
}

std::optional<QuietHoursOptions> quiet_hours_of(const RulesOptions& options,
                                                const std::string& help) {
    if (options.quiet_hours.empty()) {
        if (options.unknown_zone.empty()) return std::nullopt;
        throw usage_failure("--time-zone-unknown goes with --quiet-hours", help);
    }
    const auto hours = twiliowa::AllowedHours::parse(options.quiet_hours);
    if (!hours) {
        throw usage_failure("--quiet-hours are the hours in which messages may go: 08:00-20:00",
                            help);
    }
    QuietHoursOptions quiet{.week = QuietHoursOptions::every_day(*hours)};
    if (options.unknown_zone == "send-now") {
        quiet.unknown_zone = twiliowa::UnknownZone::send_now;
    } else if (!options.unknown_zone.empty() && options.unknown_zone != "refuse") {
        quiet.unknown_zone = twiliowa::UnknownZone::assume;
        quiet.assumed_zone = options.unknown_zone;
    }
    return quiet;
}

/// How a number stands with Meta. Of others, and of messaging services, nothing is known.
twiliowa::Result<twiliowa::ChannelSender> health_of(const twiliowa::SendersClient& senders,
                                                    std::string_view sender,
                                                    const twiliowa::CallOptions& call) {
    auto nobody = Error::invalid_request("sender", "is no WhatsApp sender of the account");
    if (!sender.starts_with("whatsapp:")) return nobody;
    auto all = senders.try_list(call);
    if (!all) return all.error();
    for (auto& each : *all) {
        if (each.sender_id == sender) return std::move(each);
    }
    return nobody;
}

void ask_account(SendingRulesOptions& rules, const Context& account) {
    const auto options = account.client_options();
    rules.templates = std::make_shared<twiliowa::Templates>(
        twiliowa::ContentClient{account.credentials(), options});
    rules.sender_health = [senders = twiliowa::SendersClient{account.credentials(), options},
                           call = account.call_options()](std::string_view,
                                                          std::string_view sender) {
        return health_of(senders, sender, call);
    };
}

bool is_over(twiliowa::CampaignPhase phase) {
    return phase == twiliowa::CampaignPhase::cancelled ||
           phase == twiliowa::CampaignPhase::finished;
}

}  // namespace

void add_prices_option(CLI::App& app, RulesOptions& options) {
    app.add_option("--prices", options.prices,
                   "What messages cost: country,category,channel,price,currency as CSV")
        ->type_name("FILE");
}

void add_judging_options(CLI::App& app, RulesOptions& options) {
    add_prices_option(app, options);
    app.add_option("--quiet-hours", options.quiet_hours,
                   "When messages may go, on the recipient's clock: 08:00-20:00. Of all that is "
                   "sent; a campaign's own count more")
        ->type_name("HOURS");
    app.add_option("--time-zone-unknown", options.unknown_zone,
                   "Where a recipient's zone is not known: refuse (default), send-now, or a zone "
                   "to take (Europe/London)")
        ->type_name("ZONE");
}

void add_rules_options(CLI::App& app, RulesOptions& options) {
    add_judging_options(app, options);
    app.add_option("--budget", options.budgets,
                   "What everything together may cost: 250/month, 20/day, 1000/all. In the "
                   "currency of --prices; may be given several times")
        ->type_name("AMOUNT");
    app.add_flag("--marketing-needs-consent", options.marketing_needs_consent,
                 "What says that its category is MARKETING goes to who has agreed, also where it "
                 "is of no campaign");
}

std::shared_ptr<const SendingRules> rules_of(const RulesOptions& options,
                                             const CustomerState& state, const std::string& help,
                                             const Context* account,
                                             std::shared_ptr<twiliowa::Observer> observer) {
    SendingRulesOptions rules;
    if (account != nullptr) ask_account(rules, *account);
    rules.consents = state.consents;
    rules.opt_outs = state.opt_outs;
    rules.window = state.window;
    rules.marketing_needs_consent = options.marketing_needs_consent;
    rules.quiet_hours = quiet_hours_of(options, help);
    rules.prices = prices_of(options);
    rules.observer = std::move(observer);
    if (!options.budgets.empty() && rules.prices.empty()) {
        throw usage_failure("--budget goes with --prices", help);
    }
    if (!options.budgets.empty() && rules.prices.currencies().size() == 1) {
        for (const auto& text : options.budgets) {
            rules.budget.push_back(budget_of(text, rules.prices, help));
        }
    }
    try {
        return std::make_shared<const SendingRules>(std::move(rules));
    } catch (const twiliowa::TwilioError& refused) {
        refused.error()
            .with([](twiliowa::ErrorData& data) {
                for (const auto& [field, option] : rules_fields) {
                    if (data.field == field) data.field = option;
                }
            })
            .raise();
    }
}

std::shared_ptr<const twiliowa::JobGate> gate_of(const RulesOptions& options,
                                                 const CustomerState& state,
                                                 const std::string& help, const Context& account,
                                                 std::shared_ptr<twiliowa::Observer> observer) {
    return rules_of(options, state, help, &account, std::move(observer));
}

void require_rules_of_campaigns(const std::shared_ptr<twiliowa::OutboxStorage>& storage,
                                const RulesOptions& options, const CustomerState& state) {
    twiliowa::Outbox outbox{storage, {}};
    twiliowa::Campaigns campaigns{outbox};
    // Tables of an earlier version keep none, and say so.
    const auto all = campaigns.try_list();
    if (!all) return;
    for (const auto& progress : *all) {
        if (is_over(progress.phase)) continue;
        const auto definition = campaigns.definition(progress.id);
        if (definition.budget && options.prices.empty()) {
            Error::invalid_request("--prices",
                                   "is missing, and the campaign " + progress.id + " has a budget",
                                   "say --prices FILE, or cancel the campaign")
                .raise();
        }
        if (!state.consents && !twiliowa::detail::required_purpose(definition).empty()) {
            Error::invalid_request(
                "--no-opt-outs",
                "knows no consents, and the campaign " + progress.id + " asks for them",
                "leave it out, or cancel the campaign")
                .raise();
        }
    }
}

std::vector<std::string> paused_campaigns(twiliowa::OutboxStorage& storage) {
    std::vector<std::string> paused;
    storage
        .transact([&](twiliowa::OutboxTransaction& transaction) -> twiliowa::Result<void> {
            paused.clear();
            const auto campaigns = transaction.campaigns({});
            // Tables of an earlier version keep none, and say so.
            if (!campaigns) return {};
            for (const auto& campaign : *campaigns) {
                if (campaign.state != twiliowa::CampaignState::paused || campaign.problem.empty()) {
                    continue;
                }
                paused.push_back("The campaign " + campaign.id + " is paused: " + campaign.problem);
            }
            return {};
        })
        .value();
    return paused;
}

#else

void add_prices_option(CLI::App&, RulesOptions&) {}
void add_judging_options(CLI::App&, RulesOptions&) {}
void add_rules_options(CLI::App&, RulesOptions&) {}

std::shared_ptr<const twiliowa::SendingRules> rules_of(const RulesOptions&, const CustomerState&,
                                                       const std::string&, const Context*,
                                                       std::shared_ptr<twiliowa::Observer>) {
    return nullptr;
}

std::shared_ptr<const twiliowa::JobGate> gate_of(const RulesOptions&, const CustomerState&,
                                                 const std::string&, const Context&,
                                                 std::shared_ptr<twiliowa::Observer>) {
    return nullptr;
}

void require_rules_of_campaigns(const std::shared_ptr<twiliowa::OutboxStorage>&,
                                const RulesOptions&, const CustomerState&) {}

std::vector<std::string> paused_campaigns(twiliowa::OutboxStorage&) {
    return {};
}

#endif

}  // namespace cli
