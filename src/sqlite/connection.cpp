#include "sqlite/connection.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <twiliowa/state/store.hpp>

#include "state/store_deadline.hpp"

namespace twiliowa::detail {
namespace {

/// SQLite's own pauses grow to 100 ms, within which those who have just come take the lock again
/// and again: who waits would wait for seconds while others work.
constexpr std::chrono::milliseconds busy_pause{1};
constexpr std::chrono::milliseconds longest_busy_timeout = std::chrono::hours{24 * 365};

}  // namespace

Error sqlite_error(int code) {
    const auto number = " (SQLite " + std::to_string(code) + ")";
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return store_error("is locked by another process" + number,
                               "try again; if it lasts, find who holds a transaction open");
        case SQLITE_FULL:
            return store_error("has no room to write" + number,
                               "free space on its disk, or raise the limit for files; what was "
                               "written before is there");
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return store_error("is read-only" + number,
                               "let this user write the file and its directory");
        case SQLITE_CANTOPEN:
            return store_error(
                "cannot be opened" + number,
                "see that its directory is there and that this user may write in it");
        case SQLITE_NOTADB:
            return store_error("is no file of SQLite" + number,
                               "name another file; this one was left as it was");
        case SQLITE_CORRUPT:
            return store_error("is damaged" + number, "restore it from a backup");
        case SQLITE_IOERR:
            return store_error("cannot be read or written" + number,
                               "look at its disk: space, limits, faults");
        case SQLITE_NOMEM:
            return store_error("has no memory" + number);
        case SQLITE_CONSTRAINT:
        case SQLITE_TOOBIG:
            return store_error("refuses a value" + number,
                               "see that texts are within their limits, and that no other program "
                               "changed its tables");
        default:
            return store_error("failed" + number);
    }
}

// ---- SqliteStatement

SqliteStatement::~SqliteStatement() {
    sqlite3_reset(statement_);
    // What was bound belongs to the caller.
    sqlite3_clear_bindings(statement_);
}

void SqliteStatement::bind(int position, std::string_view bytes) noexcept {
    // A null pointer would be NULL, not no bytes.
    const auto code = bytes.empty() ? sqlite3_bind_zeroblob(statement_, position, 0)
                                    : sqlite3_bind_blob64(statement_, position, bytes.data(),
                                                          bytes.size(), nullptr);
    keep(code);
}

void SqliteStatement::bind_text(int position, std::string_view bytes) noexcept {
    const char* const data = bytes.empty() ? "" : bytes.data();
    keep(sqlite3_bind_text64(statement_, position, data, bytes.size(), nullptr, SQLITE_UTF8));
}

void SqliteStatement::bind_null(int position) noexcept {
    keep(sqlite3_bind_null(statement_, position));
}

void SqliteStatement::bind(int position, std::int64_t number) noexcept {
    keep(sqlite3_bind_int64(statement_, position, number));
}

Result<bool> SqliteStatement::step() {
    const auto code = bound_ == SQLITE_OK ? sqlite3_step(statement_) : bound_;
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return sqlite_error(code);
}

std::string_view SqliteStatement::bytes(int column) const noexcept {
    const auto* const data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return data == nullptr ? std::string_view{} : std::string_view{data, size};
}

std::int64_t SqliteStatement::number(int column) const noexcept {
    return sqlite3_column_int64(statement_, column);
}

bool SqliteStatement::is_null(int column) const noexcept {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

// ---- SqliteConnection

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(
    const std::string& path, std::chrono::milliseconds busy_timeout) {
    sqlite3* database = nullptr;
    const auto code = sqlite3_open_v2(
        path.c_str(), &database,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    std::unique_ptr<SqliteConnection> connection{new SqliteConnection{database}};
    if (code != SQLITE_OK) return sqlite_error(code);
    // What may not be written is opened all the same, to be read.
    if (sqlite3_db_readonly(database, "main") == 1) return sqlite_error(SQLITE_READONLY);
    connection->busy_timeout_ = std::min(busy_timeout, longest_busy_timeout);
    sqlite3_busy_handler(database, wait_while_busy, connection.get());
    return connection;
}

int SqliteConnection::wait_while_busy(void* connection, int count) noexcept {
    auto& self = *static_cast<SqliteConnection*>(connection);
    const auto now = std::chrono::steady_clock::now();
    if (count == 0) self.busy_since_ = now;
    if (now - self.busy_since_ >= self.busy_timeout_ || now >= store_deadline()) return 0;
    std::this_thread::sleep_for(busy_pause);
    return 1;
}

SqliteConnection::~SqliteConnection() {
    finish_statements();
    sqlite3_close(database_);
}

void SqliteConnection::finish_statements() noexcept {
    for (const auto& statement : statements_) sqlite3_finalize(statement.second);
    statements_.clear();
}

void SqliteConnection::abandon() noexcept {
    database_ = nullptr;
    statements_.clear();
}

Result<sqlite3_stmt*> SqliteConnection::prepare(const std::string& sql) {
    const auto known = statements_.find(sql);
    if (known != statements_.end()) return known->second;
    sqlite3_stmt* statement = nullptr;
    const auto code = sqlite3_prepare_v3(database_, sql.c_str(), static_cast<int>(sql.size()),
                                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return sqlite_error(code);
    try {
        statements_.emplace(sql, statement);
    } catch (...) {
        sqlite3_finalize(statement);
        throw;
    }
    return statement;
}

Result<void> SqliteConnection::execute(const char* sql) {
    const auto code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return sqlite_error(code);
    return {};
}

Result<void> SqliteConnection::run(const std::string& sql) {
    const auto prepared = prepare(sql);
    if (!prepared) return prepared.error();
    SqliteStatement statement{*prepared};
    if (const auto done = statement.step(); !done) return done.error();
    return {};
}

Result<std::int64_t> SqliteConnection::number_of(const std::string& sql) {
    const auto prepared = prepare(sql);
    if (!prepared) return prepared.error();
    SqliteStatement statement{*prepared};
    const auto row = statement.step();
    if (!row) return row.error();
    return *row ? statement.number(0) : 0;
}

Result<std::string> SqliteConnection::text_of(const std::string& sql) {
    const auto prepared = prepare(sql);
    if (!prepared) return prepared.error();
    SqliteStatement statement{*prepared};
    const auto row = statement.step();
    if (!row) return row.error();
    if (!*row) return std::string{};
    // In UTF-8, whatever the file is kept in.
    const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(*prepared, 0));
    return std::string{text == nullptr ? "" : text};
}

bool SqliteConnection::empty_log(std::chrono::milliseconds patience) noexcept {
    const auto usual = std::exchange(busy_timeout_, std::min(busy_timeout_, patience));
    const int code =
        sqlite3_wal_checkpoint_v2(database_, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    busy_timeout_ = usual;
    return code == SQLITE_OK;
}

BorrowedConnection::~BorrowedConnection() {
    connection_.finish_statements();
    connection_.abandon();
}

Result<void> SqliteTransaction::begin() {
    static const std::string sql = "begin immediate";
    return connection_.run(sql);
}

Result<void> SqliteTransaction::commit() {
    static const std::string sql = "commit";
    return connection_.run(sql);
}

SqliteTransaction::~SqliteTransaction() {
    // A commit that failed may have left it open, or may have ended it.
    if (connection_.is_in_transaction()) static_cast<void>(connection_.execute("rollback"));
}

}  // namespace twiliowa::detail
