#include "tenants.hpp"

#include <utility>

#include <twiliowa/types/error.hpp>

namespace platform {

namespace wa = twiliowa;

namespace {

/// A sealed token opens for its organisation and account alone.
std::string place_of_token(const std::string& organisation, const std::string& account) {
    return "platform.configuration.sealed_token/" + organisation + '/' + account;
}

}  // namespace

std::optional<std::string> Tenants::organisation_of(std::string_view bearer) const {
    // What is no text the database refuses.
    if (bearer.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
    const auto found = database_.run(
        "select id from platform.organisation where bearer = sha256(convert_to($1, 'UTF8'))",
        {std::string{bearer}});
    return found.empty() ? std::nullopt : std::optional{found[0][0]};
}

Plan Tenants::plan_of(std::string_view organisation) const {
    const auto found = database_.run(
        "select tokens_a_month, messages_a_minute, sentence, coalesce((select min(id) from "
        "platform.chatbot where organisation = $1 and active), '') from platform.organisation "
        "where id = $1",
        {std::string{organisation}});
    if (found.empty()) wa::Error::invalid_request("organisation", "is not known").raise();
    const auto& row = found[0];
    return {std::stoll(row[0]), std::stoll(row[1]), row[2], row[3]};
}

std::optional<bool> Tenants::is_chatbot_active(const std::string& organisation,
                                               const std::string& chatbot) const {
    const auto found =
        database_.run("select active from platform.chatbot where organisation = $1 and id = $2",
                      {organisation, chatbot});
    return found.empty() ? std::nullopt : std::optional{found[0][0] == "t"};
}

std::vector<Configuration> Tenants::find(const std::string& where,
                                         const std::vector<std::string>& values) const {
    const auto statement =
        "select c.organisation, c.account, sealed_token, number, webhook_url, active, sid is not "
        "null, created_at, updated_at from platform.configuration c left join platform.account a "
        "on a.sid = c.account and a.organisation = c.organisation where provider = 'twilio' and " +
        where;
    std::vector<Configuration> found;
    for (const auto& row : database_.run(statement.c_str(), values)) {
        found.push_back(
            {row[0], row[1], row[2], row[3], row[4], row[5] == "t", row[6] == "t", row[7], row[8]});
    }
    return found;
}

std::optional<Configuration> Tenants::configuration(std::string_view organisation) const {
    const auto found = find("c.organisation = $1", {std::string{organisation}});
    return found.empty() ? std::nullopt : std::optional{found[0]};
}

std::optional<Configuration> Tenants::owner_of(std::string_view account_sid) const {
    const auto found = find("a.sid = $1", {std::string{account_sid}});
    return found.empty() ? std::nullopt : std::optional{found[0]};
}

void Tenants::configure(const std::string& organisation, const wa::Credentials& credentials,
                        const std::string& number, const std::string& webhook_url,
                        bool active) const {
    const auto account = credentials.account_sid().str();
    const auto sealed =
        sealer_.seal(credentials.password().reveal(), place_of_token(organisation, account))
            .value();
    // An account that they leave is free for others.
    database_.run(
        "with left_behind as (delete from platform.account where organisation = $1 and sid <> $2) "
        "insert into platform.configuration (organisation, account, sealed_token, number, "
        "webhook_url, active) values ($1, $2, $3, $4, $5, $6) on conflict (organisation, provider) "
        "do update set account = $2, sealed_token = $3, number = $4, webhook_url = $5, "
        "active = $6, updated_at = now()",
        {organisation, account, sealed, number, webhook_url, active ? "t" : "f"});
}

bool Tenants::prove(const Configuration& configuration) const {
    // Nothing, if they have configured something else meanwhile.
    const auto owner = database_.run(
        "insert into platform.account as a select account, organisation from "
        "platform.configuration where organisation = $1 and account = $2 and sealed_token = $3 "
        "on conflict (sid) do update set organisation = a.organisation returning organisation",
        {configuration.organisation, configuration.account, configuration.sealed_token});
    return !owner.empty() && owner[0][0] == configuration.organisation;
}

std::string Tenants::token_of(const Configuration& of) const {
    return sealer_.open(of.sealed_token, place_of_token(of.organisation, of.account)).value();
}

wa::MessagesClient Tenants::client(const Configuration& of) const {
    auto options = options_;
    options.from = of.number;
    return wa::MessagesClient{wa::Credentials::auth_token(of.account, token_of(of)), options};
}

wa::OutboxAccount Tenants::outbox_account(std::string_view account_name) const {
    const auto now = configuration(account_name.substr(0, account_name.rfind('/')));
    if (!now || !now->is_proved || now->account_name() != account_name) {
        return wa::OutboxAccount::unknown();
    }
    return now->is_active ? wa::OutboxAccount{client(*now)} : wa::OutboxAccount::switched_off();
}

wa::InboxAccount Tenants::inbox_account(std::string_view account_sid) const {
    const auto owner = owner_of(account_sid);
    if (!owner) return wa::InboxAccount::unknown;
    return owner->is_active ? wa::InboxAccount::here : wa::InboxAccount::switched_off;
}

std::vector<wa::MessagesClient> Tenants::clients() const {
    std::vector<wa::MessagesClient> all;
    for (const auto& each : find("active and sid is not null", {})) all.push_back(client(each));
    return all;
}

std::vector<wa::SigningKey> Tenants::keys(std::string_view account_sid) const {
    const auto owner = owner_of(account_sid);
    if (!owner) return {};
    return {{wa::Secret{token_of(*owner)}}};
}

}  // namespace platform
