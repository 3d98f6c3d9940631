#include "opened_outbox.hpp"

#include <CLI/CLI.hpp>
#include <utility>

#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/types/error.hpp>

#ifdef TWILIOWA_CLI_POSTGRESQL
#include <twiliowa/postgresql/postgres_outbox.hpp>
#endif

#include "failure.hpp"
#include "moment.hpp"

namespace cli {

using twiliowa::Error;
using twiliowa::Job;
using twiliowa::JobState;
using twiliowa::Outbox;

std::shared_ptr<twiliowa::OutboxStorage> open_outbox_storage(const StorePlace& place,
                                                             IfMissing if_missing) {
    const bool create = if_missing == IfMissing::make;
    return at_place(place, [&]() -> std::shared_ptr<twiliowa::OutboxStorage> {
#ifdef TWILIOWA_CLI_POSTGRESQL
        if (!place.is_file()) {
            return std::make_shared<twiliowa::PostgresOutbox>(
                place.url, twiliowa::PostgresOutboxOptions{.create = create});
        }
#endif
        return std::make_shared<twiliowa::SqliteOutbox>(
            place.file, twiliowa::SqliteOutboxOptions{.create = create});
    });
}

std::unique_ptr<Outbox> open_outbox(const std::string& store, IfMissing if_missing) {
    twiliowa::OutboxOptions options;
    options.sealer = sealer_of_environment();
    return std::make_unique<Outbox>(open_outbox_storage(store_place(store), if_missing),
                                    std::move(options));
}

void add_job_options(CLI::App& app, JobName& name, bool is_required) {
    app.add_option("KEY", name.key, "The job's key, or its id")->required(is_required);
    app.add_option("--tenant", name.tenant, "Whose key it is, where jobs have tenants")
        ->type_name("TENANT");
    add_store_option(app, name.store);
}

Job find_job(Outbox& outbox, const JobName& name) {
    auto job = outbox.find(name.tenant, name.key);
    if (!job) {
        if (const auto id = twiliowa::JobId::parse(name.key)) job = outbox.try_find(*id).value();
    }
    if (job) return std::move(*job);
    Error::invalid_request("KEY", "names no job of this outbox",
                           "twiliowa outbox list shows them; give --tenant where it has one")
        .raise();
}

std::optional<JobState> job_state_of(const std::string& name) {
    if (name.empty()) return std::nullopt;
    const auto state = twiliowa::parse_job_state(name);
    if (!state)
        throw usage_failure("--state is none of " + job_state_names(),
                            "twiliowa outbox list --help");
    return state;
}

std::string job_state_names() {
    std::string names;
    for (int i = 0; i <= static_cast<int>(JobState::cancelled); ++i) {
        names.append(names.empty() ? "" : "|").append(to_string(static_cast<JobState>(i)));
    }
    return names;
}

twiliowa::TimePoint moment_of(const std::string& text, const std::string& option,
                              const std::string& help) {
    if (const auto time = time_of(text)) return *time;
    throw usage_failure(option + " is no time: 2026-11-21T06:10:00Z, or the seconds since 1970",
                        help);
}

}  // namespace cli
