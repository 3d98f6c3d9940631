/// twiliowa-emulator: testing::FakeTwilio behind an HTTP server on this machine.

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/types/error.hpp>

#include "clock.hpp"
#include "common/command_line.hpp"
#include "control.hpp"
#include "host_names.hpp"
#include "options.hpp"
#include "private_files.hpp"
#include "program.hpp"
#include "runner.hpp"
#include "server.hpp"
#include "tls.hpp"

namespace {

using emulator::Options;
using twiliowa::testing::FakeTwilio;

/// `url`: where media URLs in its webhooks lead.
std::shared_ptr<FakeTwilio> make_fake(const Options& options, const std::string& url,
                                      std::shared_ptr<twiliowa::Clock> clock) {
    twiliowa::testing::FakeTwilioOptions settings;
    settings.clock = std::move(clock);
    settings.seed = options.seed;
    settings.interactive_taps = options.interactive_taps;
    settings.lifecycle = twiliowa::testing::Lifecycle::automatic;
    settings.public_url = url;
    return std::make_shared<FakeTwilio>(settings);
}

/// The account of the options, else the one there is, else the built-in one.
emulator::Login choose_account(const FakeTwilio& fake, const Options& options) {
    if (fake.senders().empty()) {
        return options.account.value_or(emulator::Login{std::string{FakeTwilio::demo_account_sid},
                                                        std::string{FakeTwilio::demo_auth_token}});
    }
    const auto login = fake.credentials();
    if (!options.account) {
        return {login.account_sid().str(), std::string{login.password().reveal()}};
    }
    // A sender is of one account: the other's would get what customers write.
    if (options.account->sid != login.account_sid().str()) {
        throw std::runtime_error(options.state_file + " is of the account " +
                                 login.account_sid().str() + ", not " + options.account->sid);
    }
    return *options.account;
}

bool is_whatsapp(const std::string& sender) {
    return sender.starts_with("whatsapp:");
}

/// The sender that is meant when none is named: the first for WhatsApp of those that were asked
/// for, else of those there are.
std::string choose_sender(const std::vector<std::string>& asked,
                          const std::vector<std::string>& all) {
    const auto wanted = std::find_if(asked.begin(), asked.end(), is_whatsapp);
    if (wanted != asked.end()) return *wanted;
    const auto known = std::find_if(all.begin(), all.end(), is_whatsapp);
    return known != all.end() ? *known : std::string{FakeTwilio::demo_sender};
}

/// What the options say of an account that the main one owns.
void set_up_subaccount(FakeTwilio& fake, const emulator::Subaccount& subaccount,
                       const Options& options) {
    const auto& sid = subaccount.login.sid;
    const auto known = fake.subaccounts();
    fake.add_subaccount(sid, subaccount.login.secret);
    if (std::find(known.begin(), known.end(), sid) == known.end()) fake.add_demo_content(sid);
    for (const auto& key : subaccount.api_keys) fake.add_api_key(sid, key.sid, key.secret);
    for (const auto& sender : subaccount.senders) fake.add_sender(sid, sender);
    if (!options.webhook.empty()) fake.set_webhook(sid, options.webhook, options.webhook_options);
    if (!options.status_callback.empty()) fake.set_status_callback(sid, options.status_callback);
}

/// Does what the options say to what may have been loaded.
emulator::Account set_up(FakeTwilio& fake, const Options& options) {
    const auto [sid, token] = choose_account(fake, options);
    if (fake.senders(sid).empty()) {
        fake.add_demo_account(sid, token);
    } else {
        fake.add_account(sid, token);
    }
    for (const auto& key : options.api_keys) fake.add_api_key(sid, key.sid, key.secret);
    for (const auto& sender : options.senders) fake.add_sender(sid, sender);
    const auto sender = choose_sender(options.senders, fake.senders(sid));
    if (!options.sandbox.empty()) fake.set_sandbox(sender, options.sandbox);
    if (!options.webhook.empty()) fake.set_webhook(sid, options.webhook, options.webhook_options);
    if (!options.status_callback.empty()) {
        fake.set_status_callback(sid, options.status_callback);
    }
    for (const auto& subaccount : options.subaccounts) set_up_subaccount(fake, subaccount, options);
    for (const auto& [application, url] : options.applications) {
        fake.set_status_callback(application, url);
    }
    for (const auto& [fault, share] : options.faults) fake.set_fault_rate(fault, share);
    return {sid, token, sender};
}

/// Files and directories that end with the emulator.
class Leftovers {
public:
    Leftovers() = default;
    ~Leftovers() { remove(); }
    Leftovers(const Leftovers&) = delete;
    Leftovers& operator=(const Leftovers&) = delete;

