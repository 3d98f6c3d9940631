#include "options.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <limits>
#include <string_view>

#include <twiliowa/types/address.hpp>
#include <twiliowa/webhook/public_url.hpp>

#include "clock.hpp"
#include "common/command_line.hpp"
#include "net/url.hpp"
#include "text/dates.hpp"

namespace emulator {

namespace {

using tools::UsageError;
using twiliowa::testing::FakeTwilio;

constexpr const char* usage =
    R"(twiliowa-emulator - a Twilio for WhatsApp on your own machine

Serves Twilio's API for messages, templates and their media from memory, moves messages along as
WhatsApp would, and sends signed webhooks. Nothing else leaves this machine. A page to write as the
customer, to watch and to make things fail is at its address.

Usage: twiliowa-emulator [options] [-- program arguments...]

  --port N                where to listen; 0, the default, takes any free port
  --host ADDRESS          the address to listen on; default 127.0.0.1
  --allow-host NAME       a name by which requests may call it, besides localhost and the address it
                          listens on; may be repeated
  --tls                   speak HTTPS, with a certificate made at each start
  --account ACxxx:TOKEN   the account, instead of the built-in one; may be repeated: those after the
                          first are its subaccounts, which its token opens, too
  --api-key SKxxx:SECRET  a key of the account; may be repeated. After a subaccount: a key of that
  --sender ADDRESS        a further WhatsApp sender, like whatsapp:+15551234567 or +15551234567, or
                          sms:+15551234567 for SMS; may be repeated; the first for WhatsApp becomes
                          TWILIO_WHATSAPP_NUMBER. After a subaccount: a sender of that, which has no
                          other
  --sandbox CODE          that sender is a sandbox: customers send "join CODE" first (63015)
  --interactive-taps      a tapped quick reply comes as MessageType=interactive, not as button: both
                          have been seen on Twilio's webhooks
  --webhook URL           where customers' messages go; a fragment may override retries and
                          timeouts: http://localhost:8080/whatsapp#rc=3&rp=all, and a login
                          answers a challenge: http://user:password@localhost:8080/whatsapp
  --webhook-method M      POST, the default, or GET
  --fallback URL          who is asked when the webhook fails, with ErrorCode and ErrorUrl
  --fallback-method M     POST, the default, or GET
  --status-callback URL   where statuses go of messages that name no StatusCallback
  --application APxxx=URL an application, and where statuses go of messages that name it; may be
                          repeated
  --clock real|xN|manual  how fast time goes: as it does (default), N times as fast, or only when
                          the page or the API moves it, from 2026-01-01T00:00:00Z on; another
                          start: manual@2026-11-21T06:00:00Z
  --seed N                where SIDs and chance start from; the same at every start by default.
                          With --clock manual the same requests get the same answers, times and all
  --state FILE            go on from this file if it exists, and write it at the end; what other
                          options say goes before what it says, but for --seed
  --env-file FILE         write the lines that point a program at it to this file, whole, once it
                          is ready; removed at the end
  --fault NAME=P          let a share P (0 to 1) of the requests fail; may be repeated. Names:
                          )";

constexpr const char* usage_end =
    R"(
  --help                  this text

With a program it prints nothing, runs the program with an environment that points there, and ends with
it and with its status:

  twiliowa-emulator -- ./my_service

Without one it prints the lines that point a program there; paste them into a shell, or:

  rm -f emulator.env
  twiliowa-emulator --env-file emulator.env &
  until [ -e emulator.env ]; do sleep 0.1; done
  . ./emulator.env
  curl -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN" \
       "$TWILIOWA_BASE_URL/2010-04-01/Accounts/$TWILIO_ACCOUNT_SID/Messages.json" \
       --data-urlencode "From=whatsapp:$TWILIO_WHATSAPP_NUMBER" \
       --data-urlencode "To=whatsapp:+447700900123" \
       --data-urlencode "Body=Hello"

Built in, whatever the options say: the sender +14155238886, the messaging service
MG00000000000000000000000000000001 that holds it, and the template
HX00000000000000000000000000000001, "Hi {{1}}, your order {{2}} is on its way", which a subaccount
has, too.

Free-form messages arrive within 24 hours of the customer's last message only, as on WhatsApp. These
recipients have a fate of their own; +150055 and any code from 30001 to 63999 ends with that code:

)";

