/// @file
/// What a webhook teaches the state: windows, opt-outs, and who is one customer.
#pragma once

#include <optional>

#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>
#include <twiliowa/webhook/per_account.hpp>

namespace twiliowa::detail {

/// The state that learns, of all accounts.
struct LearningState {
    PerAccount<const ConversationWindow> window = {};
    PerAccount<const OptOuts> opt_outs = {};
    PerAccount<const Customers> customers = {};

    /// Whether nothing learns.
    bool empty() const noexcept { return window.empty() && opt_outs.empty() && customers.empty(); }
};

/// Writes down what the event says, and marks a message that the opt-outs took for a stop. A store
/// that fails stops the event, to be repeated; an address that the state cannot read does not.
std::optional<Error> learn_event(const LearningState& state, WebhookEvent& event, TimePoint now);

}  // namespace twiliowa::detail
