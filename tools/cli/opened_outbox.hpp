/// @file
/// The outbox that a command is about.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <twiliowa/outbox/outbox.hpp>

#include "service_store.hpp"

namespace CLI {
class App;
}

namespace cli {

/// @throws as the constructors of SqliteOutbox and PostgresOutbox, in words of the command line.
std::shared_ptr<twiliowa::OutboxStorage> open_outbox_storage(const StorePlace& place,
                                                             IfMissing if_missing);

/// Of a command that asks and decides, and sends nothing. Opened with the keys of the environment.
/// @param store  as given to --store
std::unique_ptr<twiliowa::Outbox> open_outbox(const std::string& store,
                                              IfMissing if_missing = IfMissing::refuse);

/// Which job a command is about.
struct JobName {
    std::string store = {};
    std::string key = {};
    std::string tenant = {};
};
/// Declares KEY, --tenant and --store.
void add_job_options(CLI::App& app, JobName& name, bool is_required = true);
/// The job of that key, or else of that id. @throws InvalidRequestError if there is none.
twiliowa::Job find_job(twiliowa::Outbox& outbox, const JobName& name);

/// A state's name. @throws Failure naming the states there are.
std::optional<twiliowa::JobState> job_state_of(const std::string& name);
/// "ready|claimed|...", for help and completion.
std::string job_state_names();

/// A moment that was given to an option. @throws Failure if it is none.
twiliowa::TimePoint moment_of(const std::string& text, const std::string& option,
                              const std::string& help);

}  // namespace cli
