/// @file
/// Who is calling.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/export.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/secret.hpp>
#include <twiliowa/types/sid.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// Under which keys a JSON object holds credentials, as an entry of a secret store does.
struct CredentialKeys {
    TextField account_sid = "twilio_account_sid";
    TextField auth_token = "twilio_auth_token";
    TextField api_key = "twilio_api_key";
    TextField api_secret = "twilio_api_secret";
};

/// An account and the right to use it. Sent as HTTP basic authentication, to the API's host only.
/// Immutable; copies share the secret, which is wiped with the last of them.
class TWILIOWA_EXPORT Credentials {
public:
    /// None; every call refuses it by name.
    Credentials();
    /// @throws InvalidRequestError if the account SID is malformed or the token empty.
    static Credentials auth_token(std::string_view account_sid, std::string_view token);
    /// An API key (SK...) and its secret; the account is still needed, for the URL's path.
    /// @throws InvalidRequestError
    static Credentials api_key(std::string_view account_sid, std::string_view key_sid,
                               std::string_view key_secret);
    /// Reads TWILIO_ACCOUNT_SID and either TWILIO_API_KEY with TWILIO_API_SECRET, or
    /// TWILIO_AUTH_TOKEN (the key wins when both are set).
    /// @throws InvalidRequestError naming the variable that is missing or malformed.
    static Credentials from_environment();
    static Result<Credentials> try_from_environment();
    /// Reads them from the members of a JSON object: the account's SID, and either an API key with
    /// its secret, or an auth token (the key wins when both are there). Other members are passed
    /// over. An error names the key of a member that is missing or wrong, and no value.
    /// @throws InvalidRequestError
    static Credentials from_json(std::string_view json, const CredentialKeys& keys = {});
    static Result<Credentials> try_from_json(std::string_view json,
                                             const CredentialKeys& keys = {});
    static Result<Credentials> try_auth_token(std::string_view account_sid, std::string_view token);
    static Result<Credentials> try_api_key(std::string_view account_sid, std::string_view key_sid,
                                           std::string_view key_secret);

    /// The same login, acting on another account: the main account's auth token reaches the
    /// messages and media of its subaccounts. URLs name `account_sid`; the user name and the
    /// password stay those of the main account, and the secret is shared with this.
    /// Not so the typing indicator, which belongs to another API: it needs credentials of the
    /// subaccount's own. Webhooks of a subaccount are signed with its own token.
    /// @throws InvalidRequestError if the SID is malformed, if these are no credentials, or if they
    ///     are an API key's: Twilio lets a key act on its own account only.
    Credentials for_account(std::string_view account_sid) const;
    Result<Credentials> try_for_account(std::string_view account_sid) const;

    /// The account that is called: that of the URLs.
    const AccountSid& account_sid() const noexcept;
    /// The user name of the basic authentication: the SID of the account whose token it is, or the
    /// key's.
    const std::string& username() const noexcept;
    const Secret& password() const noexcept;
    /// The value of the Authorization header.
    const Secret& authorization() const noexcept;

private:
    struct Login;
    struct Data;
    explicit Credentials(std::shared_ptr<const Data> data) noexcept : data_(std::move(data)) {}
    static Credentials make(AccountSid account, std::string username, std::string_view password);
    std::shared_ptr<const Data> data_;
};

/// Asked once per call, from the calling thread, so that credentials can change at run time. Must
/// be safe to call from any thread at once. A failure it returns is the call's failure, effect
/// none; an exception it throws becomes a TransportError (field "credentials"), without its text.
using CredentialsProvider = std::function<Result<Credentials>()>;

}  // namespace twiliowa
