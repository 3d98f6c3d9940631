/// @file
/// A connection to a file of SQLite, its statements and transactions. Not thread-safe.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// What a result code of SQLite means for who keeps a store. SQLite's own words are left out: they
/// may quote what the store holds.
Error sqlite_error(int code);

/// A prepared statement while it is used; it is free for the next use afterwards.
class SqliteStatement {
public:
    explicit SqliteStatement(sqlite3_stmt* statement) noexcept : statement_(statement) {}
    SqliteStatement(const SqliteStatement&) = delete;
    SqliteStatement& operator=(const SqliteStatement&) = delete;
    ~SqliteStatement();

    /// Bound bytes must outlive the statement's use. Positions count from 1.
    void bind(int position, std::string_view bytes) noexcept;
    void bind(int position, std::int64_t number) noexcept;
    /// As text: whatever bytes, compared as they are.
    void bind_text(int position, std::string_view bytes) noexcept;
    void bind_null(int position) noexcept;

    /// Whether there is a row, or another one.
    Result<bool> step();
    std::string_view bytes(int column) const noexcept;
    std::int64_t number(int column) const noexcept;
    bool is_null(int column) const noexcept;

private:
    void keep(int code) noexcept {
        if (bound_ == SQLITE_OK) bound_ = code;
    }

    sqlite3_stmt* statement_;
    int bound_ = SQLITE_OK;  ///< The first binding that failed: told by step.
};

class SqliteConnection {
public:
    static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path,
                                                          std::chrono::milliseconds busy_timeout);
    SqliteConnection(const SqliteConnection&) = delete;
    SqliteConnection& operator=(const SqliteConnection&) = delete;
    ~SqliteConnection();

    /// Prepared at its first use. A text is prepared once: keep them few.
    Result<sqlite3_stmt*> prepare(const std::string& sql);
    /// Runs a statement without values and rows, which is prepared once.
    Result<void> run(const std::string& sql);
    /// Statements without values and without rows that matter.
    Result<void> execute(const char* sql);
    /// The first column of the first row, as a number; 0 without a row.
    Result<std::int64_t> number_of(const std::string& sql);
    Result<std::string> text_of(const std::string& sql);
    std::int64_t last_insert_rowid() const noexcept { return sqlite3_last_insert_rowid(database_); }
    /// Rows that the last statement changed.
    int changes() const noexcept { return sqlite3_changes(database_); }
    /// Rows that were changed since the connection was opened.
    std::int64_t total_changes() const noexcept { return sqlite3_total_changes(database_); }
    sqlite3* handle() const noexcept { return database_; }
    bool is_in_transaction() const noexcept { return sqlite3_get_autocommit(database_) == 0; }

    /// Brings what the write-ahead log holds into the file and makes the log empty; whether that
    /// was possible while others use the file, for whom it waits no longer than `patience`.
    bool empty_log(std::chrono::milliseconds patience) noexcept;
    void finish_statements() noexcept;
    /// In a process that was forked nothing of SQLite's may be touched, not even closed.
    void abandon() noexcept;

private:
    friend class BorrowedConnection;
    explicit SqliteConnection(sqlite3* database) noexcept : database_(database) {}
    static int wait_while_busy(void* connection, int count) noexcept;

    /// By their lengths first: many begin alike, and are long.
    struct StatementOrder {
        bool operator()(const std::string& a, const std::string& b) const noexcept {
            return a.size() != b.size() ? a.size() < b.size() : a < b;
        }
    };

    sqlite3* database_;
    std::chrono::milliseconds busy_timeout_ = {};
    std::chrono::steady_clock::time_point busy_since_ = {};
    std::map<std::string, sqlite3_stmt*, StatementOrder> statements_ = {};
};

/// Somebody else's connection while a function uses it: nothing of ours stays behind.
class BorrowedConnection {
public:
    explicit BorrowedConnection(sqlite3* database) noexcept : connection_(database) {}
    BorrowedConnection(const BorrowedConnection&) = delete;
    BorrowedConnection& operator=(const BorrowedConnection&) = delete;
    ~BorrowedConnection();

    SqliteConnection& connection() noexcept { return connection_; }

private:
    SqliteConnection connection_;
};

/// BEGIN IMMEDIATE: waits for its turn here, and nowhere later. Rolled back unless committed.
class SqliteTransaction {
public:
    explicit SqliteTransaction(SqliteConnection& connection) noexcept : connection_(connection) {}
    SqliteTransaction(const SqliteTransaction&) = delete;
    SqliteTransaction& operator=(const SqliteTransaction&) = delete;
    ~SqliteTransaction();

    Result<void> begin();
    Result<void> commit();

private:
    SqliteConnection& connection_;
};

}  // namespace twiliowa::detail
