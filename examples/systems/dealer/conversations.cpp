#include "conversations.hpp"

#include <utility>

#include <twiliowa/sqlite/sqlite_outbox.hpp>

namespace dealer {

namespace wa = twiliowa;

namespace {

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

Conversations::Conversations(const std::string& path, wa::Sealer sealer)
    : database_(path), sealer_(std::move(sealer)) {
    database_.run(
        "create table if not exists conversation (id text primary key, source text not null, "
        "customer text not null, desk_id text not null default '', "
        "taken_over integer not null default 0) strict");
    database_.run("create index if not exists conversation_desk on conversation (desk_id)");
    // due: when it may be given to the help desk, in milliseconds; null: the help desk has it.
    database_.run(
        "create table if not exists entry (sequence integer primary key, id text not null unique, "
        "conversation text not null, kind text not null, text text not null, "
        "sid text not null, status text not null, desk_id text not null, due integer, "
        "tries integer not null default 0) strict");
    database_.run(
        "create index if not exists entry_due on entry (conversation, sequence) "
        "where due is not null");
    database_.run("create table if not exists told (cursor integer primary key) strict");
}

SqlRows Conversations::run(const char* sql, const std::vector<SqlValue>& values, sqlite3* within) {
    return within == nullptr ? database_.run(sql, values) : run_sql(within, sql, values);
}

Conversation Conversations::read(const std::vector<std::string>& row) const {
    return {row[0], row[1], sealer_.open(row[2], "conversation/" + row[0]).value(), row[3]};
}

std::string Conversations::text_of(const std::string& entry, const std::string& sealed) const {
    return sealer_.open(sealed, "entry/" + entry).value();
}

Conversation Conversations::open(const std::string& source, const std::string& customer) {
    const char* const select =
        "select id, source, customer, desk_id from conversation where id = ?";
    const auto place = "conversation/" + source;
    // One that was made before a key was rotated has that key's hash.
    for (const auto& index : sealer_.blind_indexes(customer, place).value()) {
        const auto found = database_.run(select, {index});
        if (!found.empty()) return read(found[0]);
    }
    const auto id = sealer_.blind_index(customer, place).value();
    database_.run("insert or ignore into conversation (id, source, customer) values (?, ?, ?)",
                  {id, source, sealer_.seal(customer, "conversation/" + id).value()});
    return read(database_.run(select, {id}).at(0));
}

std::optional<Conversation> Conversations::at_desk(const std::string& desk_id) {
    const auto found = database_.run(
        "select id, source, customer, desk_id from conversation where desk_id = ?", {desk_id});
    if (found.empty() || desk_id.empty()) return std::nullopt;
    return read(found[0]);
}

bool Conversations::is_taken_over(const std::string& conversation, sqlite3* within) {
    return !run("select 1 from conversation where id = ? and taken_over", {conversation}, within)
                .empty();
}

void Conversations::set_taken_over(const std::string& conversation, bool taken_over) {
    database_.run("update conversation set taken_over = ? where id = ?",
                  {std::int64_t{taken_over}, conversation});
}

void Conversations::add(const Entry& entry, sqlite3* within) {
    const char* const sql = entry.desk_id.empty()
                                ? "insert or ignore into entry (id, conversation, kind, text, sid, "
                                  "status, desk_id, due) values (?, ?, ?, ?, ?, ?, ?, 0)"
                                : "insert or ignore into entry (id, conversation, kind, text, sid, "
                                  "status, desk_id) values (?, ?, ?, ?, ?, ?, ?)";
    run(sql,
        {entry.id, entry.conversation, entry.kind,
         sealer_.seal(entry.text, "entry/" + entry.id).value(), entry.sid, entry.status,
         entry.desk_id},
        within);
}

wa::Result<void> Conversations::hand_over(wa::Outbox& outbox, const Entry& entry,
                                          const wa::OutboundMessage& message,
                                          const wa::JobOptions& options) {
    wa::Result<void> result;
    database_.transact([&](sqlite3* within) {
        const auto job = wa::try_enqueue_in(within, outbox, message, options);
        if (job) {
            add(entry, within);
        } else {
            result = job.error();
        }
    });
    return result;
}

bool Conversations::follow(const wa::JobOutcome& outcome) {
    const auto& job = outcome.job;
    const auto status =
        job.status.empty() ? std::string{to_string(job.state)} : std::string{job.status.str()};
    database_.run("update entry set sid = ?, status = ? where id in ('out/' || ?, ?)",
                  {job.sid.str(), status, job.key, job.key});
    // Each process may be told of an outcome, and again after a crash.
    database_.run("delete from told where cursor < ?", {outcome.cursor - 10'000});
    return !database_
                .run("insert or ignore into told (cursor) values (?) returning cursor",
                     {outcome.cursor})
                .empty();
}

std::vector<Entry> Conversations::all() {
    std::vector<Entry> entries;
    for (const auto& row :
         database_.run("select id, conversation, kind, text, sid, status, desk_id from entry "
                       "order by sequence")) {
        entries.push_back(
            {row[0], row[1], row[2], text_of(row[0], row[3]), row[4], row[5], row[6]});
    }
    return entries;
}

std::optional<Posting> Conversations::next_posting(std::chrono::milliseconds lease) {
    const auto now = now_ms();
    const auto taken = database_.run(
        "update entry set due = ?, tries = tries + 1 where sequence = ("
        "select sequence from entry e where due <= ? and not exists (select 1 from entry before "
        "where before.due is not null "
        "and before.conversation = e.conversation and before.sequence < e.sequence) "
        "order by sequence limit 1) "
        "returning id, conversation, kind, text, sid, status, tries",
        {now + lease.count(), now});
    if (taken.empty()) return std::nullopt;
    const auto& row = taken[0];
    const auto conversation = database_.run(
        "select id, source, customer, desk_id from conversation where id = ?", {row[1]});
    return Posting{{row[0], row[1], row[2], text_of(row[0], row[3]), row[4], row[5], {}},
                   read(conversation.at(0)),
                   std::stoi(row[6])};
}

void Conversations::opened_at_desk(const std::string& conversation, const std::string& desk_id) {
    database_.run("update conversation set desk_id = ? where id = ?", {desk_id, conversation});
}

void Conversations::posted(const std::string& entry, const std::string& desk_id) {
    database_.run("update entry set due = null, desk_id = ? where id = ?", {desk_id, entry});
}

void Conversations::post_later(const std::string& entry, std::chrono::milliseconds pause) {
    database_.run("update entry set due = ? where id = ? and due is not null",
                  {now_ms() + pause.count(), entry});
}

}  // namespace dealer
