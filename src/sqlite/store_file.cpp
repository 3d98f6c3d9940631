#include "sqlite/store_file.hpp"

#include <utility>

#include "sqlite/database_file.hpp"

namespace twiliowa::detail {

namespace {

constexpr FileKind store_file_kind{store_application_id, store_schema_version};

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

Result<void> make_store_tables(SqliteConnection& file) {
    SqliteTransaction transaction{file};
    if (auto begun = transaction.begin(); !begun) return begun.error();
    // Another process may have been faster.
    const auto state = file_state(file, store_file_kind);
    if (!state) return state.error();
    if (*state != FileState::empty) return {};
    const auto header = header_sql(store_file_kind);
    for (const auto* const sql : {store_tables, header.c_str()}) {
        if (auto done = file.execute(sql); !done) return done.error();
    }
    return transaction.commit();
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> open_store_file(const std::string& path,
                                                          std::chrono::milliseconds busy_timeout) {
    auto opened = open_database_file(path, busy_timeout, [](SqliteConnection& file) {
        return file_state(file, store_file_kind);
    });
    if (!opened) return opened.error();
    if (opened->state == FileState::empty) {
        if (auto made = make_store_tables(*opened->connection); !made) return made.error();
    }
    return std::move(opened->connection);
}

}  // namespace twiliowa::detail
