#include "control.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include <twiliowa/types/error.hpp>

#include "order.hpp"
#include "state_json.hpp"

namespace emulator {

namespace {

using nlohmann::json;
using twiliowa::testing::FakeTwilio;

constexpr std::size_t most_faults = 100'000;  // ordered for the next requests

/// What a customer writes, with the parameters that the order gives it.
twiliowa::testing::FakeInbound inbound_of(const twiliowa::testing::FakeCustomer& customer,
                                          const json& order) {
    twiliowa::testing::FakeInbound message;
    message.from = customer.address();
    message.to = customer.sender();
    message.body = text_of(order, "text");
    message.parameters = parameters_of(order);
    return message;
}

bool holds(const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// Does what the customer does; returns the SID of the message, if it is one.
std::string act(FakeTwilio& fake, const std::vector<std::string>& senders, const json& order) {
    const auto sender = text_of(order, "sender");
    const auto customer =
        fake.customer(text_of(order, "customer"), sender.empty() ? senders.front() : sender);
    if (text_of(order, "customer").empty()) throw std::invalid_argument("customer is empty");
    if (!holds(senders, customer.sender())) {
        throw std::invalid_argument("sender is none of the account's");
    }
    const auto action = text_of(order, "action");
    const auto text = [&](const char* name) { return text_of(order, name); };
    if (action == "text" || action == "reply" || action == "media") {
        auto message = inbound_of(customer, order);
        if (action == "reply") message.reply_to = text("sid");
        if (action == "media") {
            message.media = bytes_of(order);
            message.media_type = content_type_of(order);
        }
        return fake.receive(std::move(message));
    }
    if (order.contains("parameters")) {
        throw std::invalid_argument("parameters go with text, reply and media");
    }
    if (action == "location") {
        return customer.sends_location(number_of(order, "latitude"), number_of(order, "longitude"),
                                       text("label"), text("address"));
    }
    if (action == "tap") return customer.taps(text("button"));
    if (action == "choose") return customer.chooses(text("item"));
    if (action == "flow") return customer.answers_flow(text("json"));
    if (action == "stop") return customer.stops();
    if (action == "start") return customer.starts_again();
    if (action == "join") return customer.joins(text("code"));
    if (action == "read") {
        customer.reads();
    } else if (action == "read_at_once") {
        customer.reads_at_once(flag_of(order, "on"));
    } else if (action == "block") {
        customer.blocks(flag_of(order, "on"));
    } else if (action == "whatsapp") {
        constexpr int usual = 63024;
        const int code =
            order.contains("error_code") ? count_of(order, "error_code", 30'001, 63'999) : usual;
        customer.has_whatsapp(flag_of(order, "on"), code);
    } else if (action == "hide_number") {
        customer.hides_number(flag_of(order, "on"));
    } else if (action == "forget_number") {
        customer.leaves_contact_book();
    } else if (action == "change_number") {
        customer.changes_number(text("number"));
    } else if (action == "user_id") {
        customer.has_user_id(text("user_id"), text("parent_user_id"));
    } else if (action == "name") {
        customer.named(text("text"));
    } else {
        throw std::invalid_argument("there is no action " + action);
    }
    return {};
}

std::vector<twiliowa::OfflineReason> offline_reasons_of(const json& order) {
    const auto reasons = order.find("offline_reasons");
    if (!reasons->is_array()) throw std::invalid_argument("offline_reasons is not a list");
    std::vector<twiliowa::OfflineReason> read;
    for (const auto& reason : *reasons) {
        if (!reason.is_object()) throw std::invalid_argument("an offline reason is not an object");
        require_known(reason, {"code", "message", "more_info"});
        read.push_back({.code = text_of(reason, "code"),
                        .message = text_of(reason, "message"),
                        .more_info = text_of(reason, "more_info")});
    }
    return read;
}

/// Puts into the sender what the order says of it.
void change_sender(twiliowa::ChannelSender& sender, const json& order) {
    const std::pair<const char*, std::string*> texts[]{
        {"quality_rating", &sender.quality_rating},
        {"messaging_limit", &sender.messaging_limit},
        {"friendly_name", &sender.friendly_name},
        {"display_name", &sender.display_name},
        {"waba_id", &sender.waba_id},
        {"callback_url", &sender.callback_url},
        {"status_callback_url", &sender.status_callback_url},
        {"pending_display_name", &sender.pending_display_name}};
    for (const auto& [name, text] : texts) {
        if (order.contains(name)) *text = text_of(order, name);
    }
    require_address("callback_url", sender.callback_url);
    require_address("status_callback_url", sender.status_callback_url);
    if (order.contains("status")) {
        if (text_of(order, "status").empty()) throw std::invalid_argument("status is empty");
        sender.status = twiliowa::ChannelSenderStatus{text_of(order, "status")};
    }
    if (order.contains("pending_display_name_status")) {
        sender.pending_display_name_status =
            twiliowa::DisplayNameStatus{text_of(order, "pending_display_name_status")};
    }
    if (order.contains("offline_reasons")) sender.offline_reasons = offline_reasons_of(order);
}

ControlAnswer refusal(const std::string& message) {
    return {400, json{{"message", message}}.dump(-1, ' ', false, json::error_handler_t::replace)};
}

}  // namespace

Control::Control(std::shared_ptr<FakeTwilio> fake, std::shared_ptr<ScaledClock> clock,
                 Runner& runner, Account account, std::uint64_t fault_seed)
    : fake_(std::move(fake)),
      clock_(std::move(clock)),
      runner_(&runner),
      account_(std::move(account)),
      fault_seed_(fault_seed) {}

std::optional<twiliowa::testing::FakeFile> Control::file(std::string_view message_sid,
                                                         std::string_view media_sid) const {
    return fake_->file(message_sid, media_sid);
}

std::vector<std::string> Control::accounts() const {
    auto all = fake_->subaccounts(account_.sid);
    all.insert(all.begin(), account_.sid);
    return all;
}

std::vector<std::string> Control::senders() const {
    std::vector<std::string> all;
    for (const auto& account : accounts()) {
        for (auto& sender : fake_->senders(account)) all.push_back(std::move(sender));
    }
    std::stable_partition(all.begin(), all.end(),
                          [this](const auto& sender) { return sender == account_.sender; });
    return all;
}

std::string Control::state(std::uint64_t requests_after, std::uint64_t webhooks_after) const {
    const std::lock_guard lock(showing_);
    const auto known = revision();
    return state_json({.fake = *fake_,
                       .revision = known,
                       .now = clock_->now(),
                       .accounts = accounts(),
                       .senders = senders(),
                       .fault_seed = fault_seed_},
                      requests_after, webhooks_after);
}

/// Orders faults of requests: the next ones', by chance, where chance starts, or none any more.
ControlAnswer Control::set_faults(const json& order) {
    if (order.contains("clear")) {
        if (flag_of(order, "clear")) fake_->clear_faults();
        return {};
    }
    if (order.contains("seed")) {
        const auto seed = seed_of(order["seed"]);
        fault_seed_ = seed;
        fake_->seed_faults(seed);
        if (!order.contains("fault")) return {};
    }
    const auto fault = fault_of(text_of(order, "fault"));
    if (order.contains("probability")) {
        fake_->set_fault_rate(fault, share_of(order, "probability"));
        return {};
    }
    const auto count = number_of(order, "count", 1);
    const auto room = most_faults - std::min(most_faults, fake_->faults().next.size());
    if (!(count >= 0 && count <= static_cast<double>(room))) {
        return refusal("count is out of range");
    }
    fake_->next_fault(fault, static_cast<int>(count));
    return {};
}

/// What makes the account say no. What the order leaves out stays as it is; null lifts a limit.
void Control::set_limits(const json& order) {
    require_known(order, {"daily_messages", "concurrent_requests", "messages_per_second", "trial",
                          "throttle", "retry_after"});
    // All of it is read before anything is done.
    const auto daily = limit_of(order, "daily_messages");
    const auto concurrent = limit_of(order, "concurrent_requests");
    const bool unlimited = order.value("messages_per_second", json()).is_null();
    const double rate = unlimited ? 0.0 : number_of(order, "messages_per_second");
    if (!(unlimited || (rate >= 0.001 && rate <= 1e6))) {
        throw std::invalid_argument("messages_per_second is not from 0.001 to 1000000");
    }
    const auto trial = order.value("trial", json());
    std::vector<std::string> verified;
    if (!trial.is_null() && !trial.is_array()) {
        throw std::invalid_argument("trial is not a list of numbers");
    }
    for (const auto& number : trial) {
        if (!number.is_string()) throw std::invalid_argument("trial is not a list of numbers");
        verified.push_back(number.get<std::string>());
    }
    const auto throttle = limit_of(order, "throttle");
    const auto retry_after = limit_of(order, "retry_after");

    if (order.contains("daily_messages")) fake_->set_daily_limit(account_.sid, daily);
    if (order.contains("concurrent_requests")) {
        fake_->set_concurrency_limit(account_.sid, concurrent);
    }
    if (order.contains("messages_per_second")) fake_->set_message_rate(rate);
    if (order.contains("trial") && trial.is_null()) fake_->end_trial(account_.sid);
    if (trial.is_array()) fake_->set_trial(account_.sid, verified);
    if (order.contains("throttle")) {
        fake_->throttle_next(
            account_.sid, throttle.value_or(0),
            retry_after ? std::optional{std::chrono::seconds{*retry_after}} : std::nullopt);
    }
}

/// What lists of messages show. What the order leaves out stays as it is.
void Control::set_lists(const json& order) {
    require_known(order, {"lag_seconds", "scheduled"});
    const bool scheduled =
        order.contains("scheduled") ? flag_of(order, "scheduled") : fake_->scheduled_in_lists();
    fake_->set_list_lag(seconds_of(order, "lag_seconds", fake_->list_lag()));
    fake_->set_scheduled_in_lists(scheduled);
}

/// When messages get their prices. What the order leaves out stays as it is.
void Control::set_prices(const json& order) {
    require_known(order, {"delay_seconds", "never"});
    auto prices = fake_->prices();
    prices.delay = seconds_of(order, "delay_seconds", prices.delay);
    prices.never = share_of(order, "never", prices.never);
    fake_->set_prices(prices);
}

void Control::set_webhook(const json& order) {
    const auto owner = text_of(order, "owner");
    if (!holds(accounts(), owner) && owner != FakeTwilio::demo_messaging_service_sid &&
        !holds(senders(), owner)) {
        throw std::invalid_argument(
            "owner is neither an account, nor its messaging service, nor one of its senders");
    }
    const auto url = text_of(order, "url");
    require_address("url", url);
    auto options = fake_->webhook_options(owner);
    for (const auto& [name, option] : {std::pair{"method", &options.method},
                                       {"fallback_url", &options.fallback_url},
                                       {"fallback_method", &options.fallback_method}}) {
        if (order.contains(name)) *option = text_of(order, name);
    }
    require_address("fallback_url", options.fallback_url);
    fake_->set_webhook(owner, url, std::move(options));
}

/// What the Senders API reports of one. What the order leaves out stays as it is.
void Control::set_sender(const json& order) {
    require_known(
        order, {"sender", "status", "quality_rating", "messaging_limit", "friendly_name",
                "display_name", "waba_id", "callback_url", "status_callback_url", "offline_reasons",
                "pending_display_name", "pending_display_name_status"});
    const auto wanted = order.contains("sender") ? text_of(order, "sender") : account_.sender;
    for (const auto& account : accounts()) {
        for (auto& sender : fake_->channel_senders(account)) {
            if (sender.sender_id != wanted) continue;
            change_sender(sender, order);
            fake_->set_sender(account, std::move(sender));
            return;
        }
    }
    throw std::invalid_argument("sender is none of the account's for WhatsApp");
}

/// What the Accounts API reports of one: the main one when none is named.
void Control::set_account(const json& order) {
    require_known(order, {"account", "status", "balance", "currency"});
    const auto account = order.contains("account") ? text_of(order, "account") : account_.sid;
    if (!holds(accounts(), account)) throw std::invalid_argument("account is none of these");
    auto balance = fake_->balance(account);
    if ((order.contains("balance") || order.contains("currency")) && balance.balance.empty()) {
        throw std::invalid_argument("account is a subaccount, which has no balance");
    }
    const auto status = order.contains("status") ? text_of(order, "status") : std::string{};
    if (order.contains("status") && status != "active" && status != "suspended" &&
        status != "closed") {
        throw std::invalid_argument("status is none of active, suspended, closed");
    }
    if (order.contains("balance")) balance.balance = text_of(order, "balance");
    if (order.contains("currency")) balance.currency = text_of(order, "currency");
    if (!balance.balance.empty()) {
        fake_->set_balance(account, balance.balance, balance.currency);
    }
    if (!status.empty()) fake_->set_account_status(account, status);
}

/// What WhatsApp decides about a template.
void Control::set_approval(const json& order) {
    require_known(order, {"template", "status", "reason"});
    fake_->set_approval(text_of(order, "template"), text_of(order, "status"),
                        text_of(order, "reason"));
}

ControlAnswer Control::post(std::string_view path, const std::string& body) {
    const auto order = parse_order(body);
    if (!order.is_object()) return refusal("the body is not a JSON object");
    auto answer = obey(path, order);
    if (answer.status < 300) ++moves_;
    return answer;
}

ControlAnswer Control::obey(std::string_view path, const json& order) {
    try {
        if (path == "customer") {
            const auto sid = act(*fake_, senders(), order);
            return {200, sid.empty() ? "{}" : json{{"sid", sid}}.dump()};
        }
        if (path == "fault") return set_faults(order);
        if (path == "webhook_faults") {
            auto faults = fake_->faults().webhooks;
            faults.dropped = share_of(order, "dropped", faults.dropped);
            faults.doubled = share_of(order, "doubled", faults.doubled);
            faults.late = share_of(order, "late", faults.late);
            faults.reordered = share_of(order, "reordered", faults.reordered);
            fake_->set_webhook_faults(faults);
            return {};
        }
        if (path == "webhook") {
            set_webhook(order);
            return {};
        }
        if (path == "sender") {
            set_sender(order);
            return {};
        }
        if (path == "account") {
            set_account(order);
            return {};
        }
        if (path == "approval") {
            set_approval(order);
            return {};
        }
        if (path == "limits") {
            set_limits(order);
            return {};
        }
        if (path == "lists") {
            set_lists(order);
            return {};
        }
        if (path == "prices") {
            set_prices(order);
            return {};
        }
        if (path == "clock") {
            const auto seconds = number_of(order, "advance_seconds");
            const std::chrono::duration<double> left = ScaledClock::end - clock_->now();
            if (!(seconds >= 0 && seconds <= left.count())) {
                return refusal("advance_seconds is not from 0 to the end of the year 2199");
            }
            runner_->advance(std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::duration<double>{seconds}));
            return {};
        }
    } catch (const twiliowa::TwilioError& error) {
        return refusal(error.what());
    } catch (const std::exception& error) {
        return refusal(error.what());
    }
    return {404, R"({"message":"there is no such thing to post to"})"};
}

}  // namespace emulator
