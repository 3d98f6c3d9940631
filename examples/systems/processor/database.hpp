// A file of SQLite, as the queue and the conversation record use it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

struct sqlite3;

namespace processor {

class Database {
public:
    using Value = std::variant<std::int64_t, std::string>;
    using Rows = std::vector<std::vector<std::string>>;

    /// What was committed survives a loss of power. Throws std::runtime_error, as all of this does,
    /// with SQLite's code and no value.
    explicit Database(const std::string& path);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    /// Runs one statement; a null is an empty text.
    Rows run(const char* sql, const std::vector<Value>& values = {});
    /// How many rows the last statement changed.
    int changed() const;
    sqlite3* handle() const noexcept { return database_; }
    /// Held by whoever does several things in a row.
    std::unique_lock<std::recursive_mutex> lock() { return std::unique_lock{mutex_}; }

private:
    sqlite3* database_ = nullptr;
    std::recursive_mutex mutex_;
};

/// A transaction, which ends undone unless it is committed.
class Transaction {
public:
    explicit Transaction(Database& database);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

private:
    Database& database_;
    std::unique_lock<std::recursive_mutex> lock_;
    bool open_ = true;
};

}  // namespace processor
