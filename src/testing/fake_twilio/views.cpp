// FakeTwilio looked at: what it knows, and what it has logged. Nothing here changes anything.
#include <twiliowa/testing/fake_twilio.hpp>

#include <mutex>
#include <utility>

#include "testing/fake_twilio/api/senders_api.hpp"
#include "testing/fake_twilio/state.hpp"
#include "testing/fake_twilio/webhooks/message_fields.hpp"

namespace twiliowa::testing {

namespace {

/// The account, the first one when none is named; null if there is no such one.
const fake::FakeAccount* viewed_account(const fake::FakeWorld& world, std::string_view sid) {
    return sid.empty() ? world.accounts.first() : world.accounts.find(sid);
}

}  // namespace

FakeFaultPlan FakeTwilio::faults() const {
    const std::lock_guard lock{state_->mutex};
    const auto& faults = state_->world.faults;
    return {{faults.next.begin(), faults.next.end()},
            {faults.rates.begin(), faults.rates.end()},
            faults.webhooks};
}

std::chrono::milliseconds FakeTwilio::list_lag() const {
    const std::lock_guard lock{state_->mutex};
    return state_->world.list_lag;
}

bool FakeTwilio::scheduled_in_lists() const {
    const std::lock_guard lock{state_->mutex};
    return !state_->world.hides_scheduled;
}

FakePrices FakeTwilio::prices() const {
    const std::lock_guard lock{state_->mutex};
    return state_->world.prices;
}

std::vector<Message> FakeTwilio::messages(std::string_view account_sid) const {
    const std::lock_guard lock{state_->mutex};
    const auto* first = state_->world.accounts.first();
    if (account_sid.empty() && first != nullptr) account_sid = first->sid;
    std::vector<Message> records;
    const auto& all = state_->world.store.all();
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
        const auto& record = it->second.record;
        if (record.account_sid == account_sid) records.push_back(record);
    }
    return records;
}

std::optional<Message> FakeTwilio::message(std::string_view message_sid) const {
    const std::lock_guard lock{state_->mutex};
    const auto* found = state_->world.store.find(message_sid);
    if (found == nullptr) return std::nullopt;
    return found->record;
}

std::vector<std::pair<std::string, std::string>> FakeTwilio::parameters(
    std::string_view message_sid) const {
    const std::lock_guard lock{state_->mutex};
    const auto* found = state_->world.store.find(message_sid);
    if (found == nullptr) return {};
    return found->parameters.entries();
}

std::vector<std::string> FakeTwilio::senders(std::string_view account_sid) const {
    const std::lock_guard lock{state_->mutex};
    const auto* account = viewed_account(state_->world, account_sid);
    return account == nullptr ? std::vector<std::string>{} : account->senders;
}

std::vector<std::string> FakeTwilio::subaccounts(std::string_view owner) const {
    const std::lock_guard lock{state_->mutex};
    const auto& accounts = state_->world.accounts;
    const auto* first = accounts.first();
    if (owner.empty() && first != nullptr) owner = first->sid;
    std::vector<std::string> owned;
    for (const auto& [sid, account] : accounts.all()) {
        if (!account.owner.empty() && account.owner == owner) owned.push_back(sid);
    }
    return owned;
}

std::vector<FakeTemplateView> FakeTwilio::templates(std::string_view account_sid) const {
    const std::lock_guard lock{state_->mutex};
    std::vector<FakeTemplateView> all;
    const auto* account = viewed_account(state_->world, account_sid);
    if (account == nullptr) return all;
    for (const auto& [place, entry] : account->contents) {
        all.push_back({.content = entry.content,
                       .approval_name = entry.name,
                       .rejection_reason = entry.rejection_reason});
        all.back().content.category = entry.category;
    }
    return all;
}

std::vector<ChannelSender> FakeTwilio::channel_senders(std::string_view account_sid) const {
    const std::lock_guard lock{state_->mutex};
    const auto* account = viewed_account(state_->world, account_sid);
    return account == nullptr ? std::vector<ChannelSender>{}
                              : fake::whatsapp_senders(state_->world, *account);
}

std::string FakeTwilio::account_status(std::string_view account_sid) const {
    const std::lock_guard lock{state_->mutex};
    const auto* account = viewed_account(state_->world, account_sid);
    return account == nullptr ? std::string{} : std::string{account->reported_status()};
}

