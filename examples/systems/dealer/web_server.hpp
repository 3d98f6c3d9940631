// The addresses of a process: Twilio's webhooks, the help desk's, and what Prometheus reads.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <twiliowa/types/secret.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "agent.hpp"

namespace dealer {

inline constexpr const char* twilio_path = "/webhooks/twilio/whatsapp";

struct WebServerOptions {
    int port = 8080;
    twiliowa::Secret desk_token = {};           ///< `?token=` of the help desk's webhooks.
    std::function<std::string()> metrics = {};  ///< What /metrics says.
};

/// Serves them in threads of its own, on this machine: a proxy in front ends TLS, passes
/// /webhooks/ on and says who calls, in X-Forwarded-For.
class WebServer {
public:
    WebServer(const twiliowa::WebhookHandler& handler, Agent& agent, WebServerOptions options);
    /// Ends it; answers under way are given.
    ~WebServer();
    WebServer(const WebServer&) = delete;
    WebServer& operator=(const WebServer&) = delete;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace dealer
