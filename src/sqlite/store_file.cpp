#include "sqlite/store_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

namespace {

constexpr int oldest_sqlite = 3'037'000;  // STRICT tables

Error foreign_file() {
    return store_error("is a database of another program",
                       "name another file; this one was left as it was");
}

/// Whether the file has nothing in it yet. An error if it is not a store's.
Result<bool> is_new(SqliteConnection& file) {
    const auto application = file.number_of("pragma application_id");
    if (!application) return application.error();
    const auto version = file.number_of("pragma user_version");
    if (!version) return version.error();
    if (*application != store_application_id) {
        if (*application != 0 || *version != 0) return foreign_file();
        const auto objects = file.number_of("select count(*) from sqlite_schema");
        if (!objects) return objects.error();
        if (*objects != 0) return foreign_file();
        return true;
    }
    if (*version > store_schema_version) {
        return store_error("was written by a later version of this library",
                           "update this program; the file was left as it was");
    }
    return false;
}

/// The same at one moment: another process may be making the tables, and half of them would look
/// like another program's.
Result<bool> is_new_now(SqliteConnection& file) {
    if (auto begun = file.execute("begin"); !begun) return begun.error();
    auto empty = is_new(file);
    if (const auto ended = file.execute("commit"); !ended) return ended.error();
    return empty;
}

/// One number counts for the whole file, so that no key gets a version twice, whatever became of
/// its entries.
constexpr const char* store_tables = R"(
create table entry (
    key blob primary key,
    value blob not null,
    version integer not null,
    expires integer not null,
    pinned integer not null
) strict, without rowid;
create index entry_expires on entry (expires) where expires < 9223372036854775807;
create table counter (
    id integer primary key check (id = 1),
    last_version integer not null
) strict;
insert into counter values (1, 0);
)";

Result<void> make_tables(SqliteConnection& file) {
    SqliteTransaction transaction{file};
    if (auto begun = transaction.begin(); !begun) return begun.error();
    // Another process may have been faster.
    const auto empty = is_new(file);
    if (!empty) return empty.error();
    if (!*empty) return {};
    const auto header = "pragma application_id = " + std::to_string(store_application_id) +
                        "; pragma user_version = " + std::to_string(store_schema_version);
    for (const auto* const sql : {store_tables, header.c_str()}) {
        if (auto done = file.execute(sql); !done) return done.error();
    }
    return transaction.commit();
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

Result<void> make_store_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) {
        const int problem = errno;
        if (problem == EROFS || problem == EACCES || problem == EPERM) {
            return sqlite_error(SQLITE_READONLY);
        }
        return sqlite_error(SQLITE_CANTOPEN);
    }
    ::close(file);
    return {};
}

Result<std::unique_ptr<SqliteConnection>> open_store_file(const std::string& path,
                                                          std::chrono::milliseconds busy_timeout) {
    if (sqlite3_libversion_number() < oldest_sqlite) {
        return store_error("needs SQLite 3.37 or later",
                           "the library that was loaded is " + std::string{sqlite3_libversion()});
    }
    auto opened = SqliteConnection::open(path, busy_timeout);
    if (!opened) return opened.error();
    auto& file = **opened;
    const auto empty = is_new_now(file);
    if (!empty) return empty.error();
    if (auto set = use_write_ahead_log(file, busy_timeout); !set) return set.error();
    if (auto set = file.execute("pragma synchronous = full; pragma secure_delete = on; "
                                "pragma trusted_schema = off");
        !set) {
        return set.error();
    }
    if (*empty) {
        if (auto made = make_tables(file); !made) return made.error();
    }
    return opened;
}

}  // namespace twiliowa::detail
