#include "service_store.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>

#include <twiliowa/sqlite/sqlite_consents.hpp>
#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/types/error.hpp>

#ifdef TWILIOWA_CLI_POSTGRESQL
#include <twiliowa/postgresql/postgres_consents.hpp>
#include <twiliowa/postgresql/postgres_store.hpp>
#endif

namespace cli {

namespace {

using twiliowa::Error;
using twiliowa::KeyRing;

constexpr const char* store_variable = "TWILIOWA_STORE";
constexpr const char* keys_variable = "TWILIOWA_KEYS";
constexpr const char* keys_file_variable = "TWILIOWA_KEYS_FILE";

constexpr std::string_view file_kind = "sqlite:";
constexpr std::string_view server_kinds[] = {"postgresql://", "postgres://"};

bool names_server(std::string_view text) {
    return std::any_of(std::begin(server_kinds), std::end(server_kinds),
                       [text](std::string_view kind) { return text.starts_with(kind); });
}

/// Whether a URL holds a password: `kind://user:password@host`. In its query libpq finds it.
bool has_password(std::string_view url) {
    url.remove_prefix(url.find("://") + 3);
    url = url.substr(0, url.find('/'));
    const auto host = url.find('@');
    return host != std::string_view::npos && url.find(':') < host;
}

/// What the library calls a way out, and the command that is one.
constexpr std::pair<std::string_view, std::string_view> ways_out[] = {
    {"migrate them", "run twiliowa outbox migrate"},
    {"what migration_sql gives", "what twiliowa outbox migrate --print shows"},
    {"open it with SqliteOutboxOptions::create, or run SqliteOutbox::migrate",
     "name another file, or run twiliowa outbox migrate"},
    {"SqliteOutbox::migrate", "twiliowa outbox migrate"},
    {"give SendingRulesOptions::prices", "say --prices FILE"},
    {"give Campaigns rules with SendingRulesOptions::consents", "leave out --no-opt-outs"},
    {"bring its tables up to date", "run twiliowa outbox migrate"},
    {"create it first", "twiliowa campaign list shows those there are"}};

std::optional<KeyRing> keys_if_set() {
    if (!environment(keys_variable).empty()) return KeyRing::from_environment(keys_variable);
    const auto file = environment(keys_file_variable);
    if (file.empty()) return std::nullopt;
    const auto keys = KeyRing::try_from_file(file);
    if (keys) return *keys;
    keys.error()
        .with([](twiliowa::ErrorData& data) {
            // The number of a line tells more than the name of the file.
            if (data.field == "path") data.field = keys_file_variable;
        })
        .raise();
}

}  // namespace

void add_store_option(CLI::App& app, std::string& store) {
    app.add_option("--store", store,
                   "The service's: sqlite:FILE, or postgresql://ROLE@HOST/DATABASE. Default: "
                   "TWILIOWA_STORE of the environment")
        ->type_name("STORE");
}

StorePlace place_named(const std::string& text, const std::string& field) {
    if (text.starts_with(file_kind) && text.size() > file_kind.size()) {
        return {.field = field, .file = text.substr(file_kind.size())};
    }
    if (!names_server(text)) {
        Error::invalid_request(field, "names no store",
                               "say sqlite:FILE, or postgresql://ROLE@HOST/DATABASE")
            .raise();
    }
    if (has_password(text)) {
        Error::invalid_request(field, "holds a password",
                               "leave it out; PGPASSFILE, PGSERVICEFILE or PGPASSWORD give it")
            .raise();
    }
#ifndef TWILIOWA_CLI_POSTGRESQL
    Error::invalid_request(field, "names a PostgreSQL, which this program was built without",
                           "build it where there is libpq")
        .raise();
#endif
    return {.field = field, .url = text};
}

StorePlace store_place(const std::string& store) {
    if (!store.empty()) return place_named(store, "--store");
    const auto text = environment(store_variable);
    if (text.empty()) {
        Error::invalid_request(store_variable, "is not set",
                               "set it to the service's store, or say --store sqlite:FILE")
            .raise();
    }
    return place_named(text, store_variable);
}

std::shared_ptr<twiliowa::Store> open_service_store(const StorePlace& place, IfMissing if_missing) {
    const bool create = if_missing == IfMissing::make;
    return at_place(place, [&]() -> std::shared_ptr<twiliowa::Store> {
#ifdef TWILIOWA_CLI_POSTGRESQL
        if (!place.is_file()) {
            return std::make_shared<twiliowa::PostgresStore>(
                place.url, twiliowa::PostgresStoreOptions{.create = create});
        }
#endif
        return std::make_shared<twiliowa::SqliteStore>(
            place.file, twiliowa::SqliteStoreOptions{.create = create});
    });
}

std::shared_ptr<twiliowa::ConsentStorage> open_service_consents(const StorePlace& place,
                                                                IfMissing if_missing) {
    const bool create = if_missing == IfMissing::make;
    return at_place(place, [&]() -> std::shared_ptr<twiliowa::ConsentStorage> {
#ifdef TWILIOWA_CLI_POSTGRESQL
        if (!place.is_file()) {
            return std::make_shared<twiliowa::PostgresConsents>(
                place.url, twiliowa::PostgresConsentsOptions{.create = create});
        }
#endif
        return std::make_shared<twiliowa::SqliteConsents>(
            place.file, twiliowa::SqliteConsentsOptions{.create = create});
    });
}

Error in_words_of_commands(const Error& error, const StorePlace& place) {
    return error.with([&](twiliowa::ErrorData& data) {
        if (data.field == "url") data.field = place.field;
        for (const auto& [ours, command] : ways_out) {
            const auto at = data.hint.find(ours);
            if (at != std::string::npos) data.hint.replace(at, ours.size(), command);
        }
    });
}

std::optional<twiliowa::Sealer> sealer_of_environment() {
    const auto keys = keys_if_set();
    if (!keys) return std::nullopt;
    return twiliowa::Sealer{*keys};
}

KeyRing keys_of_environment() {
    const auto keys = keys_if_set();
    if (keys) return *keys;
    Error::invalid_request(keys_variable, "is not set", "set it, or TWILIOWA_KEYS_FILE").raise();
}

}  // namespace cli
