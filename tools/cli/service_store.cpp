#include "service_store.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string_view>

#include <twiliowa/types/error.hpp>

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
    const auto text = store.empty() ? environment(store_variable) : store;
    const auto* const field = store.empty() ? store_variable : "--store";
    constexpr std::string_view kind = "sqlite:";
    if (text.empty()) {
        Error::invalid_request(store_variable, "is not set",
                               "set it to the service's store, or say --store sqlite:FILE")
            .raise();
    }
    if (!store.empty() && has_password(store)) {
        Error::invalid_request(field,
                               "holds a password, which every user of the machine could read",
                               "set TWILIOWA_STORE, or name it in a file for --env-file")
            .raise();
    }
    if (!text.starts_with(kind) || text.size() == kind.size()) {
        Error::invalid_request(field, "names no store", "say sqlite:FILE").raise();
    }
    return text.substr(kind.size());
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
