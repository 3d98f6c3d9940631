/// @file
/// The fake Twilio, the page and its API behind an HTTP or HTTPS server.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>

#include "control.hpp"
#include "host_names.hpp"
#include "tls.hpp"

namespace emulator {

class Server {
public:
    /// Without a certificate: HTTP.
    Server(const std::optional<Certificate>& certificate, HostNames names);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// The port bound to (any free one for 0), or nullopt.
    std::optional<int> bind(const std::string& host, int port);
    /// Serves these in threads of its own; returns once it does.
    void start(twiliowa::testing::FakeTwilio& fake, Control& control);
    /// Answers under way get a moment to leave.
    void stop();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace emulator
