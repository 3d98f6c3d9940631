#include "database.hpp"

#include <sqlite3.h>

#include <memory>
#include <stdexcept>

namespace dealer {

namespace {

[[noreturn]] void fail(int code) {
    throw std::runtime_error("SQLite: " + std::string(sqlite3_errstr(code)));
}

struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

}  // namespace

SqlRows run_sql(sqlite3* database, const char* sql, const std::vector<SqlValue>& values) {
    sqlite3_stmt* made = nullptr;
    if (const int code = sqlite3_prepare_v2(database, sql, -1, &made, nullptr)) fail(code);
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

Database::Database(const std::string& path) {
    if (const int code = sqlite3_open(path.c_str(), &database_)) {
        sqlite3_close(database_);
        fail(code);
    }
    sqlite3_busy_timeout(database_, 5'000);
    run("pragma journal_mode = wal");
    run("pragma synchronous = full");
}

void Database::transact(const std::function<void(sqlite3*)>& work) {
    const std::lock_guard lock{mutex_};
    run_sql(database_, "begin immediate");
    try {
        work(database_);
        run_sql(database_, "commit");
    } catch (...) {
        sqlite3_exec(database_, "rollback", nullptr, nullptr, nullptr);
        throw;
    }
}

Database::~Database() {
    sqlite3_close(database_);
}

}  // namespace dealer
