#include "testing/fake_twilio/world/accounts.hpp"

#include <algorithm>
#include <utility>

#include "text/ascii.hpp"
#include "text/base64.hpp"

namespace twiliowa::testing::fake {

namespace {

struct FakeLogin {
    std::string username;
    std::string password;
};

std::optional<FakeLogin> parse_login(std::string_view authorization) {
    constexpr std::string_view scheme = "basic ";
    if (!detail::equals_ignoring_case(authorization.substr(0, scheme.size()), scheme))
        return std::nullopt;
    const auto pair = detail::decode_base64(authorization.substr(scheme.size()));
    if (!pair) return std::nullopt;
    const auto colon = pair->find(':');
    if (colon == std::string::npos) return std::nullopt;
    return FakeLogin{pair->substr(0, colon), pair->substr(colon + 1)};
}

}  // namespace

bool FakeAccount::has_sender(std::string_view address) const {
    return std::find(senders.begin(), senders.end(), address) != senders.end();
}

void FakeAccount::add_sender(std::string_view address) {
    if (!has_sender(address)) senders.emplace_back(address);
}

const FakeTemplate* FakeAccount::find_template(std::string_view wanted) const {
    for (const auto& [place, entry] : contents) {
        if (entry.content.sid == wanted) return &entry;
    }
    return nullptr;
}

FakeTemplate* FakeAccount::find_template(std::string_view wanted) {
    return const_cast<FakeTemplate*>(std::as_const(*this).find_template(wanted));
}

void FakeAccount::put_template(FakeTemplate added) {
    if (auto* present = find_template(added.content.sid)) {
        *present = std::move(added);
        return;
    }
    const auto place = contents.empty() ? 1 : contents.rbegin()->first + 1;
    contents.emplace(place, std::move(added));
}

void FakeAccount::count_created(std::int64_t day) noexcept {
    created_that_day = created_on(day) + 1;
    counted_day = day;
}

FakeAccount& FakeAccounts::add(std::string_view sid) {
    if (first_.empty()) first_ = sid;
    auto& account = accounts_[std::string{sid}];
    account.sid = sid;
    return account;
}

FakeAccount* FakeAccounts::find(std::string_view sid) {
    const auto found = accounts_.find(sid);
    return found == accounts_.end() ? nullptr : &found->second;
}

const FakeAccount* FakeAccounts::find(std::string_view sid) const {
    const auto found = accounts_.find(sid);
    return found == accounts_.end() ? nullptr : &found->second;
}

const FakeAccount* FakeAccounts::first() const {
    return find(first_);
}

FakeAccount* FakeAccounts::authenticate(std::string_view authorization) {
    const auto login = parse_login(authorization);
    if (!login) return nullptr;
    if (auto* account = find(login->username)) {
        return account->auth_token == login->password ? account : nullptr;
    }
    for (auto& [sid, account] : accounts_) {
        const auto key = account.api_keys.find(login->username);
        if (key != account.api_keys.end() && key->second == login->password) return &account;
    }
    return nullptr;
}

FakeAccount* FakeAccounts::authenticate(std::string_view authorization, std::string_view wanted) {
    auto* const account = authenticate(authorization);
    if (account == nullptr || wanted.empty() || account->sid == wanted) return account;
    auto* const owned = find(wanted);
    if (owned == nullptr || owned->owner != account->sid) return nullptr;
    const auto login = parse_login(authorization);
    return login && login->username == account->sid ? owned : nullptr;
}

FakeAccount* FakeAccounts::owner_of(std::string_view sender) {
    for (auto& [sid, account] : accounts_) {
        if (account.has_sender(sender)) return &account;
    }
    return nullptr;
}

void FakeAccounts::opt_out(std::string_view sender, std::string_view recipient) {
    opt_outs_.emplace(sender, recipient);
}

void FakeAccounts::opt_in(std::string_view sender, std::string_view recipient) {
    opt_outs_.erase({std::string{sender}, std::string{recipient}});
}

bool FakeAccounts::is_opted_out(std::string_view sender, std::string_view recipient) const {
    return opt_outs_.count({std::string{sender}, std::string{recipient}}) != 0;
}

std::string_view find_authorization(const HttpRequest& request) noexcept {
    if (!request.authorization.empty()) return request.authorization.reveal();
    for (const auto& [name, value] : request.headers) {
        if (detail::equals_ignoring_case(name, "Authorization")) return value;
    }
    return {};
}

std::int64_t day_of(TimePoint when) noexcept {
    return std::chrono::floor<std::chrono::days>(when).time_since_epoch().count();
}

}  // namespace twiliowa::testing::fake
