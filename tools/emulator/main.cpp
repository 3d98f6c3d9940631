/// twiliowa-emulator: testing::FakeTwilio behind an HTTP server on this machine.

#include <pthread.h>
#include <signal.h>

#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/types/error.hpp>

#include "clock.hpp"
#include "control.hpp"
#include "host_names.hpp"
#include "options.hpp"
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
    const auto sender =
        options.senders.empty() ? fake.senders(sid).front() : options.senders.front();
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

void load_state(FakeTwilio& fake, const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return;
    fake.load(std::string{std::istreambuf_iterator<char>(in), {}});
}

/// Whole or not at all.
bool save_state(const FakeTwilio& fake, const std::string& file) {
    const auto beside = file + ".new";
    std::ofstream out(beside, std::ios::binary);
    out << fake.save();
    out.close();
    std::error_code failed;
    if (out) std::filesystem::rename(beside, file, failed);
    return out && !failed;
}

std::string write_certificate(const emulator::Certificate& certificate) {
    const auto file = std::filesystem::temp_directory_path() /
                      ("twiliowa-emulator-" + std::to_string(getpid()) + ".pem");
    std::ofstream(file) << certificate.pem;
    return file.string();
}

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

void announce(const emulator::Account& account, const std::vector<std::string>& subaccounts,
              const std::string& url, const std::string& certificate) {
    auto sender = account.sender;
    sender.erase(0, sender.find('+'));
    std::cout << "# twiliowa-emulator is ready. Point a program at it:\n"
              << "export TWILIOWA_BASE_URL=" << shell_word(url) << '\n'
              << "export TWILIO_ACCOUNT_SID=" << account.sid << '\n'
              << "export TWILIO_AUTH_TOKEN=" << shell_word(account.auth_token) << '\n'
              << "export TWILIO_WHATSAPP_NUMBER=" << sender << '\n';
    for (const auto& sid : subaccounts) {
        std::cout << "# A subaccount, which the account's token opens, too: " << sid << '\n';
    }
    if (!certificate.empty()) {
        std::cout << "# Trust its certificate:\nexport SSL_CERT_FILE=" << shell_word(certificate)
                  << "\nexport NODE_EXTRA_CA_CERTS=" << shell_word(certificate) << '\n';
    }
    std::cout << "# A template, \"Hi {{1}}, your order {{2}} is on its way\": ContentSid "
              << FakeTwilio::demo_content_sid << '\n'
              << "# Messaging service: " << FakeTwilio::demo_messaging_service_sid << '\n'
              << "# Page: " << url << "/   Recipients for each outcome: " << url << "/help\n"
              << "# Ends with Ctrl-C or SIGTERM.\n"
              << std::flush;
}

sigset_t ending_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

/// Serves until told to end.
int run(const Options& options) {
    // Blocked before any thread starts, so that sigwait below is the only one to get them.
    const sigset_t signals = ending_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);

    std::optional<emulator::Certificate> certificate;
    std::string certificate_file;
    if (options.tls) {
        auto hosts = options.allowed_hosts;
        hosts.push_back(options.host);
        certificate = emulator::make_certificate(hosts);
        certificate_file = write_certificate(*certificate);
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
    if (!options.state_file.empty()) load_state(*fake, options.state_file);
    const auto account = set_up(*fake, options);
    auto runner = std::make_unique<emulator::Runner>(fake, clock);
    emulator::Control control{fake, clock, *runner, account, options.seed};
    server.start(*fake, control);
    announce(account, fake->subaccounts(), url, certificate_file);

    int received = 0;
    sigwait(&signals, &received);
    server.stop();
    runner.reset();
    int status = 0;
    if (!options.state_file.empty() && !save_state(*fake, options.state_file)) {
        std::cerr << "twiliowa-emulator: cannot write " << options.state_file << '\n';
        status = 1;
    }
    if (!certificate_file.empty()) std::filesystem::remove(certificate_file);
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
    } catch (const emulator::UsageError& error) {
        std::cerr << "twiliowa-emulator: " << error.message
                  << "\nTry 'twiliowa-emulator --help'.\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "twiliowa-emulator: " << error.what() << '\n';
        return 1;
    }
}
