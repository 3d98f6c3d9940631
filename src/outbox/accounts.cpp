#include <algorithm>
#include <string>
#include <utility>

#include <twiliowa/outbox/accounts.hpp>
#include <twiliowa/types/error.hpp>

namespace twiliowa {

void Accounts::add(const Credentials& credentials, const TextField& sender) {
    const auto& account_sid = credentials.account_sid().str();
    if (find(account_sid) != nullptr) {
        Error::invalid_request("account_sid", "is there already: " + std::string{account_sid})
            .raise();
    }
    auto options = options_;
    options.from = sender;
    const MessagesClient client{credentials, options};
    accounts_.push_back({credentials, std::move(options), client});
}

const Accounts::Entry* Accounts::find(std::string_view account_sid) const noexcept {
    const auto found = std::find_if(accounts_.begin(), accounts_.end(), [&](const Entry& each) {
        return each.credentials.account_sid().str() == account_sid;
    });
    return found == accounts_.end() ? nullptr : &*found;
}

OutboxAccount Accounts::outbox_account(std::string_view account_sid) const {
    const auto* const account = find(account_sid);
    return account == nullptr ? OutboxAccount::unknown() : account->client;
}

std::vector<MessagesClient> Accounts::clients() const {
    std::vector<MessagesClient> clients;
    for (const auto& each : accounts_) clients.push_back(each.client);
    return clients;
}

std::vector<SigningKey> Accounts::signing_keys(const KeyQuery& query) const {
    const auto* const account = find(query.account_sid);
    if (account == nullptr) return {};
    const auto& credentials = account->credentials;
    // The secret of an API key signs nothing.
    if (credentials.username() != credentials.account_sid().str()) return {};
    return {{credentials.password()}};
}

}  // namespace twiliowa
