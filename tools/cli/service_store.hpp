/// @file
/// Where a service keeps what it must not lose, and who may read it: `--store`, TWILIOWA_STORE,
/// TWILIOWA_KEYS.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <twiliowa/state/sealer.hpp>
#include <twiliowa/state/store.hpp>

namespace CLI {
class App;
}

namespace cli {

/// Empty where it is not set.
std::string environment(const char* name);

/// Declares --store, which names a file.
void add_store_option(CLI::App& app, std::string& store);
/// The file that --store, or TWILIOWA_STORE, names.
/// @throws InvalidRequestError if there is none, or it is of a kind that is not known. Nothing of
/// what was given is repeated: it may hold a password.
std::string store_file(const std::string& store);

/// Declares --store, which names a file or a server.
void add_customer_store_option(CLI::App& app, std::string& store);
/// The store that --store, or TWILIOWA_STORE, names. It must be there.
/// @throws as store_file, and as the constructors of SqliteStore and PostgresStore.
std::shared_ptr<twiliowa::Store> open_service_store(const std::string& store);

/// Of TWILIOWA_KEYS or TWILIOWA_KEYS_FILE; nullopt where neither is set.
/// @throws InvalidRequestError naming the variable that is wrong.
std::optional<twiliowa::Sealer> sealer_of_environment();
/// The same ring, for who shows it. @throws InvalidRequestError where there is none.
twiliowa::KeyRing keys_of_environment();

}  // namespace cli
