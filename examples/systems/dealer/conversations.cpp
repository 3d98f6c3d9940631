#include "conversations.hpp"

#include <utility>

namespace dealer {

namespace wa = twiliowa;

using support::now_ms;

Conversations::Conversations(const std::string& path, wa::Sealer sealer)
    : database_(path), sealer_(std::move(sealer)) {
    database_.run(
        "create table if not exists conversation (id text primary key, source text not null, "
        "account text not null, customer text not null, desk_id text not null default '', "
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
}

std::vector<Conversation> Conversations::find(const std::string& where, const std::string& value) {
    std::vector<Conversation> found;
    for (const auto& row : database_.run(
             "select id, source, account, customer, desk_id from conversation where " + where,
             {value})) {
        found.push_back({row[0], row[1], row[2],
                         sealer_.open(row[3], "conversation/" + row[0]).value(), row[4]});
    }
    return found;
}

std::string Conversations::text_of(const std::string& entry, const std::string& sealed) const {
    return sealer_.open(sealed, "entry/" + entry).value();
}

Conversation Conversations::open(const std::string& source, const std::string& account,
                                 const std::string& customer) {
    const auto place = "conversation/" + source + '/' + account;
    // One that was made before a key was rotated has that key's hash.
    for (const auto& index : sealer_.blind_indexes(customer, place).value()) {
        if (auto found = find("id = ?", index); !found.empty()) return found[0];
    }
    const auto id = sealer_.blind_index(customer, place).value();
    database_.run(
        "insert or ignore into conversation (id, source, account, customer) "
        "values (?, ?, ?, ?)",
        {id, source, account, sealer_.seal(customer, "conversation/" + id).value()});
    return find("id = ?", id).at(0);
}

std::optional<Conversation> Conversations::at_desk(const std::string& desk_id) {
    if (desk_id.empty()) return std::nullopt;
    const auto found = find("desk_id = ?", desk_id);
    return found.empty() ? std::nullopt : std::optional{found[0]};
}

bool Conversations::is_taken_over(const std::string& conversation, sqlite3* within) {
    return !database_
                .run("select 1 from conversation where id = ? and taken_over", {conversation},
                     within)
                .empty();
}

void Conversations::set_taken_over(const std::string& conversation, bool taken_over) {
    database_.run("update conversation set taken_over = ? where id = ?",
                  {std::int64_t{taken_over}, conversation});
}

void Conversations::add(const Entry& entry, sqlite3* within) {
    // What the help desk has is never due.
    database_.run(
        "insert or ignore into entry (id, conversation, kind, text, sid, status, desk_id, due) "
        "values (?1, ?2, ?3, ?4, ?5, ?6, ?7, iif(?7 = '', 0, null))",
        {entry.id, entry.conversation, entry.kind,
         sealer_.seal(entry.text, "entry/" + entry.id).value(), entry.sid, entry.status,
         entry.desk_id},
        within);
}

wa::Result<wa::EnqueuedJob> Conversations::hand_over(wa::Outbox& outbox, const Entry& entry,
                                                     const wa::OutboundMessage& message,
                                                     const wa::JobOptions& options) {
    return database_.hand_over(
        outbox, message, options,
        [&](sqlite3* within, const wa::EnqueuedJob&) { add(entry, within); });
}

void Conversations::follow(const wa::JobOutcome& outcome) {
    const auto& job = outcome.job;
    const auto status =
        job.status.empty() ? std::string{to_string(job.state)} : std::string{job.status.str()};
    database_.run("update entry set sid = ?, status = ? where id in ('out/' || ?, ?)",
                  {job.sid.str(), status, job.key, job.key});
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
    return Posting{{row[0], row[1], row[2], text_of(row[0], row[3]), row[4], row[5], {}},
                   find("id = ?", row[1]).at(0),
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
