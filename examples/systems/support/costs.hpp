// What messages cost, and what they may cost in a month.
#pragma once

#include <string>

#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/outbox/outbox.hpp>

#include "settings.hpp"
#include "text.hpp"

namespace support {

/// Fills in prices and budget from the file and the amount, in its currency, that these settings
/// name; without a file there is neither.
inline void add_costs(twiliowa::SendingRulesOptions& rules, const char* prices,
                      const char* month_budget) {
    const auto file = setting(prices, "");
    if (file.empty()) return;
    rules.prices = twiliowa::PriceTable::from_csv(contents_of(file, prices)).value();
    const auto amount = setting(month_budget, "");
    if (amount.empty()) return;
    const auto currency = rules.prices.currencies().at(0);
    rules.budget = {{.limit = twiliowa::Money::parse(amount, currency, month_budget).value()}};
}

/// `NAME_spent_this_month` and `NAME_budget_used_ratio`, where there is a budget.
inline void add_budget_samples(twiliowa::MetricSamples& samples, const std::string& name,
                               const twiliowa::SendingRules& rules, twiliowa::Outbox& outbox) {
    for (const auto& month : rules.budgets(outbox).value()) {
        samples.gauge(name + "_spent_this_month", "In the currency of the prices.",
                      static_cast<double>(month.spent.micros()) / 1e6);
        samples.gauge(name + "_budget_used_ratio", "Of the month's budget.", month.used());
    }
}

}  // namespace support
