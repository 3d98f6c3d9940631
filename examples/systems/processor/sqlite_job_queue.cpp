#include "job_queue.hpp"

namespace processor {

using support::now_ms;

SqliteJobQueue::SqliteJobQueue(const std::string& path) : database_(path) {
    database_.run(
        "create table if not exists job (id text primary key, body text not null, "
        "deliveries integer not null default 0, visible_at integer not null default 0, "
        "receipt text not null default '') strict");
    database_.run(
        "create table if not exists dead_letter (id text primary key, body text not null, "
        "reason text not null, at integer not null) strict");
}

void SqliteJobQueue::send(const std::string& id, const std::string& body) {
    database_.run("insert or ignore into job (id, body) values (?, ?)", {id, body});
}

std::optional<QueuedJob> SqliteJobQueue::receive(std::chrono::milliseconds visibility) {
    const auto rows = database_.run(
        "update job set deliveries = deliveries + 1, visible_at = ?, "
        "receipt = lower(hex(randomblob(8))) where id = (select id from job where visible_at <= ? "
        "order by visible_at, rowid limit 1) returning id, body, receipt, deliveries",
        {now_ms() + visibility.count(), now_ms()});
    if (rows.empty()) return std::nullopt;
    const auto& row = rows.front();
    return QueuedJob{row[0], row[1], row[2], std::stoi(row[3])};
}

void SqliteJobQueue::give_back(const QueuedJob& job, std::chrono::milliseconds pause) {
    database_.run("update job set visible_at = ?, receipt = '' where id = ? and receipt = ?",
                  {now_ms() + pause.count(), job.id, job.receipt});
}

void SqliteJobQueue::acknowledge(const QueuedJob& job) {
    database_.run("delete from job where id = ? and receipt = ?", {job.id, job.receipt});
}

void SqliteJobQueue::bury(const QueuedJob& job, const std::string& reason) {
    database_.transact([&](sqlite3* database) {
        const bool is_ours =
            job.receipt.empty() ||
            !support::run_sql(database, "delete from job where id = ? and receipt = ? returning id",
                              {job.id, job.receipt})
                 .empty();
        if (!is_ours) return false;
        support::run_sql(
            database,
            "insert or ignore into dead_letter (id, body, reason, at) values (?, ?, ?, ?)",
            {job.id, job.body, reason, now_ms()});
        return true;
    });
}

std::vector<QueuedJob> SqliteJobQueue::waiting() {
    std::vector<QueuedJob> jobs;
    for (const auto& row : database_.run("select id, body, deliveries from job order by rowid")) {
        jobs.push_back({row[0], row[1], {}, std::stoi(row[2])});
    }
    return jobs;
}

std::vector<DeadLetter> SqliteJobQueue::dead_letters() {
    std::vector<DeadLetter> letters;
    for (const auto& row :
         database_.run("select id, body, reason from dead_letter order by at, rowid")) {
        letters.push_back({row[0], row[1], row[2]});
    }
    return letters;
}

}  // namespace processor
