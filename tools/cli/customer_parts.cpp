#include "customer_parts.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include <twiliowa/types/error.hpp>

#include "opened_inbox.hpp"
#include "opened_outbox.hpp"

namespace cli {

namespace {

constexpr std::string_view state_ending = ".state";
constexpr std::string_view consents_ending = ".consents";
/// How many jobs, and events, are looked at to tell whether they are sealed.
constexpr std::size_t sampled_entries = 100;

/// Whether an engine says that what is asked for is not there, rather than that it cannot be used.
bool says_absent(const twiliowa::Error& error) {
    constexpr std::array<std::string_view, 4> words{
        "is a database of another program", "has no tables of an outbox", "is no file of SQLite",
        "lacks its tables of the"};
    const std::string_view text = error.what();
    return std::any_of(words.begin(), words.end(), [text](std::string_view each) {
        return text.find(each) != std::string_view::npos;
    });
}

/// Null if nothing of that kind is there.
template <class Open>
auto if_there(const StorePlace& place, const Open& open)
    -> decltype(open(place, IfMissing::refuse)) {
    if (place.is_file() && !std::filesystem::is_regular_file(place.file)) return nullptr;
    try {
        return open(place, IfMissing::refuse);
    } catch (const twiliowa::TwilioError& failed) {
        if (!says_absent(failed.error())) throw;
        return nullptr;
    }
}

/// The file that another one is beside, by its name; or the same database.
StorePlace place_beside(const StorePlace& place, std::string_view ending) {
    auto other = place;
    if (place.is_file()) other.file += ending;
    return other;
}

void refuse_without_keys(std::string_view what) {
    twiliowa::Error::invalid_request(
        "TWILIOWA_KEYS", std::string{"is not set, and "}.append(what) + " are sealed",
        "set it, or TWILIOWA_KEYS_FILE: without their keys nobody is found there")
        .raise();
}

}  // namespace

void add_customer_places(CLI::App& app, CustomerPlaces& places) {
    add_store_option(app, places.store);
    app.add_option("--outbox-store", places.outbox,
                   "Where the service keeps its jobs and events; default: what --store is the "
                   "FILE.state of, or the same database")
        ->type_name("STORE");
    app.add_option("--consent-store", places.consents,
                   "Where it keeps who has agreed to what; default: FILE.consents, or the same "
                   "database")
        ->type_name("STORE");
    app.add_option(
           "--dialogue", places.dialogues,
           "DialogueOptions::name of a dialogue of the service, once for each; default: dialogue")
        ->type_name("NAME");
}

CustomerStorages open_customer_storages(const CustomerPlaces& places) {
    const auto place = store_place(places.store);
    CustomerStorages found;
    found.knows_customers = true;
    auto jobs = place;
    if (place.is_file() && place.file.ends_with(state_ending)) {
        jobs.file.resize(jobs.file.size() - state_ending.size());
        found.store = open_service_store(place, IfMissing::refuse);
        found.jobs = if_there(jobs, open_outbox_storage);
    } else if (place.is_file()) {
        found.jobs = if_there(place, open_outbox_storage);
        // Beside jobs there may be nothing yet that is known of anybody.
        found.store = found.jobs ? if_there(place_beside(place, state_ending), open_service_store)
                                 : open_service_store(place, IfMissing::refuse);
    } else {
        found.store = if_there(place, open_service_store);
        found.jobs = if_there(place, open_outbox_storage);
        if (!found.store && !found.jobs) {
            found.store = open_service_store(place, IfMissing::refuse);
        }
    }
    found.consents = places.consents.empty()
                         ? if_there(place_beside(jobs, consents_ending), open_service_consents)
                         : open_service_consents(place_named(places.consents, "--consent-store"),
                                                 IfMissing::refuse);
    if (!places.outbox.empty()) {
        found.jobs =
            open_outbox_storage(place_named(places.outbox, "--outbox-store"), IfMissing::refuse);
    }
    if (found.store) return found;
    found.knows_customers = false;
    found.store = std::make_shared<twiliowa::MemoryStore>();
    return found;
}

CustomerParts::CustomerParts(const CustomerStorages& storages,
                             const std::shared_ptr<const twiliowa::Customers>& customers,
                             const CustomerPlaces& places, const std::string& scope) {
    for (const auto& name : places.dialogues) {
        dialogues.push_back(std::make_unique<twiliowa::Dialogue>(
            storages.store,
            twiliowa::DialogueOptions{.name = name, .scope = scope, .customers = customers}));
    }
    const auto sealer = sealer_of_environment();
    if (storages.consents) {
        consents = std::make_shared<twiliowa::Consents>(
            storages.consents, customers, twiliowa::ConsentsOptions{.sealer = sealer});
    }
    if (!storages.jobs) return;
    twiliowa::OutboxOptions options;
    options.sealer = sealer;
    options.customers = customers;
    outbox = std::make_unique<twiliowa::Outbox>(storages.jobs, std::move(options));
    inbox = inbox_in(storages.jobs, {.customers = customers});
    if (sealer) return;
    // What cannot be opened has the key that is kept: an index.
    const auto jobs = outbox->list({.limit = sampled_entries});
    const bool has_sealed_jobs =
        std::any_of(jobs.begin(), jobs.end(),
                    [](const twiliowa::Job& job) { return job.key.starts_with("twi1."); });
    if (has_sealed_jobs) refuse_without_keys("jobs");
    if (!inbox) return;
    // The text of one that somebody may still handle is never erased.
    const auto events = inbox->list({.limit = sampled_entries});
    const bool has_sealed_events =
        std::any_of(events.begin(), events.end(), [](const twiliowa::InboxEvent& event) {
            return !event.event && event.state != twiliowa::InboxState::done &&
                   event.state != twiliowa::InboxState::dropped;
        });
    if (has_sealed_events) refuse_without_keys("events");
}

}  // namespace cli
