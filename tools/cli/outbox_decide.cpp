// `twiliowa outbox`: what a person decides about jobs.

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/sender.hpp>

#include "commands.hpp"
#include "consent.hpp"
#include "context.hpp"
#include "layout.hpp"
#include "opened_outbox.hpp"
#include "outbox_view.hpp"
#include "service_store.hpp"

namespace cli {

namespace {

using twiliowa::Error;
using twiliowa::Job;
using twiliowa::JobId;
using twiliowa::Outbox;
using twiliowa::Pause;
using twiliowa::Resolution;
using twiliowa::Result;

/// Does something to one job, and shows what it is then. Refused if it is not one for that.
ExitCode decide(const JobName& name, Context& context, std::string_view applies_to,
                const std::function<Result<bool>(Outbox&, const JobId&)>& decision) {
    const auto outbox = open_outbox(name.store);
    const auto job = find_job(*outbox, name);
    if (!decision(*outbox, job.id).value()) {
        Error::invalid_request("KEY", "names a job that is " + std::string{to_string(job.state)},
                               applies_to)
            .raise();
    }
    const auto now = outbox->try_find(job.id).value().value_or(job);
    context.output.result({{"key", now.key}, {"id", now.id.str()}, {"state", to_string(now.state)}},
                          facts({{"key", now.key}, {"state", std::string{to_string(now.state)}}}));
    return ExitCode::done;
}

// ---- resolve

struct ResolveOptions {
    JobName name = {};
    bool suspects = false;
    std::string sid = {};
    bool not_sent = false;
    bool drop = false;
    std::string by = {};
    std::string why = {};
};

constexpr const char* resolve_help = "twiliowa outbox resolve --help";

Resolution resolution_of(const ResolveOptions& options) {
    const int given =
        (options.sid.empty() ? 0 : 1) + (options.not_sent ? 1 : 0) + (options.drop ? 1 : 0);
    if (given != 1) {
        throw usage_failure("one of --sent SID, --not-sent and --drop is needed", resolve_help);
    }
    const auto signed_by = [&](const Resolution& resolution) {
        return resolution.by(options.by.empty() ? environment("USER") : options.by, options.why);
    };
    if (options.not_sent) return signed_by(Resolution::not_sent());
    if (options.drop) return signed_by(Resolution::drop());
    auto sid = twiliowa::MessageSid::parse(options.sid);
    if (!sid) {
        throw usage_failure("--sent is not SM or MM and 32 hexadecimal digits", resolve_help);
    }
    return signed_by(Resolution::sent(std::move(*sid)));
}

ExitCode resolve(const ResolveOptions& options, Context& context) {
    const auto resolution = resolution_of(options);
    if (options.suspects == !options.name.key.empty()) {
        throw usage_failure("either KEY or --suspect is needed", resolve_help);
    }
    if (!options.suspects) {
        return decide(
            options.name, context,
            "only what is unknown, held, or dead and unknown can be resolved",
            [&](Outbox& outbox, const JobId& id) { return outbox.try_resolve(id, resolution); });
    }
    if (!options.sid.empty()) {
        throw usage_failure("--suspect is about many jobs, and --sent about one", resolve_help);
    }
    const auto count = open_outbox(options.name.store)->try_resolve_suspects(resolution).value();
    context.output.result({{"resolved", count}}, facts({{"resolved", std::to_string(count)}}));
    return ExitCode::done;
}

Action declare_resolve(CLI::App& app) {
    const auto options = std::make_shared<ResolveOptions>();
    add_job_options(app, options->name, false);
    app.add_flag("--suspect", options->suspects,
                 "Instead of KEY: all that are held because the store went back in time");
    app.add_option("--sent", options->sid, "It was sent: this is its message")->type_name("SID");
    app.add_flag("--not-sent", options->not_sent, "It was not sent; it goes");
    app.add_flag("--drop", options->drop, "Nobody will know, and nobody needs to");
    app.add_option("--by", options->by, "Who says so, shown with the job; default: USER")
        ->type_name("NAME");
    app.add_option("--why", options->why, "And why")->type_name("TEXT");
    return [options](Context& context) { return resolve(*options, context); };
}

// ---- retry, cancel

Action declare_retry(CLI::App& app) {
    const auto name = std::make_shared<JobName>();
    add_job_options(app, *name);
    return [name](Context& context) {
        return decide(*name, context, "only what is dead and certainly was not sent goes again",
                      [](Outbox& outbox, const JobId& id) { return outbox.try_retry(id); });
    };
}

Action declare_cancel(CLI::App& app) {
    const auto name = std::make_shared<JobName>();
    add_job_options(app, *name);
    return [name](Context& context) {
        return decide(*name, context, "only what is not final, and not cancelled already, can be",
                      [](Outbox& outbox, const JobId& id) { return outbox.try_cancel(id); });
    };
}

// ---- suspect

Action declare_suspect(CLI::App& app) {
    const auto store = std::make_shared<std::string>();
    const auto since = std::make_shared<std::string>();
    app.add_option("--since", *since,
                   "When the backup was made: 2026-11-21T06:10:00Z, or the seconds since 1970")
        ->required()
        ->type_name("TIME");
    add_store_option(app, *store);
    return [store, since](Context& context) {
        const auto time = moment_of(*since, "--since", "twiliowa outbox suspect --help");
        const auto count = open_outbox(*store)->try_suspect(time).value();
        context.output.result({{"suspect", count}}, facts({{"suspect", std::to_string(count)}}));
        return ExitCode::done;
    };
}

// ---- pause, resume

struct PauseOptions {
    std::string store = {};
    std::optional<std::string> sender = {};
    std::optional<std::string> tenant = {};
    std::optional<std::string> account = {};
    std::string reason = {};
};

void add_pause_options(CLI::App& app, PauseOptions& options) {
    app.add_option("--sender", options.sender, "A number or a messaging service (MG...) of yours")
        ->type_name("SENDER");
    app.add_option("--tenant", options.tenant, "All of one tenant")->type_name("TENANT");
    app.add_option("--account", options.account, "All of one account, by the program's name for it")
        ->type_name("ACCOUNT");
    add_store_option(app, options.store);
}

Pause pause_of(const PauseOptions& options, const std::string& help) {
    const int given =
        (options.sender ? 1 : 0) + (options.tenant ? 1 : 0) + (options.account ? 1 : 0);
    if (given > 1) {
        throw usage_failure("only one of --sender, --tenant and --account can be given", help);
    }
    Pause pause;
    pause.reason = options.reason;
    if (options.sender) {
        pause.of = Pause::Of::sender;
        pause.name = twiliowa::Sender::parse(*options.sender).value().wire();
    } else if (options.tenant) {
        pause.of = Pause::Of::tenant;
        pause.name = *options.tenant;
    } else if (options.account) {
        pause.of = Pause::Of::account;
        pause.name = *options.account;
    }
    return pause;
}

/// Shows what is paused now.
ExitCode show_pauses(Outbox& outbox, Context& context) {
    auto json = nlohmann::ordered_json::array();
    std::string text;
    for (const auto& pause : outbox.try_pauses().value()) {
        json.push_back(json_of_pause(pause));
        text += printable(text_of_pause(pause)) + '\n';
    }
    context.output.result({{"pauses", std::move(json)}},
                          text.empty() ? "Nothing is paused.\n" : text);
    return ExitCode::done;
}

Action declare_pause(CLI::App& app) {
    const auto options = std::make_shared<PauseOptions>();
    add_pause_options(app, *options);
    app.add_option("--reason", options->reason, "Shown by outbox status")->type_name("TEXT");
    return [options](Context& context) {
        const auto pause = pause_of(*options, "twiliowa outbox pause --help");
        const auto outbox = open_outbox(options->store);
        outbox->pause(pause);
        return show_pauses(*outbox, context);
    };
}

/// Who has taken a larger plan does not wait for the next day.
ExitCode resume_quota(Outbox& outbox, const std::string& quota, Context& context) {
    const auto tried = outbox.try_resume_quota(quota).value();
    context.output.result({{"tried_again", tried}},
                          facts({{"tried again", std::to_string(tried)}}));
    return ExitCode::done;
}

Action declare_resume(CLI::App& app) {
    const auto options = std::make_shared<PauseOptions>();
    const auto quota = std::make_shared<std::optional<std::string>>();
    add_pause_options(app, *options);
    app.add_option("--quota", *quota,
                   "Instead: jobs that are held, or wait, because that quota was used up")
        ->type_name("KEY");
    return [options, quota](Context& context) {
        constexpr const char* help = "twiliowa outbox resume --help";
        const auto pause = pause_of(*options, help);
        if (*quota && pause.of != Pause::Of::outbox) {
            throw usage_failure("--quota stands alone", help);
        }
        const auto outbox = open_outbox(options->store);
        if (*quota) return resume_quota(*outbox, **quota, context);
        outbox->resume(pause.of, pause.name);
        return show_pauses(*outbox, context);
    };
}

// ---- purge

struct PurgeOptions {
    std::string store = {};
    std::string unchanged_since = {};
    bool keys = false;
    bool yes = false;
};

ExitCode purge(const PurgeOptions& options, Context& context) {
    constexpr const char* help = "twiliowa outbox purge --help";
    const auto since = moment_of(options.unchanged_since, "--unchanged-since", help);
    const auto outbox = open_outbox(options.store);
    const auto question =
        options.keys ? "Remove the final jobs, and what they are known by? Handed over again they "
                       "are SENT AGAIN."
                     : "Remove the final jobs that have not changed since?";
    if (!options.yes && !agrees(question, help)) {
        context.output.note("Nothing was removed.");
        return ExitCode::refused;
    }
    const auto removed = outbox->try_purge(since, options.keys).value();
    context.output.result({{"removed", removed}}, facts({{"removed", std::to_string(removed)}}));
    return ExitCode::done;
}

Action declare_purge(CLI::App& app) {
    const auto options = std::make_shared<PurgeOptions>();
    app.add_option("--unchanged-since", options->unchanged_since,
                   "Only those: 2026-11-21T06:10:00Z, or the seconds since 1970")
        ->required()
        ->type_name("TIME");
    app.add_flag("--keys", options->keys, "Their keys, too: handed over again they are sent again");
    app.add_flag("--yes", options->yes, "Does not ask; needed where there is no terminal");
    add_store_option(app, options->store);
    return [options](Context& context) { return purge(*options, context); };
}

}  // namespace

std::vector<Command> outbox_decide_commands() {
    return {
        {.noun = "outbox",
         .verb = "pause",
         .summary = "Holds jobs back: all, or those of a sender, a tenant, an account",
         .examples =
             {"twiliowa outbox pause --store sqlite:outbox.db --reason 'the shop is closed'",
              "twiliowa outbox pause --sender +14155238886 --store sqlite:outbox.db"},
         .declare = declare_pause},
        {.noun = "outbox",
         .verb = "resume",
         .summary = "Lets them go again",
         .examples = {"twiliowa outbox resume --store sqlite:outbox.db",
                      "twiliowa outbox resume --sender +14155238886 --store sqlite:outbox.db",
                      "twiliowa outbox resume --quota acme --store sqlite:outbox.db"},
         .declare = declare_resume},
        {.noun = "outbox",
         .verb = "cancel",
         .summary = "Cancels a job: what has not left does not leave",
         .examples = {"twiliowa outbox cancel order-43 --store sqlite:outbox.db"},
         .declare = declare_cancel},
        {.noun = "outbox",
         .verb = "retry",
         .summary = "Sends again what is dead and certainly was not sent",
         .examples = {"twiliowa outbox retry order-44 --store sqlite:outbox.db"},
         .declare = declare_retry},
        {.noun = "outbox",
         .verb = "resolve",
         .summary = "Says what became of a job that is held, or unknown",
         .details = "Look first: outbox show names the messages that may be its own.",
         .examples = {"twiliowa outbox resolve order-45 --drop --by ann --why 'too late now' "
                      "--store sqlite:outbox.db",
                      "twiliowa outbox resolve --suspect --not-sent --store sqlite:outbox.db"},
         .declare = declare_resolve},
        {.noun = "outbox",
         .verb = "suspect",
         .summary =
             "After a backup was restored: what may have been sent since is looked for first",
         .examples = {"twiliowa outbox suspect --since 2026-11-21T06:10:00Z --store "
                      "sqlite:outbox.db"},
         .declare = declare_suspect},
        {.noun = "outbox",
         .verb = "purge",
         .summary = "Removes jobs that are final, and have not changed since a time",
         .details = "Asks before it does.",
         .examples = {"twiliowa outbox purge --unchanged-since 2026-11-21T06:10:00Z --yes --store "
                      "sqlite:outbox.db"},
         .declare = declare_purge}};
}

}  // namespace cli
