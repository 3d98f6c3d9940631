#include <twiliowa/types/credentials.hpp>

#include <algorithm>

#include "text/ascii.hpp"
#include "text/base64.hpp"
#include "text/json_scanner.hpp"
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

namespace {

/// The parts of credentials as they were found somewhere, and what each is called there.
struct FoundCredentials {
    struct Part {
        std::string name = {};
        Secret value = {};
        bool empty() const noexcept { return value.empty(); }
    };
    Part account_sid = {};
    Part auth_token = {};
    Part api_key = {};
    Part api_secret = {};
};

/// The API key, if there is one, else the token; an error has the name of the part as its field.
/// @param is_missing  what is wrong with one that is not there
Result<Credentials> make_of(const FoundCredentials& found, std::string_view is_missing) {
    const auto& account = found.account_sid;
    const auto& token = found.auth_token;
    const auto& key = found.api_key;
    const auto& secret = found.api_secret;
    const auto missing = [&](const FoundCredentials::Part& part, const std::string& hint) {
        return Error::invalid_request(part.name, is_missing, hint);
    };
    if (account.empty()) return missing(account, "set it to your account's SID (AC...)");
    if (key.empty() && token.empty() && secret.empty()) {
        return missing(token, "set it, or set " + key.name + " and " + secret.name);
    }
    if (!key.empty() && secret.empty()) return missing(secret, key.name + " is set and needs it");
    if (key.empty() && token.empty()) return missing(key, secret.name + " is set and needs it");
    auto result = key.empty()
                      ? Credentials::try_auth_token(account.value.reveal(), token.value.reveal())
                      : Credentials::try_api_key(account.value.reveal(), key.value.reveal(),
                                                 secret.value.reveal());
    if (result) return result;
    // Say which part, rather than which argument.
    return result.error().with([&](ErrorData& data) {
        if (data.field == "AccountSid") data.field = account.name;
        if (data.field == "AuthToken") data.field = token.name;
        if (data.field == "ApiKeySid") data.field = key.name;
        if (data.field == "ApiKeySecret") data.field = secret.name;
    });
}

/// Takes the texts of a JSON object's own members.
class CredentialReader final : public detail::JsonEvents {
public:
    explicit CredentialReader(FoundCredentials& found) : found_(found) {}

    void start_object() override {
        refuse();
        member_ = nullptr;
        if (++depth_ == 1) is_object_ = true;
    }
    void end_object() override { --depth_; }
    void start_array() override {
        refuse();
        member_ = nullptr;
        ++depth_;
    }
    void end_array() override { --depth_; }
    void key(std::string_view name) override {
        member_ = nullptr;
        if (depth_ != 1) return;
        for (auto* part :
             {&found_.account_sid, &found_.auth_token, &found_.api_key, &found_.api_secret}) {
            if (part->name == name) member_ = part;
        }
    }
    void string(std::string_view value) override {
        if (member_ != nullptr) member_->value = Secret{value};
    }
    void integer(std::int64_t) override { refuse(); }
    void other() override { refuse(); }

    bool is_object() const noexcept { return is_object_; }
    /// The member that is there and no text; null if there is none.
    const FoundCredentials::Part* no_text() const noexcept { return no_text_; }

private:
    void refuse() noexcept {
        if (member_ != nullptr) no_text_ = member_;
    }

    FoundCredentials& found_;
    FoundCredentials::Part* member_ = nullptr;
    const FoundCredentials::Part* no_text_ = nullptr;
    int depth_ = 0;
    bool is_object_ = false;
};

}  // namespace

Result<Credentials> Credentials::try_from_json(std::string_view json, const CredentialKeys& keys) {
    FoundCredentials found;
    found.account_sid.name = keys.account_sid;
    found.auth_token.name = keys.auth_token;
    found.api_key.name = keys.api_key;
    found.api_secret.name = keys.api_secret;
    CredentialReader reader{found};
    if (!detail::scan_json(json, reader) || !reader.is_object()) {
        return Error::invalid_request("json", "is not a JSON object");
    }
    if (const auto* part = reader.no_text()) {
        return Error::invalid_request(part->name, "is not a JSON text");
    }
    return make_of(found, "is not in the JSON object");
}

Credentials Credentials::from_json(std::string_view json, const CredentialKeys& keys) {
    return try_from_json(json, keys).value();
}

Result<Credentials> Credentials::try_from_environment() {
    const auto read = [](const char* name) {
        return FoundCredentials::Part{name, Secret{detail::environment_variable(name)}};
    };
    return make_of({.account_sid = read("TWILIO_ACCOUNT_SID"),
                    .auth_token = read("TWILIO_AUTH_TOKEN"),
                    .api_key = read("TWILIO_API_KEY"),
                    .api_secret = read("TWILIO_API_SECRET")},
                   "environment variable is not set");
}

Credentials Credentials::from_environment() {
    return try_from_environment().value();
}

}  // namespace twiliowa
