// What docs/consent.md shows.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

void expect(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

int main() {
    const auto store = std::make_shared<wa::MemoryStore>();
    const auto storage = std::make_shared<wa::MemoryConsents>();
    const std::string sender = "whatsapp:+14155238886";
    // [make]
    const auto customers = std::make_shared<wa::Customers>(store);
    const auto consents = std::make_shared<wa::Consents>(storage, customers);
    const wa::OptOuts opt_outs{store, {.customers = customers, .consents = consents}};
    // [make]
    const std::string customer = "+447700900123";
    // [grant]
    consents->grant(sender, customer, {.purpose = "marketing", .source = "order 4711, box ticked"})
        .value();
    if (consents->has(sender, customer, "marketing").value()) std::cout << "may get offers\n";
    // [grant]
    expect(consents->has(sender, customer, "marketing").value());
    expect(bool(opt_outs.opt_out(sender, customer)));
    expect(!consents->has(sender, customer, "marketing").value());
    std::istringstream csv{
        "to,name,consent_at,consent_source\n"
        "+447700900124,Ann,2020-11-30,\"web form, page 2\"\n"
        "nobody,Bob,2020-11-30,\n"};
    // [import]
    const auto import = consents->import_csv(wa::Sender::parse(sender).value(), csv).value();
    std::cout << import.added << " new, " << import.known << " known, " << import.without
              << " without a consent\n";
    for (const auto& fault : import.faults) {
        std::cerr << "line " << fault.line << ": " << fault.problem << '\n';
    }
    // [import]
    expect(import.added == 1 && import.refused == 1);
    // [history]
    for (const auto& event : consents->history(sender, customer).value()) {
        const bool granted = event.change == wa::ConsentChange::granted;
        std::cout << (granted ? "granted: " : "withdrawn: ") << event.source << '\n';
    }
    // [history]
}