    void add(std::string path) { paths_.push_back(std::move(path)); }
    void remove() {
        std::error_code ignored;
        for (const auto& path : paths_) std::filesystem::remove_all(path, ignored);
        paths_.clear();
    }

private:
    std::vector<std::string> paths_;
};

std::string url_of(const Options& options, int port) {
    const bool ipv6 = options.host.find(':') != std::string::npos;
    const auto host = ipv6 ? "[" + options.host + "]" : options.host;
    return (options.tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

/// `text` as one word of a shell.
std::string shell_word(const std::string& text) {
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.:/";
    if (text.find_first_not_of(plain) == std::string::npos) return text;
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
    return word + "'";
}

using Variables = std::vector<std::pair<std::string, std::string>>;

/// What points a program at it.
Variables variables_of(const emulator::Account& account, const std::string& url) {
    return {{"TWILIOWA_BASE_URL", url},
            {"TWILIO_ACCOUNT_SID", account.sid},
            {"TWILIO_AUTH_TOKEN", account.auth_token},
            {"TWILIO_WHATSAPP_NUMBER", account.sender.substr(account.sender.find('+'))}};
}

/// What makes a program trust its certificate.
Variables trust_of(const std::string& certificate) {
    if (certificate.empty()) return {};
    return {{"SSL_CERT_FILE", certificate},
            {"CURL_CA_BUNDLE", certificate},
            {"REQUESTS_CA_BUNDLE", certificate},
            {"NODE_EXTRA_CA_CERTS", certificate}};
}

std::string export_lines(const Variables& variables) {
    std::string lines;
    for (const auto& [name, value] : variables) {
        lines += "export " + name + "=" + shell_word(value) + "\n";
    }
    return lines;
}

/// For a shell, and for who reads it.
std::string announcement(const FakeTwilio& fake, const emulator::Account& account,
                         const std::string& url, const std::string& certificate) {
    std::string text = "# twiliowa-emulator is ready. Point a program at it:\n" +
                       export_lines(variables_of(account, url));
    for (const auto& sender : fake.senders(account.sid)) {
        if (!is_whatsapp(sender)) text += "# An SMS sender: " + sender + "\n";
    }
    for (const auto& sid : fake.subaccounts()) {
        text += "# A subaccount, which the account's token opens, too: " + sid + "\n";
    }
    if (!certificate.empty()) {
        text += "# Trust its certificate:\n" + export_lines(trust_of(certificate));
    }
    return text + "# A template, \"Hi {{1}}, your order {{2}} is on its way\": ContentSid " +
           std::string{FakeTwilio::demo_content_sid} +
           "\n# Messaging service: " + std::string{FakeTwilio::demo_messaging_service_sid} +
           "\n# Page: " + url + "/   Recipients for each outcome: " + url +
           "/help\n# Ends with Ctrl-C or SIGTERM.\n";
}

sigset_t ending_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGCHLD);  // The program that it runs.
    return signals;
}

/// Waits until told to end.
void wait_for_signal(const sigset_t& signals) {
    int received = SIGCHLD;
    while (received == SIGCHLD) sigwait(&signals, &received);
}

/// Runs the program until it ends, which it is asked to when this process is; returns its status.
int run_program(const std::vector<std::string>& words, const Variables& variables,
                const sigset_t& signals) {
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
    const auto program = emulator::start_program(words);
    int received = 0;
    sigwait(&signals, &received);
    if (received != SIGCHLD) kill(program, SIGTERM);
    return emulator::wait_for_program(program);
}

/// Waits for the end of what is served; returns the status.
int serve(const Options& options, const std::string& text, const Variables& variables,
          const sigset_t& signals) {
    if (!options.program.empty()) return run_program(options.program, variables, signals);
    std::cout << text << std::flush;
    wait_for_signal(signals);
    return 0;
}

/// Serves until told to end.
int run(const Options& options) {
    // Blocked before any thread starts, so that sigwait below is the only one to get them.
    const sigset_t signals = ending_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);

    Leftovers leftovers;
    std::optional<emulator::Certificate> certificate;
    std::string trusted;
    if (options.tls) {
        auto hosts = options.allowed_hosts;
        hosts.push_back(options.host);
        certificate = emulator::make_certificate(hosts);
        const auto directory = emulator::make_private_directory();
        leftovers.add(directory);
        trusted = directory + "/certificate.pem";
        emulator::write_private_file(trusted, certificate->pem);
    }
    emulator::Server server{certificate, emulator::HostNames{options.host, options.allowed_hosts}};
    const auto port = server.bind(options.host, options.port);
    if (!port) {
        std::cerr << "twiliowa-emulator: cannot listen on " << options.host << " port "
                  << options.port << ": is the address this machine's, and the port free?\n";
        return 1;
    }
    const auto url = url_of(options, *port);
    const auto clock =
        std::make_shared<emulator::ScaledClock>(options.clock.speed, options.clock.start);
    const auto fake = make_fake(options, url, clock);
    if (!options.state_file.empty()) {
        if (const auto saved = emulator::read_file(options.state_file)) fake->load(*saved);
    }
    const auto account = set_up(*fake, options);
    auto runner = std::make_unique<emulator::Runner>(fake, clock);
    emulator::Control control{fake, clock, *runner, account, options.seed};
    server.start(*fake, control);

    int status = 1;
    try {
        const auto text = announcement(*fake, account, url, trusted);
        if (!options.env_file.empty()) {
            emulator::write_private_file(options.env_file, text);
            leftovers.add(options.env_file);
        }
        auto variables = variables_of(account, url);
        for (auto& variable : trust_of(trusted)) variables.push_back(std::move(variable));
        status = serve(options, text, variables, signals);
        server.stop();
        runner.reset();
        if (!options.state_file.empty()) {
            emulator::write_private_file(options.state_file, fake->save());
        }
    } catch (const std::exception& error) {
        std::cerr << "twiliowa-emulator: " << error.what() << '\n';
        status = 1;
    }
    leftovers.remove();
    std::cout << std::flush;
    // Threads of idle connections still use what is above: end without taking it down.
    std::_Exit(status);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const auto options = emulator::parse_options(argc, argv);
        if (options.help) {
            std::cout << emulator::help_text();
            return 0;
        }
        return run(options);
    } catch (const tools::UsageError& error) {
        std::cerr << "twiliowa-emulator: " << error.message
                  << "\nTry 'twiliowa-emulator --help'.\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "twiliowa-emulator: " << error.what() << '\n';
        return 1;
    }
}
