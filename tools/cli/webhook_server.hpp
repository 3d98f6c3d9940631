/// @file
/// A web server for what Twilio brings.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <twiliowa/webhook_handler.hpp>

namespace cli {

/// Serves webhooks by HTTP, at every path, in threads of its own. TLS is a proxy's.
class WebhookServer {
public:
    /// What is answered; from several threads at once.
    using Answer = std::function<twiliowa::WebhookResponse(const twiliowa::WebhookRequest&)>;

    /// @param port  0: any that is free
    /// @param option  that gives the port: the field of an error
    /// @throws InvalidRequestError if the port cannot be had.
    WebhookServer(const std::string& address, int port, Answer answer,
                  const std::string& option = "--webhook-port");
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
