/// @file
/// What a service keeps of its customers beside what it knows of them: jobs, events, consents and
/// dialogues.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <twiliowa/outbox/dialogue.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/consents.hpp>

#include "service_store.hpp"

namespace CLI {
class App;
}

namespace cli {

/// Where a service keeps its customers, and what belongs to them.
struct CustomerPlaces {
    std::string store = {};  ///< As given to --store: the customers' store, or the outbox.
    std::string outbox =
        {};  ///< Empty: beside the store, or in the same database, if there is one.
    std::string consents = {};                          ///< The same.
    std::vector<std::string> dialogues = {"dialogue"};  ///< DialogueOptions::name of each.
};
/// Declares --store, --outbox-store, --consent-store and --dialogue.
void add_customer_places(CLI::App& app, CustomerPlaces& places);

/// What is there of them. Null: there is none.
struct CustomerStorages {
    std::shared_ptr<twiliowa::Store> store = {};
    bool knows_customers = false;  ///< Else `store` is empty, and lives as long as this program.
    std::shared_ptr<twiliowa::OutboxStorage> jobs = {};
    std::shared_ptr<twiliowa::ConsentStorage> consents = {};
};

/// Nothing is made. @throws as open_service_store, also if what is there cannot be used.
CustomerStorages open_customer_storages(const CustomerPlaces& places);

/// They take part in what `customers` exports and forgets, as long as this lives.
struct CustomerParts {
    /// @throws InvalidRequestError if jobs or events are sealed and there is no key in the
    /// environment: nothing of anybody would be found there.
    CustomerParts(const CustomerStorages& storages,
                  const std::shared_ptr<const twiliowa::Customers>& customers,
                  const CustomerPlaces& places, const std::string& scope);

    std::shared_ptr<twiliowa::Consents> consents = {};
    std::unique_ptr<twiliowa::Outbox> outbox = {};
    std::unique_ptr<twiliowa::DurableInbox> inbox = {};
    std::vector<std::unique_ptr<twiliowa::Dialogue>> dialogues = {};
};

}  // namespace cli
