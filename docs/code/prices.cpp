// What docs/prices.md shows.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <twiliowa/campaign/price_table.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

// [estimate]
/// What a template costs for all of them.
wa::Money cost_of(const wa::PriceTable& prices, const std::vector<wa::Address>& recipients) {
    wa::Money total;
    for (const auto& recipient : recipients) {
        const auto price =
            prices.estimate(recipient, wa::TemplateCategory{wa::TemplateCategory::marketing});
        total = total.plus(price.value()).value();
    }
    return total;
}
// [estimate]

// [settle]
/// What a message cost in the end; nothing until Twilio knows it.
wa::Money paid(const wa::Message& message) {
    if (message.price.empty()) return {};
    return wa::Money::parse(message.price, message.price_unit).value().times(-1).value();
}
// [settle]

}  // namespace

int main() {
    // [table]
    const auto prices = wa::PriceTable::from_csv(
        "country,category,channel,price,currency\n"
        "GB,MARKETING,whatsapp,0.0529,USD\n"
        "+44,,sms,0.04,USD\n"
        "*,,,0.08,USD\n");
    // [table]
    const std::vector<wa::Address> recipients{wa::Address::parse("+447700900123").value(),
                                              wa::Address::parse("sms:+447700900123").value(),
                                              wa::Address::parse("+33612345678").value()};
    const auto total = cost_of(prices.value(), recipients);
    std::cout << to_string(total) << '\n';
    const auto cost = paid({.price = "-0.0529", .price_unit = "USD"});
    return to_string(total) == "0.1729 USD" && cost.decimal() == "0.0529" ? 0 : 1;
}
