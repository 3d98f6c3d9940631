#include "sqlite/database_file.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

namespace {

constexpr int oldest_sqlite = 3'037'000;  // STRICT tables

/// The same at one moment: another process may be making the tables, and half of them would look
/// like another program's.
Result<FileState> look_now(SqliteConnection& file, const LookAtFile& look) {
    if (auto begun = file.execute("begin"); !begun) return begun.error();
    auto state = look(file);
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

Error written_by_later_version() {
    return store_error("was written by a later version of this library",
                       "update this program; the file was left as it was");
}

Error is_other_programs_file(std::string_view hint) {
    return store_error("is a database of another program", hint);
}

Result<FileState> file_state(SqliteConnection& file, const FileKind& kind) {
    const auto application = file.number_of("pragma application_id");
    if (!application) return application.error();
    const auto version = file.number_of("pragma user_version");
    if (!version) return version.error();
    if (*application != kind.application_id) {
        const auto objects = file.number_of("select count(*) from sqlite_schema");
        if (!objects) return objects.error();
        if (*application == 0 && *version == 0 && *objects == 0) return FileState::empty;
        return is_other_programs_file("name another file; this one was left as it was");
    }
    if (*version > kind.schema_version) return written_by_later_version();
    return *version < kind.schema_version ? FileState::older : FileState::current;
}

std::string header_sql(const FileKind& kind) {
    return "pragma application_id = " + std::to_string(kind.application_id) +
           ";\npragma user_version = " + std::to_string(kind.schema_version) + ";\n";
}

Result<OpenedFile> open_database_file(const std::string& path,
                                      std::chrono::milliseconds busy_timeout,
                                      const LookAtFile& look) {
    if (sqlite3_libversion_number() < oldest_sqlite) {
        return store_error("needs SQLite 3.37 or later",
                           "the library that was loaded is " + std::string{sqlite3_libversion()});
    }
    auto opened = SqliteConnection::open(path, busy_timeout);
    if (!opened) return opened.error();
    auto& file = **opened;
    const auto state = look_now(file, look);
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
