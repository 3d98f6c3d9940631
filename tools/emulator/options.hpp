/// @file
/// The command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>

namespace emulator {

/// How fast the emulator's time goes.
struct ClockOptions {
    double speed = 1.0;  ///< 0: only when told to.
};

struct Options {
    std::string host = "127.0.0.1";
    int port = 0;
    std::string account_sid{twiliowa::testing::FakeTwilio::demo_account_sid};
    std::string auth_token{twiliowa::testing::FakeTwilio::demo_auth_token};
    std::vector<std::string> senders = {};
    std::string webhook = {};
    twiliowa::testing::FakeWebhookOptions webhook_options = {};
    std::string status_callback = {};
    /// Applications and their status callbacks.
    std::vector<std::pair<std::string, std::string>> applications = {};
    ClockOptions clock = {};
    std::uint64_t seed = 1;
    bool tls = false;
    std::string state_file = {};
    std::vector<std::pair<twiliowa::testing::Fault, double>> faults = {};
    bool help = false;
};

/// What is wrong with the command line.
struct UsageError {
    std::string message;
};

/// @throws UsageError
Options parse_options(int argc, char** argv);

std::string help_text();

}  // namespace emulator
