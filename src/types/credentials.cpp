#include <twiliowa/types/credentials.hpp>

#include <algorithm>

#include "text/ascii.hpp"
#include "text/base64.hpp"
#include "types/environment.hpp"
#include "types/wipe.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// Twilio's are letters and digits; the marks are those that a token in a header may have
/// (token68, RFC 9110), for a gateway that has tokens of its own.
bool is_credential_character(char c) noexcept {
    constexpr std::string_view marks = "-._~+/=";
    return detail::is_letter_or_digit(c) || marks.find(c) != std::string_view::npos;
}

Result<void> check_credential(std::string_view field, std::string_view text) {
    if (text.empty()) return Error::invalid_request(field, "is empty");
    const auto bad = std::find_if_not(text.begin(), text.end(), is_credential_character);
    if (bad == text.end()) return {};
    if (*bad == '"' || *bad == '\'') {
        return Error::invalid_request(field, "holds a quotation mark",
                                      "write it without quotes: docker's --env-file keeps them");
    }
    if (static_cast<unsigned char>(*bad) <= 0x20 || *bad == 0x7f) {
        return Error::invalid_request(field, "holds white space or a control character",
                                      "copy it again, without quotes or a line break");
    }
    return Error::invalid_request(
        field, "holds a character that no credential has",
        "copy it again: it is made of letters and digits; is it a placeholder?");
}

Secret basic_authorization(const std::string& username, const Secret& password) {
    std::string pair;
    pair.reserve(username.size() + 1 + password.reveal().size());
    pair.append(username).append(1, ':').append(password.reveal());
    std::string value;
    value.reserve(6 + (pair.size() + 2) / 3 * 4);
    value = "Basic ";
    append_base64(value, pair);
    Secret secret(value);
    wipe_string(pair);
    wipe_string(value);
    return secret;
}

}  // namespace
}  // namespace detail

struct Credentials::Login {
    std::string username = {};
    Secret password = {};
    Secret authorization = {};
};

struct Credentials::Data {
    AccountSid account_sid = {};
    std::shared_ptr<const Login> login = std::make_shared<const Login>();
};

Credentials::Credentials() : data_(std::make_shared<const Data>()) {}

Credentials Credentials::make(AccountSid account, std::string username, std::string_view password) {
    auto login = std::make_shared<Login>();
    login->username = std::move(username);
    login->password = Secret(password);
    login->authorization = detail::basic_authorization(login->username, login->password);
    return Credentials(std::make_shared<const Data>(Data{std::move(account), std::move(login)}));
}

const AccountSid& Credentials::account_sid() const noexcept {
    return data_->account_sid;
}
const std::string& Credentials::username() const noexcept {
    return data_->login->username;
}
const Secret& Credentials::password() const noexcept {
    return data_->login->password;
}
const Secret& Credentials::authorization() const noexcept {
    return data_->login->authorization;
}

Result<Credentials> Credentials::try_auth_token(std::string_view account_sid,
                                                std::string_view token) {
    auto account = AccountSid::parse(account_sid);
    if (!account) return account.error();
    if (auto checked = detail::check_credential("AuthToken", token); !checked) {
        return checked.error();
    }
    auto username = account->str();
    return make(std::move(*account), std::move(username), token);
}

Result<Credentials> Credentials::try_api_key(std::string_view account_sid, std::string_view key_sid,
                                             std::string_view key_secret) {
    auto account = AccountSid::parse(account_sid);
    if (!account) return account.error();
    auto key = ApiKeySid::parse(key_sid);
    if (!key) return key.error();
    if (auto checked = detail::check_credential("ApiKeySecret", key_secret); !checked) {
        return checked.error();
    }
    return make(std::move(*account), key->str(), key_secret);
}

Result<Credentials> Credentials::try_for_account(std::string_view account_sid) const {
    auto account = AccountSid::parse(account_sid);
    if (!account) return account.error();
    if (data_->account_sid.empty()) {
        return Error::invalid_request("credentials", "are missing",
                                      "begin with the auth token of the main account");
    }
    if (*account == data_->account_sid) return *this;
    if (ApiKeySid::parse(username())) {
        return Error::invalid_request(
            "credentials", "are an API key's, which acts on its own account only",
            "use the auth token of the main account, or an API key of the subaccount");
    }
    return Credentials(std::make_shared<const Data>(Data{std::move(*account), data_->login}));
}

Credentials Credentials::for_account(std::string_view account_sid) const {
    return try_for_account(account_sid).value();
}

Credentials Credentials::auth_token(std::string_view account_sid, std::string_view token) {
    return try_auth_token(account_sid, token).value();
}

Credentials Credentials::api_key(std::string_view account_sid, std::string_view key_sid,
                                 std::string_view key_secret) {
    return try_api_key(account_sid, key_sid, key_secret).value();
}

Result<Credentials> Credentials::try_from_environment() {
    const auto account = detail::environment_variable("TWILIO_ACCOUNT_SID");
    const auto key = detail::environment_variable("TWILIO_API_KEY");
    const auto secret = detail::environment_variable("TWILIO_API_SECRET");
    const auto token = detail::environment_variable("TWILIO_AUTH_TOKEN");
    const auto missing = [](std::string_view name, std::string_view hint) {
        return Error::invalid_request(name, "environment variable is not set", hint);
    };
    if (account.empty()) {
        return missing("TWILIO_ACCOUNT_SID", "set it to your account's SID (AC...)");
    }
    if (key.empty() && token.empty() && secret.empty()) {
        return missing("TWILIO_AUTH_TOKEN", "set it, or set TWILIO_API_KEY and TWILIO_API_SECRET");
    }
    if (!key.empty() && secret.empty()) {
        return missing("TWILIO_API_SECRET", "TWILIO_API_KEY is set and needs it");
    }
    if (key.empty() && token.empty()) {
        return missing("TWILIO_API_KEY", "TWILIO_API_SECRET is set and needs it");
    }
    auto result = key.empty() ? try_auth_token(account, token) : try_api_key(account, key, secret);
    if (result) return result;
    // Say which variable, rather than which argument.
    return result.error().with([](ErrorData& data) {
        if (data.field == "AccountSid") data.field = "TWILIO_ACCOUNT_SID";
        if (data.field == "AuthToken") data.field = "TWILIO_AUTH_TOKEN";
        if (data.field == "ApiKeySid") data.field = "TWILIO_API_KEY";
        if (data.field == "ApiKeySecret") data.field = "TWILIO_API_SECRET";
    });
}

Credentials Credentials::from_environment() {
    return try_from_environment().value();
}

}  // namespace twiliowa
