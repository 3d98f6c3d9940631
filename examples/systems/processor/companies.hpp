// The companies that are written for: each has an account at Twilio, credentials that may change at
// any time, and a template.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/client_options.hpp>
#include <twiliowa/content_client.hpp>
#include <twiliowa/messages_client.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/templates.hpp>
#include <twiliowa/webhook/public_url.hpp>

#include "secret_store.hpp"

namespace processor {

/// One company, by one state of its secret.
struct Company {
    twiliowa::Credentials credentials;
    std::string template_sid;
    std::shared_ptr<twiliowa::Templates> templates;
    twiliowa::MessagesClient client;
};

/// By the id of their credentials. Thread-safe.
class Companies {
public:
    /// How long a secret is used before the store is asked again.
    static constexpr std::chrono::milliseconds secret_kept{1'000};

    /// @param options  of every company's client; its transport and its limiter are shared.
    Companies(std::shared_ptr<SecretStore> secrets, twiliowa::ClientOptions options,
              twiliowa::PublicUrl public_url);

    /// An error says what is wrong with the secret, by the key's name.
    twiliowa::Result<std::shared_ptr<const Company>> get(std::string_view id);
    /// For OutboxOptions::client: jobs wait while the secret is not in order, and are held if there
    /// is none.
    twiliowa::OutboxAccount account(std::string_view id);
    /// What Twilio may sign a webhook with: the token of now and, for the time of a rotation, the
    /// one of before.
    std::vector<twiliowa::SigningKey> signing_keys(std::string_view id,
                                                   std::string_view account_sid);

private:
    struct Known {
        twiliowa::Secret secret = {};
        std::shared_ptr<const Company> company = {};
        std::shared_ptr<const Company> before = {};
        std::optional<twiliowa::Error> problem = {};
        std::chrono::steady_clock::time_point asked_at = {};
    };
    const Known& ask(std::string_view id);
    twiliowa::Result<std::shared_ptr<const Company>> make(const std::string& id,
                                                          std::string_view secret) const;

    std::shared_ptr<SecretStore> secrets_;
    twiliowa::ClientOptions options_;
    twiliowa::PublicUrl public_url_;
    std::mutex mutex_;
    std::map<std::string, Known, std::less<>> known_ = {};
};

}  // namespace processor
