// What was said in each session, `whatsapp_{phone}`: sealed, and found by the hash of its name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/state/sealer.hpp>

#include "support/postgres_database.hpp"

namespace platform {

struct Said {
    std::string role;  ///< `user`, `assistant`
    std::string text;
    std::string at = {};
};

/// Thread-safe.
class History {
public:
    History(support::PostgresDatabase& database, twiliowa::Sealer sealer)
        : database_(database), sealer_(std::move(sealer)) {}

    /// Of an address as Twilio has it.
    static std::string session_of(std::string_view address);
    std::string hash_of(const std::string& session) const;

    /// The newest so many, the oldest of them first.
    std::vector<Said> last(const std::string& organisation, const std::string& session,
                           int most) const;
    /// Under an id that is known nothing is added. `within` as support::PostgresDatabase::run.
    void add(const std::string& organisation, const std::string& session, const std::string& id,
             const Said& said, PGconn* within = nullptr) const;

private:
    support::PostgresDatabase& database_;
    const twiliowa::Sealer sealer_;
};

}  // namespace platform
