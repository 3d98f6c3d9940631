/// @file
/// The command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/types/clock.hpp>

namespace emulator {

/// How fast the emulator's time goes.
struct ClockOptions {
    double speed = 1.0;  ///< 0: only when told to.
    twiliowa::TimePoint start = std::chrono::system_clock::now();
};

struct Login {
    std::string sid;
    std::string secret;
};

/// An account that the main one owns, and what is its own.
struct Subaccount {
    Login login = {};
    std::vector<Login> api_keys = {};
    std::vector<std::string> senders = {};
};

struct Options {
    std::string host = "127.0.0.1";
    std::vector<std::string> allowed_hosts = {};
    int port = 0;
    std::optional<Login> account = {};  ///< The main one.
    std::vector<Login> api_keys = {};
    std::vector<std::string> senders = {};
    std::vector<Subaccount> subaccounts = {};
    std::string sandbox = {};  ///< The code that opens it.
    bool interactive_taps = false;
    std::string webhook = {};
    twiliowa::testing::FakeWebhookOptions webhook_options = {};
    bool webhook_options_given = false;
    std::string status_callback = {};
    /// Applications and their status callbacks.
    std::vector<std::pair<std::string, std::string>> applications = {};
    ClockOptions clock = {};
    std::uint64_t seed = 1;
    bool tls = false;
    std::string state_file = {};
    std::string env_file = {};
    std::vector<std::pair<twiliowa::testing::Fault, double>> faults = {};
    bool help = false;
    std::vector<std::string> program = {};  ///< To run; nothing to wait for a signal.
};

/// The main account that is served, from the options or a state that was loaded.
struct Account {
    std::string sid;
    std::string auth_token;
    std::string sender;  ///< The one that is meant when none is named.
};

/// Whether it begins with http:// or https:// and a host.
bool is_web_address(std::string_view text);

/// @throws tools::UsageError
Options parse_options(int argc, char** argv);

std::string help_text();

}  // namespace emulator
