/// @file
/// The account: `AccountClient`.
#pragma once

#include <memory>
#include <utility>

#include <twiliowa/client_options.hpp>
#include <twiliowa/export.hpp>
#include <twiliowa/types/account.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

namespace detail {
struct ApiClient;
struct SetupCheck;
}  // namespace detail

/// Reads the account that the credentials act on: whether they are good, whether it is active, what
/// is left on it.
///
/// GET /2010-04-01/Accounts/{AccountSid}.json and .../Balance.json. Idempotent. Standard API keys
/// may not read accounts (401 or 403): that says nothing about sending.
///
/// Immutable and cheap to copy; one object may be used from any number of threads at once. Forms,
/// threads and errors are as for MessagesClient.
class TWILIOWA_EXPORT AccountClient {
public:
    /// Give the same options as to MessagesClient, with the same transport, to share connections.
    /// What concerns sending is not looked at. @throws InvalidRequestError naming the option that
    /// is wrong.
    explicit AccountClient(Credentials credentials, const ClientOptions& options = {});
    /// Asks `provider` for credentials at every call.
    explicit AccountClient(CredentialsProvider provider, const ClientOptions& options = {});
    static Result<AccountClient> try_create(CredentialsProvider provider,
                                            const ClientOptions& options = {});

    /// The account.
    Account fetch(const CallOptions& options = {}) const;
    Result<Account> try_fetch(const CallOptions& options = {}) const;
    void async_fetch(Callback<Account> done, const CallOptions& options = {}) const;

    /// What is left on it; of a subaccount Twilio answers 404 or nothing.
    Balance balance(const CallOptions& options = {}) const;
    Result<Balance> try_balance(const CallOptions& options = {}) const;
    void async_balance(Callback<Balance> done, const CallOptions& options = {}) const;

private:
    friend struct detail::SetupCheck;
    struct Impl;
    explicit AccountClient(const detail::ApiClient& api);
    explicit AccountClient(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
    std::shared_ptr<const Impl> impl_;
};

}  // namespace twiliowa
