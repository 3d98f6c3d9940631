#include "testing/fake_twilio/world/accounts.hpp"

#include <algorithm>
#include <utility>

#include "testing/fake_twilio/world/address.hpp"
#include "testing/fake_twilio/world/ids.hpp"

namespace twiliowa::testing::fake {

Balance FakeAccount::reported_balance() const {
    return {.account_sid = AccountSid::from_wire(sid),
            .balance = balance.empty() ? "100.00" : balance,
            .currency = currency.empty() ? "USD" : currency};
}

bool FakeAccount::has_sender(std::string_view address) const {
    return std::find(senders.begin(), senders.end(), address) != senders.end();
}

ChannelSender FakeAccount::sender_record(std::string_view address) const {
    if (const auto said = sender_records.find(address); said != sender_records.end()) {
        return said->second;
    }
    // FNV-1a: the same sender has the same SID at every start.
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : sid + std::string{address}) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    ChannelSender sender;
    sender.sid = ChannelSenderSid{FakeIds{hash}.next("XE")};
    sender.status = ChannelSenderStatus{ChannelSenderStatus::online};
    sender.sender_id = address;
    sender.display_name = "FakeTwilio";
    sender.quality_rating = "HIGH";
    sender.messaging_limit = "10K Customers/24hr";
    return sender;
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

FakeAccount* FakeAccounts::open(std::string_view name, std::string_view secret) {
    if (auto* account = find(name)) return account->auth_token == secret ? account : nullptr;
    for (auto& [sid, account] : accounts_) {
        const auto key = account.api_keys.find(name);
        if (key != account.api_keys.end() && key->second == secret) return &account;
    }
    return nullptr;
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

std::string_view pick_sender(const FakeAccount& account, std::string_view service_sid,
                             std::string_view to) {
    const auto service = account.services.find(service_sid);
    if (service == account.services.end()) return {};
    const auto& pool = service->second;
    const auto found = std::find_if(pool.begin(), pool.end(), [&](const std::string& sender) {
        return is_whatsapp(sender) == is_whatsapp(to);
    });
    return found == pool.end() ? std::string_view{} : std::string_view{*found};
}

std::int64_t day_of(TimePoint when) noexcept {
    return std::chrono::floor<std::chrono::days>(when).time_since_epoch().count();
}

}  // namespace twiliowa::testing::fake