void parse_account(const std::string& text, Options& options) {
    const auto colon = text.find(':');
    if (colon == std::string::npos || colon + 1 == text.size()) {
        throw UsageError{"--account: write the SID, a colon and the token: ACxxx:TOKEN"};
    }
    const auto sid = twiliowa::AccountSid::parse(text.substr(0, colon));
    if (!sid) throw UsageError{"--account: the SID is not AC and 32 hexadecimal digits"};
    Login login{sid->str(), text.substr(colon + 1)};
    if (!options.account) {
        options.account = std::move(login);
        return;
    }
    bool taken = options.account->sid == login.sid;
    for (const auto& other : options.subaccounts) taken = taken || other.login.sid == login.sid;
    if (taken) throw UsageError{"--account: " + login.sid + " is there twice"};
    options.subaccounts.push_back({.login = std::move(login)});
}

/// Where an option goes that is an account's: to the subaccount before it, or to the main account.
template <class T>
void add_to_account(Options& options, std::vector<T> Options::*of_main,
                    std::vector<T> Subaccount::*of_subaccount, T value) {
    auto& values =
        options.subaccounts.empty() ? options.*of_main : options.subaccounts.back().*of_subaccount;
    values.push_back(std::move(value));
}

Login parse_api_key(const std::string& text) {
    const auto colon = text.find(':');
    const auto sid = twiliowa::ApiKeySid::parse(text.substr(0, colon));
    if (!sid || colon == std::string::npos || colon + 1 == text.size()) {
        throw UsageError{"--api-key: write SK and 32 hexadecimal digits, a colon and the secret"};
    }
    return {sid->str(), text.substr(colon + 1)};
}

std::string parse_host(const std::string& text) {
    const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_' || c == ':';
    });
    if (plain) return text;
    throw UsageError{"--allow-host: '" + text + "' is not a name like emulator.test"};
}

std::string parse_sender(const std::string& text) {
    const auto address = twiliowa::Address::parse(text, "From");
    if (!address || address->phone_number().empty()) {
        throw UsageError{"--sender: '" + text + "' is not a number like +15551234567"};
    }
    return address->wire();
}

std::string parse_url(const std::string& option, const std::string& text) {
    if (is_web_address(text)) return text;
    throw UsageError{option + ": '" + text +
                     "' does not begin with http:// or https:// and a host"};
}

std::string parse_method(const std::string& option, const std::string& text) {
    if (text == "POST" || text == "GET") return text;
    throw UsageError{option + ": '" + text + "' is neither POST nor GET"};
}

std::pair<std::string, std::string> parse_application(const std::string& text) {
    const auto equals = text.find('=');
    const auto sid = twiliowa::ApplicationSid::parse(text.substr(0, equals));
    if (!sid || equals == std::string::npos) {
        throw UsageError{"--application: write AP and 32 hexadecimal digits, = and the URL"};
    }
    return {sid->str(), parse_url("--application", text.substr(equals + 1))};
}

ClockOptions parse_clock(const std::string& text) {
    constexpr std::string_view manual_at = "manual@";
    if (text == "real") return {};
    if (text == "manual") return {0.0, twiliowa::testing::ManualClock{}.now()};
    if (text.starts_with(manual_at)) {
        const auto start = twiliowa::detail::parse_iso8601(text.substr(manual_at.size()));
        if (start && *start < ScaledClock::end) return {0.0, *start};
        throw UsageError{"--clock: manual@ is followed by a time like 2026-01-01T00:00:00Z"};
    }
    if (text.size() > 1 && text.front() == 'x') {
        const auto speed = tools::read_number<double>(std::string_view{text}.substr(1));
        if (speed && *speed >= 1 && *speed <= 100'000) return {.speed = *speed};
    }
    throw UsageError{"--clock: '" + text +
                     "' is not real, manual, or x and a number from 1 to 100000"};
}

std::pair<twiliowa::testing::Fault, double> parse_fault(const std::string& text) {
    const auto equals = text.find('=');
    const auto name = text.substr(0, equals);
    for (const auto& [known, fault] : twiliowa::testing::fault_names) {
        if (name != known) continue;
        if (equals == std::string::npos) return {fault, 1.0};
        return {fault,
                tools::parse_number("--fault", text.substr(equals + 1), 0.0, 1.0, " from 0 to 1")};
    }
    throw UsageError{"--fault: there is no fault '" + name + "'"};
}

/// The names of the faults, six to a line.
std::string fault_list() {
    std::string list;
    std::size_t index = 0;
    for (const auto& [name, fault] : twiliowa::testing::fault_names) {
        if (index > 0) list += index % 6 == 0 ? ",\n                          " : ", ";
        list += name;
        ++index;
    }
    return list;
}

}  // namespace

