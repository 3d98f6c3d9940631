#include "sqlite_database.hpp"

#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>

#include <twiliowa/sqlite/sqlite_outbox.hpp>

namespace support {

namespace wa = twiliowa;

namespace {

[[noreturn]] void fail(int code) {
    throw std::runtime_error("SQLite: " + std::string(sqlite3_errstr(code)));
}

struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

}  // namespace

SqlRows run_sql(sqlite3* database, const std::string& sql, const std::vector<SqlValue>& values) {
    sqlite3_stmt* made = nullptr;
    if (const int code = sqlite3_prepare_v2(database, sql.c_str(), -1, &made, nullptr)) fail(code);
    const std::unique_ptr<sqlite3_stmt, Finalize> statement{made};
    int index = 0;
    for (const auto& value : values) {
        if (const auto* const number = std::get_if<std::int64_t>(&value)) {
            sqlite3_bind_int64(made, ++index, *number);
        } else {
            const auto& text = std::get<std::string>(value);
            sqlite3_bind_text(made, ++index, text.data(), static_cast<int>(text.size()),
                              SQLITE_TRANSIENT);
        }
    }
    SqlRows rows;
    int code = sqlite3_step(made);
    for (; code == SQLITE_ROW; code = sqlite3_step(made)) {
        auto& row = rows.emplace_back();
        for (int i = 0; i < sqlite3_column_count(made); ++i) {
            const auto* const text = sqlite3_column_text(made, i);
            row.emplace_back(text == nullptr ? "" : reinterpret_cast<const char*>(text));
        }
    }
    if (code != SQLITE_DONE) fail(code);
    return rows;
}

SqliteDatabase::SqliteDatabase(const std::string& path) {
    if (const int code = sqlite3_open(path.c_str(), &database_)) {
        sqlite3_close(database_);
        fail(code);
    }
    sqlite3_busy_timeout(database_, 5'000);
    run("pragma journal_mode = wal");
    run("pragma synchronous = full");
}

SqliteDatabase::~SqliteDatabase() {
    sqlite3_close(database_);
}

SqlRows SqliteDatabase::run(const std::string& sql, const std::vector<SqlValue>& values,
                            sqlite3* within) {
    if (within != nullptr) return run_sql(within, sql, values);
    const std::lock_guard lock{mutex_};
    return run_sql(database_, sql, values);
}

void SqliteDatabase::transact(const std::function<bool(sqlite3*)>& work) {
    const std::lock_guard lock{mutex_};
    run_sql(database_, "begin immediate");
    try {
        run_sql(database_, work(database_) ? "commit" : "rollback");
    } catch (...) {
        // SQLite may have rolled it back already.
        sqlite3_exec(database_, "rollback", nullptr, nullptr, nullptr);
        throw;
    }
}

wa::Result<wa::EnqueuedJob> SqliteDatabase::hand_over(
    wa::Outbox& outbox, const wa::OutboundMessage& message, const wa::JobOptions& options,
    const std::function<void(sqlite3*, const wa::EnqueuedJob&)>& record) {
    std::optional<wa::Result<wa::EnqueuedJob>> job;
    transact([&](sqlite3* database) {
        job = wa::try_enqueue_in(database, outbox, message, options);
        if (!*job || (*job)->existed) return false;
        record(database, **job);
        return true;
    });
    return *std::move(job);
}

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace support
