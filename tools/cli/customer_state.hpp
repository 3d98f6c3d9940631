/// @file
/// What a service keeps of its customers beside its jobs and events: who may be written to, and
/// how.
#pragma once

#include <memory>
#include <string>

#include <twiliowa/state/consents.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/types/secret.hpp>

#include "service_store.hpp"

namespace cli {

/// Where that is.
struct CustomerStateOptions {
    std::string store = {};     ///< Empty: FILE.state beside a FILE, or the same database.
    std::string consents = {};  ///< Empty: FILE.consents beside a FILE, or the same database.
    std::string scope = {};
    bool none = false;
    bool make_key = false;
};
/// Declares --customer-store, --scope, --no-opt-outs and --make-key.
void add_customer_state_options(CLI::App& app, CustomerStateOptions& options);
/// Declares --consent-store.
void add_consent_option(CLI::App& app, CustomerStateOptions& options);

struct CustomerState {
    std::shared_ptr<twiliowa::Customers> customers = {};
    std::shared_ptr<twiliowa::ConversationWindow> window = {};
    std::shared_ptr<twiliowa::OptOuts> opt_outs = {};
    std::shared_ptr<twiliowa::Consents> consents = {};  ///< Null unless they were asked for.
};

/// Whether it is known, too, who has agreed to what; an opt-out then withdraws that.
enum class ConsentUse { none, keep };

/// Empty with --no-opt-outs.
/// @param beside      where the jobs and events are
/// @param if_missing  of the store that is beside them; one that is named must be there.
/// @throws as open_service_store and customer_key.
CustomerState open_customer_state(const CustomerStateOptions& options, const StorePlace& beside,
                                  IfMissing if_missing, ConsentUse use = ConsentUse::none);

/// Whether the service's key is known: from TWILIOWA_CUSTOMER_KEY, or because Customers has made
/// one in that store. @throws what the store fails with.
bool has_customer_key(twiliowa::Store& store, const std::string& scope);
/// Of TWILIOWA_CUSTOMER_KEY; empty: that in the store, or one that Customers makes there.
/// @throws InvalidRequestError if there is none and none may be made: the service would take it for
/// its own.
twiliowa::Secret customer_key(twiliowa::Store& store, const std::string& scope, bool may_make);

}  // namespace cli
