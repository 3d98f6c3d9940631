// `twiliowa campaign`: what a person decides about a campaign.

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <twiliowa/campaign/campaigns.hpp>

#include "commands.hpp"
#include "consent.hpp"
#include "context.hpp"
#include "layout.hpp"
#include "opened_campaigns.hpp"

namespace cli {

namespace {

using twiliowa::Campaigns;
using twiliowa::DeadReason;

/// Does something to a campaign, and shows what it is then.
ExitCode decide_about_campaign(const CampaignName& name, Context& context,
                               const std::function<bool(Campaigns&)>& decision) {
    OpenedCampaigns campaigns{name.store};
    const bool changed = campaigns(decision);
    const auto now = campaigns([&](Campaigns& opened) { return opened.progress(name.id); });
    const std::string phase{to_string(now.phase)};
    context.output.result(
        {{"id", now.id}, {"phase", phase}, {"problem", now.problem}, {"changed", changed}},
        facts({{"campaign", now.id},
               {"phase", changed ? phase : phase + ", as before"},
               {"why", now.problem}}));
    return ExitCode::done;
}

Action declare_campaign_start(CLI::App& app) {
    const auto name = std::make_shared<CampaignName>();
    add_campaign_options(app, *name);
    return [name](Context& context) {
        return decide_about_campaign(*name, context,
                                     [&](Campaigns& opened) { return opened.start(name->id); });
    };
}

Action declare_campaign_pause(CLI::App& app) {
    const auto name = std::make_shared<CampaignName>();
    const auto why = std::make_shared<std::string>();
    add_campaign_options(app, *name);
    app.add_option("--why", *why, "Shown by campaign status")->type_name("TEXT");
    return [name, why](Context& context) {
        return decide_about_campaign(
            *name, context, [&](Campaigns& opened) { return opened.pause(name->id, *why); });
    };
}

Action declare_campaign_resume(CLI::App& app) {
    const auto name = std::make_shared<CampaignName>();
    add_campaign_options(app, *name);
    return [name](Context& context) {
        return decide_about_campaign(*name, context,
                                     [&](Campaigns& opened) { return opened.resume(name->id); });
    };
}

Action declare_campaign_cancel(CLI::App& app) {
    const auto name = std::make_shared<CampaignName>();
    const auto yes = std::make_shared<bool>(false);
    add_campaign_options(app, *name);
    app.add_flag("--yes", *yes, "Does not ask; needed where there is no terminal");
    return [name, yes](Context& context) {
        if (!*yes && !agrees("Cancel " + name->id + " for good? What has not left does not leave.",
                             "twiliowa campaign cancel --help")) {
            context.output.note("Nothing was cancelled.");
            return ExitCode::refused;
        }
        return decide_about_campaign(*name, context,
                                     [&](Campaigns& opened) { return opened.cancel(name->id); });
    };
}

// ---- retry

constexpr DeadReason retried_reasons[] = {DeadReason::refused,    DeadReason::exhausted,
                                          DeadReason::expired,    DeadReason::opted_out,
                                          DeadReason::no_consent, DeadReason::quiet};

std::string retried_reason_names() {
    std::string names;
    for (const auto reason : retried_reasons) {
        names.append(names.empty() ? "" : "|").append(to_string(reason));
    }
    return names;
}

std::optional<DeadReason> retried_reason_of(std::string_view name) {
    for (const auto reason : retried_reasons) {
        if (to_string(reason) == name) return reason;
    }
    return std::nullopt;
}

Action declare_campaign_retry(CLI::App& app) {
    const auto name = std::make_shared<CampaignName>();
    const auto text = std::make_shared<std::string>();
    add_campaign_options(app, *name);
    app.add_option("--reason", *text, "Why they are dead")
        ->required()
        ->type_name(retried_reason_names());
    return [name, text](Context& context) {
        const auto reason = retried_reason_of(*text);
        if (!reason) {
            throw usage_failure("--reason is none of " + retried_reason_names(),
                                "twiliowa campaign retry --help");
        }
        OpenedCampaigns campaigns{name->store};
        const auto count =
            campaigns([&](Campaigns& opened) { return opened.retry(name->id, *reason); });
        context.output.result({{"retried", count}}, facts({{"retried", std::to_string(count)}}));
        return ExitCode::done;
    };
}

}  // namespace

std::vector<Command> campaign_decide_commands() {
    return {
        {.noun = "campaign",
         .verb = "start",
         .summary = "Starts a campaign, at once or when its definition says: outbox run sends it",
         .examples = {"twiliowa campaign start spring --store sqlite:spring.db"},
         .declare = declare_campaign_start},
        {.noun = "campaign",
         .verb = "pause",
         .summary = "Holds a campaign back: within a second nothing more of it is sent",
         .examples = {"twiliowa campaign pause spring --why 'the price is wrong' --store "
                      "sqlite:spring.db"},
         .declare = declare_campaign_pause},
        {.noun = "campaign",
         .verb = "resume",
         .summary = "Lets a paused one go on, whoever or whatever has paused it",
         .examples = {"twiliowa campaign resume spring --store sqlite:spring.db"},
         .declare = declare_campaign_resume},
        {.noun = "campaign",
         .verb = "cancel",
         .summary = "Ends a campaign for good: what has not left does not leave",
         .details = "Asks before it does.",
         .examples = {"twiliowa campaign cancel opening --yes --store sqlite:spring.db"},
         .declare = declare_campaign_cancel},
        {.noun = "campaign",
         .verb = "retry",
         .summary = "Sends again what is dead for one reason, and certainly was not sent",
         .examples = {"twiliowa campaign retry spring --reason no_consent --store "
                      "sqlite:spring.db"},
         .declare = declare_campaign_retry}};
}

}  // namespace cli
