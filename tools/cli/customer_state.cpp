#include "customer_state.hpp"

#include <CLI/CLI.hpp>
#include <utility>

#include <twiliowa/types/error.hpp>

namespace cli {

using twiliowa::ConversationWindow;
using twiliowa::Customers;
using twiliowa::OptOuts;

namespace {

constexpr const char* customer_key_variable = "TWILIOWA_CUSTOMER_KEY";

/// A SqliteStore has a file to itself, and so have consents.
StorePlace beside_jobs(const StorePlace& jobs, const char* ending) {
    auto place = jobs;
    if (jobs.is_file()) place.file += ending;
    return place;
}

std::shared_ptr<twiliowa::Consents> open_consents(
    const CustomerStateOptions& options, const StorePlace& beside, IfMissing if_missing,
    const std::shared_ptr<const Customers>& customers) {
    const auto storage =
        options.consents.empty()
            ? open_service_consents(beside_jobs(beside, ".consents"), if_missing)
            : open_service_consents(place_named(options.consents, "--consent-store"),
                                    IfMissing::refuse);
    return std::make_shared<twiliowa::Consents>(
        storage, customers, twiliowa::ConsentsOptions{.sealer = sealer_of_environment()});
}

}  // namespace

void add_customer_state_options(CLI::App& app, CustomerStateOptions& options) {
    app.add_option("--customer-store", options.store,
                   "Where the service knows its customers; default: FILE.state beside FILE, or the "
                   "same database")
        ->type_name("STORE");
    app.add_flag("--no-opt-outs", options.none,
                 "Does without it: no window, no opt-outs, no linked customers");
    app.add_flag("--make-key", options.make_key,
                 "Where the service has given no customer key and none is in that store");
    app.add_option("--scope", options.scope, "What the service gave as the scope of its options")
        ->type_name("TEXT");
}

void add_consent_option(CLI::App& app, CustomerStateOptions& options) {
    app.add_option("--consent-store", options.consents,
                   "Where the service keeps who has agreed to what; default: FILE.consents beside "
                   "FILE, or the same database")
        ->type_name("STORE");
}

CustomerState open_customer_state(const CustomerStateOptions& options, const StorePlace& beside,
                                  IfMissing if_missing, ConsentUse use) {
    if (options.none) return {};
    const bool is_named = !options.store.empty();
    const auto store = is_named ? open_service_store(place_named(options.store, "--customer-store"),
                                                     IfMissing::refuse)
                                : open_service_store(beside_jobs(beside, ".state"), if_missing);
    // What is beside a file is outbox run's; a database may be a service's, too.
    const bool is_own = !is_named && beside.is_file();
    CustomerState state;
    state.customers = std::make_shared<Customers>(
        store, twiliowa::CustomersOptions{
                   .scope = options.scope,
                   .key = customer_key(*store, options.scope, is_own || options.make_key)});
    state.window = std::make_shared<ConversationWindow>(
        store,
        twiliowa::ConversationWindowOptions{.scope = options.scope, .customers = state.customers});
    if (use == ConsentUse::keep) {
        state.consents = open_consents(options, beside, if_missing, state.customers);
    }
    state.opt_outs =
        std::make_shared<OptOuts>(store, twiliowa::OptOutOptions{.scope = options.scope,
                                                                 .customers = state.customers,
                                                                 .consents = state.consents});
    return state;
}

bool has_customer_key(twiliowa::Store& store, const std::string& scope) {
    return !environment(customer_key_variable).empty() ||
           store.get("customer-key " + std::to_string(scope.size()) + ":" + scope)
               .value()
               .has_value();
}

twiliowa::Secret customer_key(twiliowa::Store& store, const std::string& scope, bool may_make) {
    if (!may_make && !has_customer_key(store, scope)) {
        twiliowa::Error::invalid_request(
            customer_key_variable, "is not set, and the store holds no key",
            "set it to the service's, or an opt-out would be lost; --make-key where the service "
            "has none")
            .raise();
    }
    return twiliowa::Secret{environment(customer_key_variable)};
}

}  // namespace cli
