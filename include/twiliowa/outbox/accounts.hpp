/// @file
/// Several accounts at Twilio, for what asks for one by its SID: `Accounts`.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/client_options.hpp>
#include <twiliowa/export.hpp>
#include <twiliowa/messages_client.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// The accounts that one program sends for and receives for, where they are known at the start: the
/// account of a job and that of a webhook go by the AccountSid. Who has accounts that come, go and
/// rotate gives outbox and validator functions of his own instead.
///
/// Add them all, then share it: from then on it is safe to use from any thread.
class TWILIOWA_EXPORT Accounts {
public:
    /// One of them.
    struct Entry {
        Credentials credentials;  ///< As they were given.
        ClientOptions options;    ///< Of its clients, with its own sender.
        MessagesClient client;    ///< Sends for it.
    };

    /// @param options  of the clients of all: they share its transport, its limiter and the rest
    explicit Accounts(ClientOptions options) : options_(std::move(options)) {}

    /// @param sender  takes the place of ClientOptions::from
    /// @throws InvalidRequestError if the account is there already, or naming an option that is
    /// wrong.
    void add(const Credentials& credentials, const TextField& sender);

    /// In the order in which they were added.
    const std::vector<Entry>& all() const noexcept { return accounts_; }
    /// Null if it is not known. Valid until the next `add`.
    const Entry* find(std::string_view account_sid) const noexcept;

    /// For OutboxOptions::client: JobOptions::account is the AccountSid then.
    OutboxAccount outbox_account(std::string_view account_sid) const;
    /// For InboxOptions::clients.
    std::vector<MessagesClient> clients() const;
    /// For a RequestValidator: an account's webhooks are signed with its own token. None of one
    /// that is not known, or has an API key in place of its token.
    std::vector<SigningKey> signing_keys(const KeyQuery& query) const;

private:
    ClientOptions options_;
    std::vector<Entry> accounts_ = {};
};

}  // namespace twiliowa