Balance FakeTwilio::balance(std::string_view account_sid) const {
    const std::lock_guard lock{state_->mutex};
    const auto* account = viewed_account(state_->world, account_sid);
    const bool has_one = account != nullptr && account->owner.empty();
    return has_one ? account->reported_balance() : Balance{};
}

std::vector<FakeChatView> FakeTwilio::chats() const {
    const std::lock_guard lock{state_->mutex};
    const auto& world = state_->world;
    const auto now = state_->clock->now();
    std::vector<FakeChatView> views;
    for (const auto& [key, chat] : world.phones.chats()) {
        FakeChatView view;
        view.sender = key.first;
        view.customer = key.second;
        view.profile_name = fake::FakePhone{}.name;
        if (const auto* phone = world.phones.find_phone(view.customer)) {
            view.profile_name = phone->name;
            view.has_whatsapp = phone->without_whatsapp == 0;
            view.hides_number = phone->hides_number;
            view.parent_user_id = phone->parent_user_id;
        }
        view.user_id = world.phones.user_id_of(view.customer);
        view.known_as = fake::known_as(world, view.sender, view.customer);
        view.window_is_open = fake::is_window_open(&chat, now);
        view.sees_typing = fake::is_typing(&chat, now);
        view.blocks = chat.blocked != 0;
        view.reads_at_once = chat.reads_at_once;
        view.opted_out = world.accounts.is_opted_out(view.sender, view.customer);
        views.push_back(std::move(view));
    }
    return views;
}

std::string FakeTwilio::customer_address(std::string_view address) const {
    const std::lock_guard lock{state_->mutex};
    return state_->world.phones.owner_of(address);
}

std::optional<FakeFile> FakeTwilio::file(std::string_view message_sid,
                                         std::string_view media_sid) const {
    const std::lock_guard lock{state_->mutex};
    const auto* message = std::as_const(state_->world).store.find(message_sid);
    if (message == nullptr) return std::nullopt;
    for (const auto& [place, medium] : message->media) {
        const auto bytes = message->files.find(medium.sid.str());
        if (medium.sid.str() == media_sid && bytes != message->files.end()) {
            return FakeFile{medium.content_type, bytes->second};
        }
    }
    return std::nullopt;
}

std::string FakeTwilio::webhook(std::string_view owner) const {
    const std::lock_guard lock{state_->mutex};
    const auto& hooks = state_->world.hooks.inbound;
    const auto found = hooks.find(owner);
    return found == hooks.end() ? std::string{} : found->second;
}

FakeWebhookOptions FakeTwilio::webhook_options(std::string_view owner) const {
    const std::lock_guard lock{state_->mutex};
    const auto& options = state_->world.hooks.inbound_options;
    const auto found = options.find(owner);
    return found == options.end() ? FakeWebhookOptions{} : found->second;
}

std::size_t FakeTwilio::request_count() const {
    const std::lock_guard lock{state_->mutex};
    return state_->api.request_count();
}

std::shared_ptr<Clock> FakeTwilio::clock() const {
    return state_->clock;
}

std::vector<FakeRequestRecord> FakeTwilio::requests(std::uint64_t after) const {
    const std::lock_guard lock{state_->mutex};
    std::vector<FakeRequestRecord> records;
    for (const auto& record : state_->world.requests.all()) {
        if (record.number > after) records.push_back(record);
    }
    return records;
}

std::vector<FakeWebhookRecord> FakeTwilio::webhooks(std::uint64_t after) const {
    const std::lock_guard lock{state_->mutex};
    std::vector<FakeWebhookRecord> records;
    for (const auto& record : state_->world.webhooks.all()) {
        if (record.webhook.number > after) records.push_back(record);
    }
    return records;
}

std::uint64_t FakeTwilio::revision() const {
    const std::lock_guard lock{state_->mutex};
    return state_->world.revision;
}

FakeBubble FakeTwilio::bubble(std::string_view message_sid) const {
    const std::lock_guard lock{state_->mutex};
    const auto* found = state_->world.store.find(message_sid);
    return found == nullptr ? FakeBubble{} : found->bubble;
}

}  // namespace twiliowa::testing
