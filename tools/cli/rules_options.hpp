/// @file
/// What a worker asks before it sends, as it is said on the command line: quiet hours, prices,
/// budgets, consents. Where the library was built without campaigns there are no such options.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <twiliowa/outbox/job_gate.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/observer.hpp>

#include "context.hpp"
#include "customer_state.hpp"

namespace CLI {
class App;
}
namespace twiliowa {
class SendingRules;
}

namespace cli {

struct RulesOptions {
    std::string prices = {};
    std::vector<std::string> budgets = {};
    std::string quiet_hours = {};
    std::string unknown_zone = {};
    bool marketing_needs_consent = false;
};

/// Declares --prices.
void add_prices_option(CLI::App& app, RulesOptions& options);
/// Declares it, and --quiet-hours and --time-zone-unknown.
void add_judging_options(CLI::App& app, RulesOptions& options);
/// Declares those, and --budget and --marketing-needs-consent.
void add_rules_options(CLI::App& app, RulesOptions& options);

/// @param state     what is known of customers
/// @param help      the command line that tells more
/// @param account   is asked for its templates, and how its senders stand. Null: nobody is.
/// @param observer  is told how far budgets are used up. May be null.
/// @throws Failure, TwilioError naming the option that is wrong.
std::shared_ptr<const twiliowa::SendingRules> rules_of(
    const RulesOptions& options, const CustomerState& state, const std::string& help,
    const Context* account = nullptr, std::shared_ptr<twiliowa::Observer> observer = {});
/// The same for a worker. Null where the library was built without campaigns.
std::shared_ptr<const twiliowa::JobGate> gate_of(const RulesOptions& options,
                                                 const CustomerState& state,
                                                 const std::string& help, const Context& account,
                                                 std::shared_ptr<twiliowa::Observer> observer);

/// Campaigns whose recipients all would be refused, since what they ask for was not said.
/// @throws InvalidRequestError naming the option that is missing, and the campaign.
void require_rules_of_campaigns(const std::shared_ptr<twiliowa::OutboxStorage>& storage,
                                const RulesOptions& options, const CustomerState& state);
/// `spring is paused: the budget ... is used up`, of each that was paused for a reason.
std::vector<std::string> paused_campaigns(twiliowa::OutboxStorage& storage);

}  // namespace cli
