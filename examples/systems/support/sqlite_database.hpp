// A file of SQLite with tables of a system's own, most often the outbox's file: what is recorded
// and what is handed over are there in one commit.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>

struct sqlite3;

namespace support {

using SqlValue = std::variant<std::int64_t, std::string>;
using SqlRows = std::vector<std::vector<std::string>>;

/// Runs one statement, on a connection that may be another's; a null is an empty text. Throws
/// std::runtime_error, as all of this does, with SQLite's code and no value.
SqlRows run_sql(sqlite3* database, const std::string& sql,
                const std::vector<SqlValue>& values = {});

/// Thread-safe. What was committed survives a loss of power.
class SqliteDatabase {
public:
    explicit SqliteDatabase(const std::string& path);
    ~SqliteDatabase();
    SqliteDatabase(const SqliteDatabase&) = delete;
    SqliteDatabase& operator=(const SqliteDatabase&) = delete;

    /// @param within  runs it in the transaction that is open there; null: by itself.
    SqlRows run(const std::string& sql, const std::vector<SqlValue>& values = {},
                sqlite3* within = nullptr);
    /// Runs `work` in a transaction, which is undone if it throws, or says false.
    void transact(const std::function<bool(sqlite3*)>& work);
    /// Hands a message over, and has it recorded, in one transaction: neither is without the other.
    /// What was handed over before, or is refused, is not recorded.
    twiliowa::Result<twiliowa::EnqueuedJob> hand_over(
        twiliowa::Outbox& outbox, const twiliowa::OutboundMessage& message,
        const twiliowa::JobOptions& options,
        const std::function<void(sqlite3*, const twiliowa::EnqueuedJob&)>& record);

private:
    sqlite3* database_ = nullptr;
    std::mutex mutex_ = {};
};

/// Milliseconds since 1970.
std::int64_t now_ms();

}  // namespace support
