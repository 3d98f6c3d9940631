#include "webhook_handler/learned_state.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include <twiliowa/types/address.hpp>
#include <twiliowa/types/sender.hpp>
#include <twiliowa/types/sid.hpp>

namespace twiliowa::detail {

namespace {

/// A callback does not say when its message was sent. What the customer wrote in this time before
/// it counts as later than the refusal it reports: a reply refused here for no reason is worse than
/// one more refusal by WhatsApp.
constexpr std::chrono::minutes longest_way_back{15};

/// What there is to learn from, of one account.
struct AccountState {
    std::shared_ptr<const ConversationWindow> window = {};
    std::shared_ptr<const OptOuts> opt_outs = {};
    std::shared_ptr<const Customers> customers = {};
};

/// Asking for it can fail like the store behind it.
template <class State>
Result<std::shared_ptr<State>> state_of(const PerAccount<State>& states, const AccountSid& account,
                                        std::string_view option) {
    try {
        return states.of(account.str());
    } catch (const TwilioError& error) {
        return error.error();
    } catch (...) {
        return store_error("is not known: the function in WebhookOptions::" + std::string{option} +
                           " threw an exception");
    }
}

Result<AccountState> account_state(const LearningState& state, const AccountSid& account) {
    auto window = state_of(state.window, account, "window");
    if (!window) return window.error();
    auto opt_outs = state_of(state.opt_outs, account, "opt_outs");
    if (!opt_outs) return opt_outs.error();
    auto customers = state_of(state.customers, account, "customers");
    if (!customers) return customers.error();
    return AccountState{std::move(*window), std::move(*opt_outs), std::move(*customers)};
}

/// Your side of an event: its address and its messaging service, each empty where it is not named
/// or not to be read.
std::array<Sender, 2> senders_of(std::string_view address, const std::string& service) {
    return {Sender{Address::from_wire(address)}, Sender{MessagingServiceSid::from_wire(service)}};
}

/// Remembers the failure of a store.
class StoreFailure {
public:
    template <class Value>
    bool note(const Result<Value>& result) {
        if (!result && is_store_error(result.error())) failure_ = result.error();
        return result.has_value();
    }
    bool occurred() const noexcept { return failure_.has_value(); }
    std::optional<Error> take() && { return std::move(failure_); }

private:
    std::optional<Error> failure_;
};

/// The addresses of one customer that an event names.
using NamedAddresses = std::array<Address, 3>;
NamedAddresses named_addresses(const Address& customer, const std::string& user_id,
                               const std::string& parent_user_id) {
    return {customer, Address::from_wire(user_id), Address::from_wire(parent_user_id)};
}

std::optional<Error> learn_message(const AccountState& state, InboundMessage& message,
                                   TimePoint now) {
    StoreFailure failure;
    const auto customer = Address::from_wire(message.from);
    if (customer.empty()) return std::nullopt;
    const auto named =
        named_addresses(customer, message.external_user_id, message.parent_external_user_id);
    for (const auto& sender : senders_of(message.to, message.messaging_service_sid)) {
        if (sender.empty()) continue;
        // First, or nothing: what is written down next may already be another's.
        if (state.customers) failure.note(state.customers->learn(sender, named, now));
        if (failure.occurred()) break;
        if (state.window && customer.channel() == Address::Channel::whatsapp) {
            failure.note(state.window->record_inbound(sender, customer, now));
        }
        if (!state.opt_outs) continue;
        const auto meant = state.opt_outs->learn_inbound(
            sender, customer, message.opt_out_type.str(), message.body, now);
        if (failure.note(meant) && *meant == OptOutNews::opted_out) message.taken_for_stop = true;
    }
    return std::move(failure).take();
}

std::optional<Error> learn_status(const AccountState& state, const StatusCallback& callback,
                                  TimePoint now) {
    StoreFailure failure;
    const auto customer = Address::from_wire(callback.to);
    if (customer.empty()) return std::nullopt;
    const auto sent_at = now - longest_way_back;
    const auto named =
        named_addresses(customer, callback.external_user_id, callback.parent_external_user_id);
    for (const auto& sender : senders_of(callback.from, callback.messaging_service_sid)) {
        if (sender.empty()) continue;
        if (state.customers) failure.note(state.customers->learn(sender, named, now));
        if (failure.occurred()) break;
        const int code = callback.error_code;
        if (state.window) {
            failure.note(state.window->learn_error(sender, customer, code, sent_at));
        }
        if (state.opt_outs) {
            failure.note(state.opt_outs->learn_error(sender, customer, code, sent_at));
        }
    }
    return std::move(failure).take();
}

}  // namespace

std::optional<Error> learn_event(const LearningState& state, WebhookEvent& event, TimePoint now) {
    auto* message = std::get_if<InboundMessage>(&event);
    const auto* callback = std::get_if<StatusCallback>(&event);
    if (message == nullptr && callback == nullptr) return std::nullopt;
    const auto& account = message != nullptr ? message->account_sid : callback->account_sid;
    const auto known = account_state(state, account);
    if (!known) return known.error();
    if (!known->window && !known->opt_outs && !known->customers) return std::nullopt;
    return message != nullptr ? learn_message(*known, *message, now)
                              : learn_status(*known, *callback, now);
}

}  // namespace twiliowa::detail
