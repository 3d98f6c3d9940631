// A database of SQLite's own functions, for what measures beside it.
#pragma once

#include <sqlite3.h>

#include <string>
#include <vector>

#include "outbox_sample.hpp"

namespace benchmark_support {

class SqliteSession {
public:
    explicit SqliteSession(const std::string& path) {
        need(sqlite3_open(path.c_str(), &database_) == SQLITE_OK, "open");
    }
    ~SqliteSession() {
        for (auto* const statement : statements_) sqlite3_finalize(statement);
        sqlite3_close(database_);
    }
    SqliteSession(const SqliteSession&) = delete;
    SqliteSession& operator=(const SqliteSession&) = delete;

    void run(const char* sql) {
        need(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
    }
    /// Lives as long as the session.
    sqlite3_stmt* prepare(const char* sql) {
        sqlite3_stmt* statement = nullptr;
        need(sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) == SQLITE_OK, sql);
        statements_.push_back(statement);
        return statement;
    }
    /// A statement without rows, to its end.
    static void execute(sqlite3_stmt* statement) {
        need(sqlite3_step(statement) == SQLITE_DONE, "a statement");
        sqlite3_reset(statement);
    }
    /// The text has to live until the statement was executed.
    static void bind(sqlite3_stmt* statement, int position, const std::string& text) {
        sqlite3_bind_text(statement, position, text.data(), static_cast<int>(text.size()), nullptr);
    }

private:
    sqlite3* database_ = nullptr;
    std::vector<sqlite3_stmt*> statements_;
};

}  // namespace benchmark_support
