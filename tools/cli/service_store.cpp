#include "service_store.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/types/error.hpp>

#ifdef TWILIOWA_CLI_POSTGRESQL
#include <twiliowa/postgresql/postgres_store.hpp>
#endif

namespace cli {

namespace {

using twiliowa::Error;
using twiliowa::KeyRing;

constexpr const char* store_variable = "TWILIOWA_STORE";
constexpr const char* keys_variable = "TWILIOWA_KEYS";
constexpr const char* keys_file_variable = "TWILIOWA_KEYS_FILE";

/// Whether a URL holds a password: `kind://user:password@host`.
bool has_password(std::string_view url) {
    const auto begin = url.find("://");
    if (begin == std::string_view::npos) return false;
    const auto host = url.find('@', begin);
    return host != std::string_view::npos && url.find(':', begin + 3) < host;
}

constexpr std::string_view file_kind = "sqlite:";

bool names_file(std::string_view text) {
    return text.starts_with(file_kind) && text.size() > file_kind.size();
}

struct NamedStore {
    const char* field;  ///< What names it.
    std::string text;
};

NamedStore named_store(const std::string& store) {
    if (!store.empty()) return {"--store", store};
    auto text = environment(store_variable);
    if (text.empty()) {
        Error::invalid_request(store_variable, "is not set",
                               "set it to the service's store, or say --store sqlite:FILE")
            .raise();
    }
    return {store_variable, std::move(text)};
}

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

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

void add_store_option(CLI::App& app, std::string& store) {
    app.add_option("--store", store,
                   "The service's: sqlite:FILE. Default: TWILIOWA_STORE of the environment")
        ->type_name("STORE");
}

std::string store_file(const std::string& store) {
    const auto [field, text] = named_store(store);
    if (!store.empty() && has_password(store)) {
        Error::invalid_request(field,
                               "holds a password, which every user of the machine could read",
                               "set TWILIOWA_STORE, or name it in a file for --env-file")
            .raise();
    }
    if (!names_file(text)) {
        Error::invalid_request(field, "names no store", "say sqlite:FILE").raise();
    }
    return text.substr(file_kind.size());
}

void add_customer_store_option(CLI::App& app, std::string& store) {
    app.add_option("--store", store,
                   "The service's: sqlite:FILE, or postgresql://ROLE@HOST/DATABASE. Default: "
                   "TWILIOWA_STORE of the environment")
        ->type_name("STORE");
}

std::shared_ptr<twiliowa::Store> open_service_store(const std::string& store) {
    const auto named = named_store(store);
    const auto& text = named.text;
    if (names_file(text)) {
        return std::make_shared<twiliowa::SqliteStore>(
            store_file(store), twiliowa::SqliteStoreOptions{.create = false});
    }
    if (!text.starts_with("postgresql://") && !text.starts_with("postgres://")) {
        Error::invalid_request(named.field, "names no store",
                               "say sqlite:FILE, or postgresql://ROLE@HOST/DATABASE")
            .raise();
    }
#ifdef TWILIOWA_CLI_POSTGRESQL
    try {
        return std::make_shared<twiliowa::PostgresStore>(
            text, twiliowa::PostgresStoreOptions{.create = false});
    } catch (const twiliowa::InvalidRequestError& refused) {
        refused.error().with([&](twiliowa::ErrorData& data) { data.field = named.field; }).raise();
    }
#else
    Error::invalid_request(named.field, "names a PostgreSQL, which this program was built without",
                           "build it where there is libpq")
        .raise();
#endif
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
