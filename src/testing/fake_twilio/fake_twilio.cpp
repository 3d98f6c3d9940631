// FakeTwilio set up and told what to do. state.hpp says where its other members are.
#include <twiliowa/testing/fake_twilio.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <utility>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/types/sid.hpp>

#include "testing/fake_twilio/messages/inbound.hpp"
#include "testing/fake_twilio/messages/lifecycle.hpp"
#include "testing/fake_twilio/state.hpp"
#include "testing/fake_twilio/world/address.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa::testing {

namespace {

using fake::FakeAccount;

FakeAccount& require_account(fake::FakeWorld& world, std::string_view sid) {
    auto* account = world.accounts.find(sid);
    if (account == nullptr) {
        Error::invalid_request("AccountSid", "is not an account of this FakeTwilio",
                               "call add_account first")
            .raise();
    }
    return *account;
}

void require_text(std::string_view field, std::string_view text) {
    if (text.empty()) Error::invalid_request(field, "is empty").raise();
}

void require_method(std::string_view field, std::string_view method) {
    if (method == "POST" || method == "GET") return;
    Error::invalid_request(field, "is neither POST nor GET").raise();
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
        Error::invalid_request("owner", "is a subaccount itself", "name a main account").raise();
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

void FakeTwilio::set_sender(std::string_view account_sid, ChannelSender sender) {
    const std::lock_guard lock{state_->mutex};
    auto& account = require_account(state_->world, account_sid);
    if (!account.has_sender(sender.sender_id)) {
        Error::invalid_request("sender_id", "is none of the account's senders",
                               "add_sender adds it; whatsapp:+<country code><number>")
            .raise();
    }
    const auto before = account.sender_record(sender.sender_id);
    if (sender.sid.empty()) sender.sid = before.sid;
    auto& since = sender.pending_display_name_status_date;
    if (sender.pending_display_name_status.empty()) {
        since.reset();
    } else if (sender.pending_display_name_status != before.pending_display_name_status) {
        if (!since || since == before.pending_display_name_status_date)
            since = state_->clock->now();
    } else if (!since) {
        since = before.pending_display_name_status_date;
    }
    auto address = sender.sender_id;
    account.sender_records.insert_or_assign(std::move(address), std::move(sender));
    ++state_->world.revision;
}

void FakeTwilio::set_account_status(std::string_view account_sid, std::string_view status) {
    require_text("status", status);
    const std::lock_guard lock{state_->mutex};
    require_account(state_->world, account_sid).status = status;
    ++state_->world.revision;
}

void FakeTwilio::set_balance(std::string_view account_sid, std::string_view amount,
                             std::string_view currency) {
    require_text("amount", amount);
    require_text("currency", currency);
    const std::lock_guard lock{state_->mutex};
    auto& account = require_account(state_->world, account_sid);
    account.balance = amount;
    account.currency = currency;
    ++state_->world.revision;
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
    added.category = content.category;
    added.content = std::move(content);
    account.put_template(std::move(added));
    ++state_->world.revision;
    return sid;
}

void FakeTwilio::set_approval(std::string_view content_sid, std::string_view status,
                              std::string_view reason) {
    constexpr std::array<std::string_view, 4> decisions{"approved", "rejected", "paused",
                                                        "disabled"};
    if (std::find(decisions.begin(), decisions.end(), status) == decisions.end()) {
        Error::invalid_request("status", "is none of approved, rejected, paused, disabled").raise();
    }
    const std::lock_guard lock{state_->mutex};
    for (const auto& [sid, unused] : std::as_const(state_->world).accounts.all()) {
        auto* entry = state_->world.accounts.find(sid)->find_template(content_sid);
        if (entry == nullptr) continue;
        if (entry->content.approval == "unsubmitted") {
            Error::invalid_request("content_sid", "was not submitted", "submit it first").raise();
        }
        entry->content.approval = status;
        entry->rejection_reason = status == "rejected" ? reason : std::string_view{};
        entry->updated = state_->clock->now();
        ++state_->world.revision;
        return;
    }
    Error::invalid_request("content_sid", "is no template of this FakeTwilio").raise();
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
        Error::invalid_request("AccountSid", "is missing: this FakeTwilio has no account",
                               "call add_account or add_demo_account first")
            .raise();
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

// ---- What Twilio shows late, or not at all.

void FakeTwilio::set_list_lag(std::chrono::milliseconds lag) {
    detail::require_duration("lag", lag, std::chrono::milliseconds{0});
    const std::lock_guard lock{state_->mutex};
    state_->world.list_lag = lag;
    ++state_->world.revision;
}

void FakeTwilio::set_scheduled_in_lists(bool shown) {
    const std::lock_guard lock{state_->mutex};
    state_->world.hides_scheduled = !shown;
    ++state_->world.revision;
}

void FakeTwilio::set_prices(const FakePrices& prices) {
    detail::require_duration("delay", prices.delay, std::chrono::milliseconds{0});
    if (!(prices.never >= 0.0 && prices.never <= 1.0)) {
        Error::invalid_request("never", "is not from 0 to 1").raise();
    }
    const std::lock_guard lock{state_->mutex};
    state_->world.prices = prices;
    ++state_->world.revision;
}

// ---- The customer's side.

std::string FakeTwilio::receive(FakeInbound message) {
    std::string sid;
    fake::FakeRefusal problem;
    {
        const std::lock_guard lock{state_->mutex};
        const auto* account = state_->world.accounts.first();
        if (message.to.empty() && account != nullptr && !account->senders.empty()) {
            message.to = account->senders.front();
        }
        // A bare number is on its partner's channel.
        if (message.to.find(':') != std::string::npos)
            message.from = fake::on_whatsapp(message.from);
        problem = fake::receive_message(state_->world, message, state_->moment(), sid);
    }
    if (problem) Error::invalid_request("To", "is not a sender of this FakeTwilio").raise();
    state_->notify();
    return sid;
}

FakeCustomer FakeTwilio::customer(std::string_view number, std::string_view sender) {
    std::string to{sender};
    if (to.empty()) {
        const std::lock_guard lock{state_->mutex};
        const auto* account = state_->world.accounts.first();
        if (account != nullptr && !account->senders.empty()) to = account->senders.front();
    }
    FakeCustomer named{*this, std::string{number}, std::move(to)};
    const std::lock_guard lock{state_->mutex};
    auto& phones = state_->world.phones;
    const auto owner = phones.owner_of(named.address());
    // Who is named by an id has it.
    if (fake::is_whatsapp(owner) && fake::is_user_id(fake::identity_of(owner))) phones.phone(owner);
    return owner == named.address() ? named : FakeCustomer{*this, owner, named.sender()};
}

void FakeTwilio::set_sandbox(std::string_view sender, std::string_view code) {
    require_text("code", code);
    const std::lock_guard lock{state_->mutex};
    state_->world.sandboxes[std::string{sender}] = code;
}

// ---- Making Twilio say no.

void FakeTwilio::opt_out(std::string_view sender, std::string_view recipient) {
    const std::lock_guard lock{state_->mutex};
    state_->world.accounts.opt_out(sender, state_->world.phones.owner_of(recipient));
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
    for (const auto& number : verified) limits.verified.emplace(fake::identity_of(number));
}

void FakeTwilio::end_trial(std::string_view account_sid) {
    const std::lock_guard lock{state_->mutex};
    require_account(state_->world, account_sid).limits.trial = false;
}

void FakeTwilio::set_message_rate(double messages_per_second) {
    if (!(messages_per_second >= 0)) {
        Error::invalid_request("messages_per_second", "is below zero").raise();
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

// ---- Moving messages.

void FakeTwilio::set_status(std::string_view message_sid, std::string_view status, int error_code) {
    {
        const std::lock_guard lock{state_->mutex};
        auto* message = state_->world.store.find(message_sid);
        if (message == nullptr) {
            Error::invalid_request("MessageSid", "is not a message of this FakeTwilio").raise();
        }
        fake::move_message(state_->world, *message, status, error_code, state_->moment());
    }
    state_->notify();
}

}  // namespace twiliowa::testing