bool is_web_address(std::string_view text) {
    return twiliowa::detail::web_url_problem(text).empty();
}

Options parse_options(int argc, char** argv) {
    Options options;
    tools::CommandLine line;
    const auto help = [&] { options.help = true; };
    line.add_flag("--help", help);
    line.add_flag("-h", help);
    line.add_flag("--tls", [&] { options.tls = true; });
    line.add_flag("--interactive-taps", [&] { options.interactive_taps = true; });
    line.add("--port", [&](const auto& value) {
        options.port = tools::parse_number("--port", value, 0, 65'535, " from 0 to 65535");
    });
    line.add("--host", [&](const auto& value) { options.host = value; });
    line.add("--account", [&](const auto& value) { parse_account(value, options); });
    line.add("--allow-host",
             [&](const auto& value) { options.allowed_hosts.push_back(parse_host(value)); });
    line.add("--api-key", [&](const auto& value) {
        add_to_account(options, &Options::api_keys, &Subaccount::api_keys, parse_api_key(value));
    });
    line.add("--sandbox", [&](const auto& value) { options.sandbox = value; });
    line.add("--sender", [&](const auto& value) {
        add_to_account(options, &Options::senders, &Subaccount::senders, parse_sender(value));
    });
    line.add("--webhook",
             [&](const auto& value) { options.webhook = parse_url("--webhook", value); });
    line.add("--status-callback", [&](const auto& value) {
        options.status_callback = parse_url("--status-callback", value);
    });
    line.add("--webhook-method", [&](const auto& value) {
        options.webhook_options_given = true;
        options.webhook_options.method = parse_method("--webhook-method", value);
    });
    line.add("--fallback", [&](const auto& value) {
        options.webhook_options_given = true;
        options.webhook_options.fallback_url = parse_url("--fallback", value);
    });
    line.add("--fallback-method", [&](const auto& value) {
        options.webhook_options_given = true;
        options.webhook_options.fallback_method = parse_method("--fallback-method", value);
    });
    line.add("--application",
             [&](const auto& value) { options.applications.push_back(parse_application(value)); });
    line.add("--clock", [&](const auto& value) { options.clock = parse_clock(value); });
    line.add("--seed", [&](const auto& value) {
        options.seed = tools::parse_number<std::uint64_t>(
            "--seed", value, 0, std::numeric_limits<std::uint64_t>::max(), "");
    });
    line.add("--state", [&](const auto& value) { options.state_file = value; });
    line.add("--fault", [&](const auto& value) { options.faults.push_back(parse_fault(value)); });
    line.add("--env-file", [&](const auto& value) { options.env_file = value; });
    options.program = line.parse(argc, argv);
    if (options.webhook.empty() && options.webhook_options_given) {
        throw UsageError{"--webhook-method, --fallback and --fallback-method need --webhook"};
    }
    return options;
}

std::string help_text() {
    std::string text = usage;
    text += fault_list();
    text += usage_end;
    for (const auto& magic : twiliowa::testing::magic_recipients) {
        text.append("  ").append(magic.number).append("  ").append(magic.meaning);
        if (magic.code != 0) text.append(" (").append(std::to_string(magic.code)).append(")");
        text += '\n';
    }
    return text + R"(
End it with Ctrl-C or SIGTERM. Exit status: 0 ended so, 1 cannot listen there, read or write a file, or
run the program, 2 wrong options, else that of the program.
)";
}

}  // namespace emulator
