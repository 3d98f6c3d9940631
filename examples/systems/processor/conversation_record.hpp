// What was said to whom, and what became of it.
#pragma once

#include <string>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/result.hpp>

#include "support/sqlite_database.hpp"

namespace processor {

struct RecordedMessage {
    std::string job_id = {};
    std::string message_sid = {};  ///< Empty until Twilio has it.
    std::string body = {};         ///< What the customer reads.
    std::string thread_id = {};
    std::string status = {};
    std::string context = {};  ///< The job as it came, for the dead letters.
};

/// Tables of this program's own, in the outbox's file: a message is recorded and handed over in one
/// transaction, so that neither is without the other. Texts are sealed. Thread-safe.
class ConversationRecord {
public:
    /// The outbox's file, after SqliteOutbox has opened it.
    ConversationRecord(const std::string& path, twiliowa::Sealer sealer);

    /// Records the message and hands it over; nothing is recorded of one that was handed over
    /// before, or is refused.
    twiliowa::Result<twiliowa::EnqueuedJob> hand_over(twiliowa::Outbox& outbox,
                                                      const RecordedMessage& entry,
                                                      const twiliowa::OutboundMessage& message,
                                                      const twiliowa::JobOptions& options);
    /// What the outbox tells.
    void follow(const twiliowa::JobOutcome& outcome);
    /// What Twilio reports, in any order, and maybe before the SID is known to be a job's.
    void report(const std::string& company, const twiliowa::MessageSid& sid,
                const twiliowa::MessageStatus& status, int error_code);

    /// The context of a job; empty if it is not known.
    std::string context_of(const std::string& job_id);
    std::vector<RecordedMessage> all();

private:
    std::string seal(const std::string& text, const char* column, const std::string& job_id) const;
    std::string open(const std::string& text, const char* column, const std::string& job_id) const;

    support::SqliteDatabase database_;
    twiliowa::Sealer sealer_;
};

}  // namespace processor
