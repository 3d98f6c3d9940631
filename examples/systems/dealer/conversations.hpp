// What was said and by whom, in the file of inbox and outbox; who answers a customer, the workflow
// or an agent; and what the help desk has not got yet.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/sealer.hpp>

#include "support/sqlite_database.hpp"

namespace dealer {

struct Conversation {
    std::string id = {};        ///< A keyed hash of source, account and customer.
    std::string source = {};    ///< Which channel it goes by: `twilio`.
    std::string account = {};   ///< The account there that the customer wrote to.
    std::string customer = {};  ///< As that channel calls them.
    std::string desk_id = {};   ///< The help desk's number for it; empty until it has one.
};

struct Entry {
    std::string id = {};  ///< `in/SID`, `out/JOB`, `agent/JOB`, `note/JOB/OUTCOME`: once each.
    std::string conversation = {};
    std::string kind = {};  ///< `incoming`, `outgoing`, `note`
    std::string text = {};
    std::string sid = {};
    std::string status = {};
    std::string desk_id = {};  ///< The help desk's number; empty until it has it.
};

/// An entry that the help desk is to get, and nobody else gives it meanwhile.
struct Posting {
    Entry entry = {};
    Conversation conversation = {};
    int tries = 0;  ///< With this one.
};

/// Thread-safe, and for any number of processes. Texts and customers are sealed.
class Conversations {
public:
    /// @param path  of the outbox's file, which has to be there
    Conversations(const std::string& path, twiliowa::Sealer sealer);

    /// That of a customer; made if it is new.
    Conversation open(const std::string& source, const std::string& account,
                      const std::string& customer);
    std::optional<Conversation> at_desk(const std::string& desk_id);

    /// Whether an agent answers. `within`: a transaction that is open on another connection.
    bool is_taken_over(const std::string& conversation, sqlite3* within = nullptr);
    void set_taken_over(const std::string& conversation, bool taken_over);

    /// An entry of that id that is there stays as it is.
    void add(const Entry& entry, sqlite3* within = nullptr);
    /// An entry and its message, in one transaction. Errors: those of the outbox.
    twiliowa::Result<twiliowa::EnqueuedJob> hand_over(twiliowa::Outbox& outbox, const Entry& entry,
                                                      const twiliowa::OutboundMessage& message,
                                                      const twiliowa::JobOptions& options);
    /// What became of a job.
    void follow(const twiliowa::JobOutcome& outcome);
    std::vector<Entry> all();

    /// The next entry for the help desk, in the order of its conversation, for as long as `lease`.
    std::optional<Posting> next_posting(std::chrono::milliseconds lease);
    void opened_at_desk(const std::string& conversation, const std::string& desk_id);
    void posted(const std::string& entry, const std::string& desk_id);
    void post_later(const std::string& entry, std::chrono::milliseconds pause);

private:
    /// Those of which `where` is true of the value.
    std::vector<Conversation> find(const std::string& where, const std::string& value);
    std::string text_of(const std::string& entry, const std::string& sealed) const;

    support::SqliteDatabase database_;
    twiliowa::Sealer sealer_;
};

}  // namespace dealer
