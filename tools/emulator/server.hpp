/// @file
/// The fake Twilio, the page and its API behind an HTTP or HTTPS server.
#pragma once

#include <memory>
#include <optional>

#include <twiliowa/testing/fake_twilio.hpp>

#include "control.hpp"
#include "tls.hpp"

namespace emulator {

class Server {
public:
    /// Without a certificate: HTTP.
    Server(twiliowa::testing::FakeTwilio& fake, Control& control,
           const std::optional<Certificate>& certificate);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// The port bound to (any free one for 0), or nullopt.
    std::optional<int> bind(const std::string& host, int port);
    /// Serves in threads of its own; returns once it does.
    void start();
    /// Answers under way get a moment to leave.
    void stop();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace emulator
