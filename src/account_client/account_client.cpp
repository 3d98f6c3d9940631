#include <twiliowa/account_client.hpp>

#include "call/api_client.hpp"
#include "call/api_error.hpp"
#include "text/json_walk.hpp"

namespace twiliowa {

namespace detail {
namespace {

Result<PreparedCall> prepare_fetch_account(const ClientCore& core) {
    return prepare_of_account(core, {".json"});
}

Result<PreparedCall> prepare_balance(const ClientCore& core) {
    return prepare_of_account(core, {"/Balance.json"});
}

/// Its token, which Twilio tells with it, is not read.
std::optional<Error> read_account(HttpResponse& answer, Account& account) {
    account = {};
    const bool whole =
        walk_json(answer.body, {.on_value = [&](std::string_view path, const JsonScalar& value) {
                      if (path == "sid") {
                          account.sid = AccountSid::from_wire(value.as_text());
                      } else if (path == "owner_account_sid") {
                          account.owner_account_sid = AccountSid::from_wire(value.as_text());
                      } else if (path == "friendly_name") {
                          account.friendly_name = value.as_text();
                      } else if (path == "status") {
                          account.status = AccountStatus{value.as_text()};
                      } else if (path == "type") {
                          account.type = AccountType{value.as_text()};
                      } else if (path == "date_created") {
                          account.date_created = value.as_date();
                      } else if (path == "date_updated") {
                          account.date_updated = value.as_date();
                      }
                  }});
    if (whole && !account.sid.empty()) return std::nullopt;
    return unreadable_answer(answer, "the answer is not an account");
}

std::optional<Error> read_balance(HttpResponse& answer, Balance& balance) {
    balance = {};
    const bool whole =
        walk_json(answer.body, {.on_value = [&](std::string_view path, const JsonScalar& value) {
                      if (path == "account_sid") {
                          balance.account_sid = AccountSid::from_wire(value.as_text());
                      } else if (path == "balance") {
                          balance.balance = value.as_text();
                      } else if (path == "currency") {
                          balance.currency = value.as_text();
                      }
                  }});
    if (whole && !balance.account_sid.empty()) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a balance");
}

constexpr Verb<Account> fetch_account_verb{
    {"accounts.fetch", HttpMethod::get, "/2010-04-01/Accounts/{AccountSid}.json"},
    prepare_fetch_account,
    read_account};
constexpr Verb<Balance> balance_verb{
    {"accounts.balance", HttpMethod::get, "/2010-04-01/Accounts/{AccountSid}/Balance.json"},
    prepare_balance,
    read_balance};

}  // namespace
}  // namespace detail

struct AccountClient::Impl : detail::ApiClient {};

AccountClient::AccountClient(Credentials credentials, const ClientOptions& options)
    : AccountClient(detail::always(std::move(credentials)), options) {}

AccountClient::AccountClient(CredentialsProvider provider, const ClientOptions& options)
    : AccountClient(try_create(std::move(provider), options).value()) {}

AccountClient::AccountClient(const detail::ApiClient& api)
    : AccountClient(std::make_shared<const Impl>(Impl{api})) {}

Result<AccountClient> AccountClient::try_create(CredentialsProvider provider,
                                                const ClientOptions& options) {
    auto made = detail::ApiClient::create(std::move(provider), options);
    if (!made) return made.error();
    return AccountClient(std::make_shared<const Impl>(Impl{std::move(*made)}));
}

Account AccountClient::fetch(const CallOptions& options) const {
    return try_fetch(options).value();
}
Result<Account> AccountClient::try_fetch(const CallOptions& options) const {
    return impl_->run(detail::fetch_account_verb, options);
}
void AccountClient::async_fetch(Callback<Account> done, const CallOptions& options) const {
    impl_->start(detail::fetch_account_verb, std::move(done), options);
}

Balance AccountClient::balance(const CallOptions& options) const {
    return try_balance(options).value();
}
Result<Balance> AccountClient::try_balance(const CallOptions& options) const {
    return impl_->run(detail::balance_verb, options);
}
void AccountClient::async_balance(Callback<Balance> done, const CallOptions& options) const {
    impl_->start(detail::balance_verb, std::move(done), options);
}

}  // namespace twiliowa
