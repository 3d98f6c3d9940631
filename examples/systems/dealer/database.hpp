// SQLite, as the conversations use it: a file of the program's own connection, or one that is lent.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

struct sqlite3;

namespace dealer {

using SqlValue = std::variant<std::int64_t, std::string>;
using SqlRows = std::vector<std::vector<std::string>>;

/// Runs one statement; a null is an empty text. Throws std::runtime_error, with SQLite's code and
/// no value.
SqlRows run_sql(sqlite3* database, const char* sql, const std::vector<SqlValue>& values = {});

/// Thread-safe. What was committed survives a loss of power.
class Database {
public:
    explicit Database(const std::string& path);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    SqlRows run(const char* sql, const std::vector<SqlValue>& values = {}) {
        const std::lock_guard lock{mutex_};
        return run_sql(database_, sql, values);
    }

    /// Runs `work` in a transaction, which is undone if it throws.
    void transact(const std::function<void(sqlite3*)>& work);

private:
    sqlite3* database_ = nullptr;
    std::mutex mutex_ = {};
};

}  // namespace dealer
