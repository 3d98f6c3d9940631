/// @file
/// A web server for what Twilio reports while an outbox is sent.
#pragma once

#include <memory>
#include <string>

#include <twiliowa/webhook_handler.hpp>

namespace cli {

/// Serves a WebhookHandler by HTTP, at every path, in threads of its own. TLS is a proxy's.
class WebhookServer {
public:
    /// @param port  0: any that is free
    /// @throws InvalidRequestError if the port cannot be had.
    WebhookServer(const std::string& address, int port, twiliowa::WebhookHandler handler);
    /// Ends it; answers under way are given.
    ~WebhookServer();
    WebhookServer(const WebhookServer&) = delete;
    WebhookServer& operator=(const WebhookServer&) = delete;

    int port() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cli
