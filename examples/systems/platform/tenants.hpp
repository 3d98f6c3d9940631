// The organisations: how each is set up at Twilio, and which account is whose.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/client_options.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/credentials.hpp>

#include "support/postgres_database.hpp"

namespace platform {

struct Configuration {
    std::string organisation;
    std::string account;  ///< AC...
    std::string sealed_token;
    std::string number;  ///< As Twilio wants it.
    std::string webhook_url;
    bool is_active = false;
    bool is_proved = false;  ///< The account is theirs.
    std::string created_at;
    std::string updated_at;

    /// By which jobs know their account: what waits for one of an organisation is sent for that
    /// organisation by that account, or not at all.
    std::string account_name() const { return organisation + '/' + account; }
};

/// What the answer to a customer, or a message to one, goes by.
struct Plan {
    std::int64_t tokens_a_month = 0;
    std::int64_t messages_a_minute = 0;
    std::string sentence;        ///< What a customer gets where no chatbot is active.
    std::string active_chatbot;  ///< Empty: none.
};

/// Everything is read from the database each time: what one process changes holds for all of them
/// at once. Thread-safe.
class Tenants {
public:
    /// @param options  what all clients have.
    Tenants(support::PostgresDatabase& database, twiliowa::Sealer sealer,
            twiliowa::ClientOptions options)
        : database_(database), sealer_(std::move(sealer)), options_(std::move(options)) {}

    /// Whose bearer token that is; nullopt: nobody's.
    std::optional<std::string> organisation_of(std::string_view bearer) const;
    Plan plan_of(std::string_view organisation) const;
    /// Nullopt: they have none of that name.
    std::optional<bool> is_chatbot_active(const std::string& organisation,
                                          const std::string& chatbot) const;
    std::optional<Configuration> configuration(std::string_view organisation) const;
    /// Of the organisation that has proved it.
    std::optional<Configuration> owner_of(std::string_view account_sid) const;

    /// Another account than before has to be proved; with the same one a new token holds at once.
    void configure(const std::string& organisation, const twiliowa::Credentials& credentials,
                   const std::string& number, const std::string& webhook_url, bool active) const;
    /// Twilio has taken this token. Says whether the account is theirs now: it may be another's.
    bool prove(const Configuration& configuration) const;

    twiliowa::MessagesClient client(const Configuration& configuration) const;
    /// For OutboxOptions::client.
    twiliowa::OutboxAccount outbox_account(std::string_view account_name) const;
    /// For InboxOptions: what is known of an account, and whose lists are read.
    twiliowa::InboxAccount inbox_account(std::string_view account_sid) const;
    std::vector<twiliowa::MessagesClient> clients() const;
    /// For RequestValidator.
    std::vector<twiliowa::SigningKey> keys(std::string_view account_sid) const;

private:
    std::vector<Configuration> find(const std::string& where,
                                    const std::vector<std::string>& values) const;
    std::string token_of(const Configuration& configuration) const;

    support::PostgresDatabase& database_;
    const twiliowa::Sealer sealer_;
    const twiliowa::ClientOptions options_;
};

}  // namespace platform
