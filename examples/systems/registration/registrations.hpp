// Which players are to be registered, and what their parents have said of them: a table in the
// outbox's file, so that a player and the message to the parent are there in one commit, and so
// are the parent's last answer and what it ends.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/sealer.hpp>

#include "support/sqlite_database.hpp"
#include "trigger.hpp"

namespace registration {

/// One player, for one season.
struct Registration {
    std::string id = {};     ///< A keyed hash of parent, player and season.
    std::string job = {};    ///< Of the message to the parent.
    std::string state = {};  ///< `open`, or `confirmed`.
    Fields triggered = {};   ///< What the club has said.
    Fields confirmed = {};   ///< What the parent has said.
};

/// Thread-safe. Numbers are hashed, and fields sealed. Throws std::runtime_error with SQLite's code
/// and no value.
class Registrations {
public:
    /// @param path  of a SqliteOutbox, which has made its tables.
    Registrations(const std::string& path, twiliowa::Sealer sealer);

    /// Hands the message over and notes the player, or neither. A player who was confirmed is open
    /// again; a message that was handed over before changes nothing.
    twiliowa::Result<twiliowa::EnqueuedJob> add(twiliowa::Outbox& outbox, const Trigger& trigger,
                                                const twiliowa::OutboundMessage& message,
                                                const twiliowa::JobOptions& options);
    /// The player of that parent who has waited the longest, but for one.
    std::optional<Registration> next_open(std::string_view parent, std::string_view but_for = {});
    /// For the commit that ends the parent's last answer.
    std::function<void(const twiliowa::NativeTransaction&)> confirmation(
        const std::string& id, const Fields& fields) const;
    std::vector<Registration> all();

private:
    std::string seal(const Fields& fields, const std::string& place) const;
    Fields open(const std::string& sealed, const std::string& place) const;
    std::string hash(const std::string& value, const char* purpose) const;
    Registration read(const std::vector<std::string>& row) const;

    support::SqliteDatabase database_;
    twiliowa::Sealer sealer_;
};

}  // namespace registration
