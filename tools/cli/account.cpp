// `twiliowa account`

#include <CLI/CLI.hpp>

#include <twiliowa/account_client.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "layout.hpp"
#include "moment.hpp"

namespace cli {

namespace {

using twiliowa::Account;
using twiliowa::AccountClient;
using twiliowa::Balance;

/// Nothing for a subaccount, which has none.
std::optional<Balance> balance_of(const AccountClient& accounts, const Context& context) {
    auto balance = accounts.try_balance(context.call_options());
    if (balance) return std::move(*balance);
    if (balance.error().kind() == twiliowa::ErrorKind::not_found) return std::nullopt;
    balance.error().raise();
}

nlohmann::ordered_json json_of_account(const Account& account,
                                       const std::optional<Balance>& balance) {
    nlohmann::ordered_json json{{"sid", account.sid.str()},
                                {"owner_account_sid", account.owner_account_sid.str()},
                                {"friendly_name", account.friendly_name},
                                {"status", account.status.str()},
                                {"type", account.type.str()},
                                {"date_created", json_of(account.date_created)},
                                {"balance", nullptr},
                                {"currency", nullptr}};
    if (balance) {
        json["balance"] = balance->balance;
        json["currency"] = balance->currency;
    }
    return json;
}

ExitCode show_account(Context& context) {
    const AccountClient accounts{context.credentials(), context.client_options()};
    const auto account = accounts.fetch(context.call_options());
    const auto balance = balance_of(accounts, context);
    context.output.result(
        json_of_account(account, balance),
        facts({{"account", account.sid.str()},
               {"name", account.friendly_name},
               {"status", account.status.str()},
               {"type", account.type.str()},
               {"created", text_of(account.date_created)},
               {"balance", balance ? balance->balance + " " + balance->currency : "none"}}));
    return ExitCode::done;
}

}  // namespace

std::vector<Command> account_commands() {
    return {{.noun = "account",
             .verb = "show",
             .summary = "Shows the account: whether it is active, and what is left on it",
             .details = "A subaccount has no balance. API keys may not read accounts.",
             .examples = {"twiliowa account show", "twiliowa account show --json"},
             .declare = [](CLI::App&) { return show_account; }}};
}

}  // namespace cli
