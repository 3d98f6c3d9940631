#include <twiliowa/testing/fake_twilio.hpp>

#include <map>
#include <mutex>
#include <utility>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/types/sid.hpp>

#include "testing/fake_twilio/messages/lifecycle.hpp"
#include "testing/fake_twilio/state.hpp"

namespace twiliowa::testing {

namespace {

using fake::FakeAccount;

[[noreturn]] void refuse_setup(std::string field, std::string problem, std::string hint) {
    Error::invalid_request(std::move(field), std::move(problem), std::move(hint)).raise();
}

FakeAccount& require_account(fake::FakeWorld& world, std::string_view sid) {
    auto* account = world.accounts.find(sid);
    if (account == nullptr) {
        refuse_setup("AccountSid", "is not an account of this FakeTwilio",
                     "call add_account first");
    }
    return *account;
}

void require_text(std::string field, std::string_view text) {
    if (text.empty()) refuse_setup(std::move(field), "is empty", {});
}

void require_method(std::string field, std::string_view method) {
    if (method == "POST" || method == "GET") return;
    refuse_setup(std::move(field), "is neither POST nor GET", {});
}

/// `whatsapp:+1...` and `+1...` are the same number to a trial account.
std::string_view without_channel(std::string_view address) noexcept {
    const auto colon = address.find(':');
    return colon == std::string_view::npos ? address : address.substr(colon + 1);
}

void set_hook(std::map<std::string, std::string, std::less<>>& hooks, std::string_view owner,
              std::string_view url) {
    hooks[std::string{owner}] = url;
    if (url.empty()) hooks.erase(std::string{owner});
}

}  // namespace

FakeTwilio::FakeTwilio(FakeTwilioOptions options)
    : state_(std::make_unique<State>(std::move(options))) {
    state_->life->state = state_.get();
}

FakeTwilio::~FakeTwilio() {
    {
        const std::lock_guard lock{state_->mutex};
        state_->closing = true;
    }
    run_until_idle();
    const std::lock_guard lock{state_->life->mutex};
    state_->life->state = nullptr;
}

std::shared_ptr<FakeTwilio> FakeTwilio::with_account(FakeTwilioOptions options) {
    auto fake = std::make_shared<FakeTwilio>(std::move(options));
    fake->add_demo_account();
    return fake;
}

void FakeTwilio::add_demo_account(std::string_view account_sid, std::string_view auth_token) {
    add_account(account_sid, auth_token);
    add_messaging_service(account_sid, demo_messaging_service_sid, {std::string{demo_sender}});
    add_demo_content(account_sid);
}

void FakeTwilio::add_demo_content(std::string_view account_sid) {
    FakeContent content;
    content.sid = demo_content_sid;
    content.friendly_name = "order_on_its_way";
    content.body = "Hi {{1}}, your order {{2}} is on its way";
    content.variables = {{"1", "there"}, {"2", "0000"}};
    add_content(account_sid, std::move(content));
}

// ---- Setting up.

void FakeTwilio::add_account(std::string_view account_sid, std::string_view auth_token) {
    const AccountSid checked{account_sid};
    require_text("AuthToken", auth_token);
    const std::lock_guard lock{state_->mutex};
    state_->world.accounts.add(checked.str()).auth_token = auth_token;
}

void FakeTwilio::add_subaccount(std::string_view account_sid, std::string_view auth_token,
                                std::string_view owner) {
    const AccountSid checked{account_sid};
    require_text("AuthToken", auth_token);
    const std::lock_guard lock{state_->mutex};
    auto& accounts = state_->world.accounts;
    const auto* first = accounts.first();
    const auto& main = require_account(
        state_->world, owner.empty() && first != nullptr ? std::string_view{first->sid} : owner);
    if (!main.owner.empty() || main.sid == checked.str()) {
        refuse_setup("owner", "is a subaccount itself", "name a main account");
    }
    const auto owner_sid = main.sid;
    auto& added = accounts.add(checked.str());
    added.auth_token = auth_token;
    added.owner = owner_sid;
}

void FakeTwilio::add_api_key(std::string_view account_sid, std::string_view key_sid,
                             std::string_view secret) {
    const ApiKeySid checked{key_sid};
    require_text("ApiKeySecret", secret);
    const std::lock_guard lock{state_->mutex};
    require_account(state_->world, account_sid).api_keys[checked.str()] = secret;
}

void FakeTwilio::add_sender(std::string_view account_sid, std::string_view address) {
    require_text("From", address);
    const std::lock_guard lock{state_->mutex};
    require_account(state_->world, account_sid).add_sender(address);
}

void FakeTwilio::add_messaging_service(std::string_view account_sid, std::string_view service_sid,
                                       const std::vector<std::string>& senders) {
    const MessagingServiceSid checked{service_sid};
    for (const auto& sender : senders) require_text("From", sender);
    const std::lock_guard lock{state_->mutex};
    auto& account = require_account(state_->world, account_sid);
    account.services[checked.str()] = senders;
    for (const auto& sender : senders) account.add_sender(sender);
}

std::string FakeTwilio::add_content(std::string_view account_sid, FakeContent content) {
    if (!content.sid.empty()) content.sid = ContentSid{content.sid}.str();
    const std::lock_guard lock{state_->mutex};
    auto& account = require_account(state_->world, account_sid);
    if (content.sid.empty()) content.sid = state_->world.ids.next("HX");
    std::string sid = content.sid;
    fake::FakeTemplate added;
    added.created = added.updated = state_->clock->now();
    added.name = content.friendly_name;
    added.category = "UTILITY";
    added.content = std::move(content);
    account.put_template(std::move(added));
    return sid;
}

std::string FakeTwilio::add_content(FakeContent content) {
    return add_content(credentials().account_sid().str(), std::move(content));
}

Credentials FakeTwilio::credentials(std::string_view account_sid) const {
    const std::lock_guard lock{state_->mutex};
    if (!account_sid.empty()) {
        const auto& wanted = require_account(state_->world, account_sid);
        return Credentials::auth_token(wanted.sid, wanted.auth_token);
    }
    const auto* account = state_->world.accounts.first();
    if (account == nullptr) {
        refuse_setup("AccountSid", "is missing: this FakeTwilio has no account",
                     "call add_account or add_demo_account first");
    }
    return Credentials::auth_token(account->sid, account->auth_token);
}

ClientOptions FakeTwilio::client_options() {
    ClientOptions options;
    options.transport = weak_from_this().lock();
    if (!options.transport) {
        options.transport = std::shared_ptr<HttpTransport>{this, [](HttpTransport*) {}};
    }
    options.clock = state_->clock;
    options.random = [] { return 0.5; };
    const std::lock_guard lock{state_->mutex};
    const auto* account = state_->world.accounts.first();
    if (account != nullptr && !account->senders.empty()) options.from = account->senders.front();
    return options;
}

// ---- Webhooks and faults.

void FakeTwilio::set_webhook(std::string_view owner, std::string_view url,
                             FakeWebhookOptions options) {
    require_text("owner", owner);
    require_method("method", options.method);
    require_method("fallback_method", options.fallback_method);
    const std::lock_guard lock{state_->mutex};
    auto& hooks = state_->world.hooks;
    set_hook(hooks.inbound, owner, url);
    hooks.inbound_options[std::string{owner}] = std::move(options);
    if (url.empty()) hooks.inbound_options.erase(std::string{owner});
}

void FakeTwilio::set_status_callback(std::string_view owner, std::string_view url) {
    require_text("owner", owner);
    const std::lock_guard lock{state_->mutex};
    set_hook(state_->world.hooks.status, owner, url);
}

void FakeTwilio::connect_sink(std::string_view url, WebhookSink sink) {
    const auto account = credentials().account_sid().str();
    set_webhook(account, url);
    set_status_callback(account, url);
    on_webhook(std::move(sink));
}

void FakeTwilio::set_webhook_faults(const WebhookFaults& faults) {
    const std::lock_guard lock{state_->mutex};
    state_->world.faults.webhooks = faults;
}

void FakeTwilio::next_fault(Fault fault, int count) {
    const std::lock_guard lock{state_->mutex};
    for (int i = 0; i < count; ++i) state_->world.faults.next.push_back(fault);
}

void FakeTwilio::set_fault_rate(Fault fault, double probability) {
    const std::lock_guard lock{state_->mutex};
    state_->world.faults.rates[fault] = probability;
}

void FakeTwilio::seed_faults(std::uint64_t seed) {
    const std::lock_guard lock{state_->mutex};
    state_->world.dice = fake::FakeDice{seed};
}

void FakeTwilio::clear_faults() {
    const std::lock_guard lock{state_->mutex};
    state_->world.faults = {};
}

FakeFaultPlan FakeTwilio::faults() const {
    const std::lock_guard lock{state_->mutex};
    const auto& faults = state_->world.faults;
    return {{faults.next.begin(), faults.next.end()},
            {faults.rates.begin(), faults.rates.end()},
            faults.webhooks};
}

void FakeTwilio::set_sandbox(std::string_view sender, std::string_view code) {
    require_text("code", code);
    const std::lock_guard lock{state_->mutex};
    state_->world.sandboxes[std::string{sender}] = code;
}

// ---- Making Twilio say no.

void FakeTwilio::opt_out(std::string_view sender, std::string_view recipient) {
    const std::lock_guard lock{state_->mutex};
    state_->world.accounts.opt_out(sender, recipient);
}

void FakeTwilio::opt_in(std::string_view sender, std::string_view recipient) {
    const std::lock_guard lock{state_->mutex};
    state_->world.accounts.opt_in(sender, recipient);
}

void FakeTwilio::set_trial(std::string_view account_sid, const std::vector<std::string>& verified) {
    const std::lock_guard lock{state_->mutex};
    auto& limits = require_account(state_->world, account_sid).limits;
    limits.trial = true;
    limits.verified.clear();
    for (const auto& number : verified) limits.verified.emplace(without_channel(number));
}

void FakeTwilio::end_trial(std::string_view account_sid) {
    const std::lock_guard lock{state_->mutex};
    require_account(state_->world, account_sid).limits.trial = false;
}

void FakeTwilio::set_message_rate(double messages_per_second) {
    if (!(messages_per_second >= 0)) {
        refuse_setup("messages_per_second", "is below zero", {});
    }
    const std::lock_guard lock{state_->mutex};
    state_->world.messages_per_second = messages_per_second;
}

void FakeTwilio::set_daily_limit(std::string_view account_sid, std::optional<int> messages) {
    const std::lock_guard lock{state_->mutex};
    require_account(state_->world, account_sid).limits.daily_messages = messages;
}

void FakeTwilio::set_concurrency_limit(std::string_view account_sid, std::optional<int> requests) {
    const std::lock_guard lock{state_->mutex};
    require_account(state_->world, account_sid).limits.concurrent_requests = requests;
}

void FakeTwilio::throttle_next(std::string_view account_sid, int requests,
                               std::optional<std::chrono::seconds> retry_after) {
    const std::lock_guard lock{state_->mutex};
    auto& limits = require_account(state_->world, account_sid).limits;
    limits.throttled_requests = requests;
    limits.retry_after = retry_after;
}

// ---- Moving messages, and looking at them.

void FakeTwilio::set_status(std::string_view message_sid, std::string_view status, int error_code) {
    {
        const std::lock_guard lock{state_->mutex};
        auto* message = state_->world.store.find(message_sid);
        if (message == nullptr) {
            refuse_setup("MessageSid", "is not a message of this FakeTwilio", {});
        }
        fake::move_message(state_->world, *message, status, error_code, state_->moment());
    }
    state_->notify();
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
    const auto* account = account_sid.empty()
                              ? state_->world.accounts.first()
                              : std::as_const(state_->world).accounts.find(account_sid);
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
        }
        view.window_is_open = fake::is_window_open(&chat, now);
        view.sees_typing = fake::is_typing(&chat, now);
        view.blocks = chat.blocked;
        view.reads_at_once = chat.reads_at_once;
        view.opted_out = world.accounts.is_opted_out(view.sender, view.customer);
        views.push_back(std::move(view));
    }
    return views;
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
