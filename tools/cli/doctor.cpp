// `twiliowa doctor`

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <memory>

#include <twiliowa/check_setup.hpp>
#include <twiliowa/messages_client.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "doctor_probes.hpp"
#include "layout.hpp"

namespace cli {

namespace {

using twiliowa::SetupFinding;
using twiliowa::SetupLevel;

struct DoctorOptions {
    std::string callback_url = {};
    std::string sender = {};
    std::string messaging_service = {};
    bool no_probe = false;
};

Colour colour_of(SetupLevel level) {
    if (level == SetupLevel::ok) return Colour::green;
    return level == SetupLevel::warning ? Colour::yellow : Colour::red;
}

/// A line of its own for the way out.
std::string text_of_finding(const Output& output, const SetupFinding& finding) {
    const std::string level{to_string(finding.level)};
    const auto padded = [](std::string text, std::size_t width) {
        return text.append(width - std::min(width, text.size()), ' ');
    };
    constexpr std::size_t level_width = 9;
    constexpr std::size_t subject_width = 20;
    auto text = output.paint(colour_of(finding.level), level) +
                std::string(level_width - level.size(), ' ') +
                padded(finding.subject, subject_width) + printable(finding.what) + '\n';
    if (!finding.way_out.empty()) {
        text += std::string(level_width + subject_width, ' ') + "-> " + printable(finding.way_out) +
                '\n';
    }
    return text;
}

void append(std::vector<SetupFinding>& all, std::vector<SetupFinding> some) {
    std::move(some.begin(), some.end(), std::back_inserter(all));
}

/// What Twilio says, then what this machine and the bot say.
std::vector<SetupFinding> findings_of(const DoctorOptions& wanted, Context& context) {
    auto options = context.client_options();
    if (!wanted.sender.empty()) options.from = wanted.sender;
    if (!wanted.messaging_service.empty()) {
        options.messaging_service_sid = wanted.messaging_service;
    }
    const auto credentials = context.credentials();
    const twiliowa::MessagesClient client{credentials, options};
    const auto call = context.call_options();
    auto all = check_setup(client, wanted.callback_url, call);
    append(all, environment_findings());
    append(all, network_findings(client.url_of("/2010-04-01.json"), options, call));
    if (!wanted.callback_url.empty() && !wanted.no_probe) {
        append(all, callback_findings(wanted.callback_url, credentials.account_sid().str(), call));
    }
#ifdef TWILIOWA_CLI_SQLITE
    append(all, store_findings());
#endif
    return all;
}

ExitCode look(Context& context, const DoctorOptions& wanted) {
    const auto findings = findings_of(wanted, context);
    auto json = nlohmann::ordered_json::array();
    std::string text;
    for (const auto& finding : findings) {
        json.push_back({{"level", to_string(finding.level)},
                        {"subject", finding.subject},
                        {"what", finding.what},
                        {"way_out", finding.way_out}});
        text += text_of_finding(context.output, finding);
    }
    context.output.result({{"findings", std::move(json)}}, text);
    const bool wrong =
        std::any_of(findings.begin(), findings.end(),
                    [](const SetupFinding& finding) { return finding.level == SetupLevel::wrong; });
    if (context.call_options().cancel.is_cancelled()) return ExitCode::try_later;
    return wrong ? ExitCode::refused : ExitCode::done;
}

Action declare_doctor(CLI::App& app) {
    const auto wanted = std::make_shared<DoctorOptions>();
    app.add_option("--callback-url", wanted->callback_url,
                   "Where Twilio shall bring what customers write")
        ->type_name("URL");
    app.add_option("--sender", wanted->sender, "Instead of TWILIO_WHATSAPP_NUMBER")
        ->type_name("ADDRESS");
    app.add_option("--messaging-service", wanted->messaging_service,
                   "The messaging service that messages are sent through (MG...)")
        ->type_name("SID");
    app.add_flag("--no-probe", wanted->no_probe, "Does not call the callback URL");
    return [wanted](Context& context) { return look(context, *wanted); };
}

}  // namespace

std::vector<Command> doctor_commands() {
    return {
        {.noun = "doctor",
         .summary = "Finds out whether messages could be sent and received, and changes nothing",
         .details =
             "Looks at the credentials, the account, its balance, the sender and its quality; at\n"
             "the environment, proxy, certificate, clock and region; at what TWILIOWA_STORE "
             "names;\n"
             "and, if it is given, at the callback URL, which it calls as Twilio would: once\n"
             "signed, once signed by somebody else, with what is no message. Ends with 1 if\n"
             "something is wrong.",
         .examples = {"twiliowa doctor",
                      "twiliowa doctor --no-probe --callback-url https://bot.example.com/whatsapp"},
         .declare = declare_doctor}};
}

}  // namespace cli
