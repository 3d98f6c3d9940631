#include "conversation_record.hpp"

#include <utility>

#include <twiliowa/state/status_tracker.hpp>

namespace processor {

namespace wa = twiliowa;

ConversationRecord::ConversationRecord(const std::string& path, wa::Sealer sealer)
    : database_(path), sealer_(std::move(sealer)) {
    database_.run(
        "create table if not exists conversation (job_id text primary key, company text not null, "
        "thread_id text not null, body text not null, context text not null, "
        "message_sid text not null default '', state text not null default '') strict");
    database_.run(
        "create table if not exists reported_status (company text not null, "
        "message_sid text not null, status text not null, rank integer not null, "
        "error_code integer not null, primary key (company, message_sid)) strict");
}

std::string ConversationRecord::seal(const std::string& text, const char* column,
                                     const std::string& job_id) const {
    return sealer_.seal(text, "conversation/" + std::string(column) + '/' + job_id).value();
}

std::string ConversationRecord::open(const std::string& text, const char* column,
                                     const std::string& job_id) const {
    return sealer_.open(text, "conversation/" + std::string(column) + '/' + job_id).value();
}

wa::Result<wa::EnqueuedJob> ConversationRecord::hand_over(wa::Outbox& outbox,
                                                          const RecordedMessage& entry,
                                                          const wa::OutboundMessage& message,
                                                          const wa::JobOptions& options) {
    const auto body = seal(entry.body, "body", entry.job_id);
    const auto context = seal(entry.context, "context", entry.job_id);
    return database_.hand_over(
        outbox, message, options, [&](sqlite3* within, const wa::EnqueuedJob&) {
            database_.run(
                "insert into conversation (job_id, company, thread_id, body, context) "
                "values (?, ?, ?, ?, ?)",
                {entry.job_id, options.account, entry.thread_id, body, context}, within);
        });
}

void ConversationRecord::follow(const wa::JobOutcome& outcome) {
    const auto& job = outcome.job;
    database_.run("update conversation set message_sid = ?, state = ? where job_id = ?",
                  {job.sid.str(), std::string(to_string(job.state)), job.key});
    if (!job.sid.empty()) report(job.account, job.sid, job.status, job.error_code);
}

void ConversationRecord::report(const std::string& company, const wa::MessageSid& sid,
                                const wa::MessageStatus& status, int error_code) {
    if (status.empty()) return;
    // Callbacks come late, twice and out of order: the furthest counts.
    database_.run(
        "insert into reported_status (company, message_sid, status, rank, error_code) "
        "values (?, ?, ?, ?, ?) on conflict (company, message_sid) do update set "
        "status = excluded.status, rank = excluded.rank, error_code = excluded.error_code "
        "where excluded.rank > rank",
        {company, sid.str(), status.str(), std::int64_t{wa::status_rank(status)},
         std::int64_t{error_code}});
}

std::string ConversationRecord::context_of(const std::string& job_id) {
    const auto rows = database_.run("select context from conversation where job_id = ?", {job_id});
    return rows.empty() ? std::string{} : open(rows[0][0], "context", job_id);
}

std::vector<RecordedMessage> ConversationRecord::all() {
    std::vector<RecordedMessage> messages;
    for (const auto& row : database_.run(
             "select c.job_id, c.message_sid, c.body, c.thread_id, "
             "coalesce(r.status, nullif(c.state, ''), 'waiting'), c.context from conversation c "
             "left join reported_status r using (company, message_sid) order by c.rowid")) {
        messages.push_back({row[0], row[1], open(row[2], "body", row[0]), row[3], row[4],
                            open(row[5], "context", row[0])});
    }
    return messages;
}

}  // namespace processor
