#include "sqlite/database_file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

namespace {

constexpr int oldest_sqlite = 3'037'000;  // STRICT tables

Error later_tables() {
    return store_error("was written by a later version of this library",
                       "update this program; the file was left as it was");
}

Error foreign_file() {
    return store_error("is a database of another program",
                       "name another file; this one was left as it was");
}

/// The same at one moment: another process may be making the tables, and half of them would look
/// like another program's.
Result<FileState> file_state_now(SqliteConnection& file, const FileKind& kind) {
    if (auto begun = file.execute("begin"); !begun) return begun.error();
    auto state = file_state(file, kind);
    if (const auto ended = file.execute("commit"); !ended) return ended.error();
    return state;
}

/// SQLite does not wait for this by itself when several processes do it at once.
Result<void> use_write_ahead_log(SqliteConnection& file, std::chrono::milliseconds busy_timeout) {
    constexpr int pause = 10;
    for (auto left = busy_timeout.count(); true; left -= pause) {
        const auto mode = file.text_of("pragma journal_mode = wal");
        if (mode && *mode == "wal") return {};
        if (mode) {
            return store_error("cannot have a write-ahead log",
                               "keep it on a disk of this machine");
        }
        if (left <= 0 || mode.error().what() != sqlite_error(SQLITE_BUSY).what()) {
            return mode.error();
        }
        sqlite3_sleep(pause);
    }
}

}  // namespace

Result<void> make_database_file(const std::string& path) {
    // Not by opening it: to close a file drops every lock that this process has on it, those of
    // another connection, too.
    if (::mknod(path.c_str(), S_IFREG | 0600, 0) == 0 || errno == EEXIST) return {};
    const int problem = errno;
    if (problem == EROFS || problem == EACCES || problem == EPERM) {
        return sqlite_error(SQLITE_READONLY);
    }
    return sqlite_error(SQLITE_CANTOPEN);
}

Result<FileState> file_state(SqliteConnection& file, const FileKind& kind) {
    const auto application = file.number_of("pragma application_id");
    if (!application) return application.error();
    const auto version = file.number_of("pragma user_version");
    if (!version) return version.error();
    if (*application != kind.application_id) {
        if (*application != 0 || *version != 0) return foreign_file();
        const auto objects = file.number_of("select count(*) from sqlite_schema");
        if (!objects) return objects.error();
        if (*objects != 0) return foreign_file();
        return FileState::empty;
    }
    if (*version > kind.schema_version) return later_tables();
    return *version < kind.schema_version ? FileState::older : FileState::current;
}

Result<void> check_not_later(SqliteConnection& file, const FileKind& kind) {
    const auto version = file.number_of("pragma user_version");
    if (!version) return version.error();
    return *version > kind.schema_version ? later_tables() : Result<void>{};
}

std::string header_sql(const FileKind& kind) {
    return "pragma application_id = " + std::to_string(kind.application_id) +
           ";\npragma user_version = " + std::to_string(kind.schema_version) + ";\n";
}

Result<OpenedFile> open_database_file(const std::string& path,
                                      std::chrono::milliseconds busy_timeout,
                                      const FileKind& kind) {
    if (sqlite3_libversion_number() < oldest_sqlite) {
        return store_error("needs SQLite 3.37 or later",
                           "the library that was loaded is " + std::string{sqlite3_libversion()});
    }
    auto opened = SqliteConnection::open(path, busy_timeout);
    if (!opened) return opened.error();
    auto& file = **opened;
    const auto state = file_state_now(file, kind);
    if (!state) return state.error();
    if (auto set = use_write_ahead_log(file, busy_timeout); !set) return set.error();
    if (auto set = file.execute("pragma synchronous = full; pragma secure_delete = on; "
                                "pragma trusted_schema = off");
        !set) {
        return set.error();
    }
    return OpenedFile{std::move(opened).value(), *state};
}

}  // namespace twiliowa::detail
