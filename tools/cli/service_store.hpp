/// @file
/// Where a service keeps what it must not lose, and who may read it: `--store`, TWILIOWA_STORE,
/// TWILIOWA_KEYS.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <twiliowa/state/consent_storage.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/error.hpp>

#include "environment.hpp"

namespace CLI {
class App;
}

namespace cli {

/// What --store, or TWILIOWA_STORE, names: a file of this machine, or a database of a server.
struct StorePlace {
    std::string field = {};  ///< What named it: an option, or a variable.
    std::string file = {};   ///< Empty: it is a server's.
    std::string url = {};    ///< Of a server, as libpq takes it.

    bool is_file() const noexcept { return !file.empty(); }
};

/// Declares --store.
void add_store_option(CLI::App& app, std::string& store);
/// Where that is. Nothing is opened.
/// @throws InvalidRequestError if nothing is named, or of a kind that is not known, or a URL holds
/// a password. Nothing of what was given is repeated.
StorePlace store_place(const std::string& store);
/// The same of what was given to another option.
StorePlace place_named(const std::string& text, const std::string& field);

/// Whether what is not there is made.
enum class IfMissing { refuse, make };

/// @throws as the constructors of SqliteStore and PostgresStore, in words of the command line.
std::shared_ptr<twiliowa::Store> open_service_store(const StorePlace& place, IfMissing if_missing);

/// @throws as the constructors of SqliteConsents and PostgresConsents, in words of the command
/// line.
std::shared_ptr<twiliowa::ConsentStorage> open_service_consents(const StorePlace& place,
                                                                IfMissing if_missing);

twiliowa::Error in_words_of_commands(const twiliowa::Error& error, const StorePlace& place);
/// Does something with what is at a place. What the library says of it becomes what the command
/// line says: which option is wrong, and which command helps.
template <class Work>
auto at_place(const StorePlace& place, Work work) -> decltype(work()) {
    try {
        return work();
    } catch (const twiliowa::TwilioError& failed) {
        in_words_of_commands(failed.error(), place).raise();
    }
}

/// Of TWILIOWA_KEYS or TWILIOWA_KEYS_FILE; nullopt where neither is set.
/// @throws InvalidRequestError naming the variable that is wrong.
std::optional<twiliowa::Sealer> sealer_of_environment();
/// The same ring, for who shows it. @throws InvalidRequestError where there is none.
twiliowa::KeyRing keys_of_environment();

}  // namespace cli
