#include "sqlite/outbox_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include <twiliowa/state/store.hpp>

#include "sqlite/database_file.hpp"
#include "sqlite/outbox_schema.hpp"

namespace twiliowa::detail {

namespace {

struct FileSystemType {
    unsigned long type;
    std::string_view name;
};

// linux/magic.h has some of them only.
constexpr std::array<FileSystemType, 16> network_file_systems{{{0x6969, "NFS"},
                                                               {0x517b, "SMB"},
                                                               {0xff534d42, "CIFS"},
                                                               {0xfe534d42, "SMB2"},
                                                               {0x65735546, "FUSE"},
                                                               {0x01021997, "9P"},
                                                               {0x5346414f, "AFS"},
                                                               {0x6b414653, "AFS"},
                                                               {0x73757245, "Coda"},
                                                               {0x00c36400, "Ceph"},
                                                               {0x564c, "NCP"},
                                                               {0x0bd00bd0, "Lustre"},
                                                               {0x47504653, "GPFS"},
                                                               {0x01161970, "GFS2"},
                                                               {0x7461636f, "OCFS2"},
                                                               {0x786f4256, "vboxsf"}}};

std::string first_line_of(const char* path) {
    std::ifstream file{path};
    std::string line;
    std::getline(file, line);
    return line;
}

/// Which one of a few it is, not whose: FNV-1a.
std::string identity_hash(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (int shift = 60; shift >= 0; shift -= 4) hex += digits[(hash >> shift) & 15];
    return hex;
}

Error lacks_outbox_tables() {
    return store_error("has no tables of an outbox",
                       "open it with SqliteOutboxOptions::create, or run SqliteOutbox::migrate");
}

Error has_earlier_tables() {
    return store_error("has tables of an earlier version of this library",
                       "stop who uses it, back it up and run SqliteOutbox::migrate");
}

/// What a file has of an outbox.
struct FoundTables {
    int version = 0;          ///< 0: it has none.
    bool is_empty = false;    ///< It has nothing.
    bool has_header = false;  ///< Its header says that it is an outbox's.

    FileState state() const noexcept {
        if (version == 0 && !has_header) return FileState::empty;
        return version < outbox_file_kind().schema_version ? FileState::older : FileState::current;
    }
};

/// The version that the tables say; 0 if they say none.
Result<int> noted_version(SqliteConnection& file) {
    static const auto sql = noted_outbox_version_sql({});
    const auto notes = file.number_of(
        "select count(*) from sqlite_schema where type = 'table' and name = 'twiliowa_schema'");
    if (!notes) return notes.error();
    if (*notes == 0) return 0;
    const auto version = file.number_of(sql);
    if (!version) return version.error();
    return static_cast<int>(*version);
}

/// What a program has made of the header does not matter to tables that say their version.
Result<FoundTables> find_tables(SqliteConnection& file) {
    const auto kind = outbox_file_kind();
    FoundTables found;
    const auto application = file.number_of("pragma application_id");
    if (!application) return application.error();
    found.has_header = *application == kind.application_id;
    const auto noted = noted_version(file);
    if (!noted) return noted.error();
    found.version = *noted;
    if (found.version == 0) {
        const auto header = file_state(file, kind);
        found.is_empty = header && *header == FileState::empty;
        if (found.has_header) {
            if (!header) return header.error();
            const auto version = file.number_of("pragma user_version");
            if (!version) return version.error();
            // It had the note.
            if (*version >= first_noted_outbox_version) return sqlite_error(SQLITE_CORRUPT);
            found.version = static_cast<int>(*version);
        }
    }
    if (found.version > kind.schema_version) return written_by_later_version();
    return found;
}

Result<FileState> look_at_outbox(SqliteConnection& file, bool beside_others) {
    const auto found = find_tables(file);
    if (!found) return found.error();
    if (found->state() == FileState::empty && !found->is_empty && !beside_others) {
        return is_other_programs_file(
            "name another file, or set SqliteOutboxOptions::allow_other_tables if the outbox is to "
            "lie in that program's; this one was left as it was");
    }
    return found->state();
}

/// What the steps after that version make.
Result<std::vector<std::string>> names_made_after(int version) {
    const auto made = SqliteConnection::open(":memory:", {});
    if (!made) return made.error();
    auto& file = **made;
    const auto steps = outbox_migrations();
    for (std::size_t i = 0; i <= steps.size(); ++i) {
        if (i == static_cast<std::size_t>(version)) {
            auto done = file.execute("create temp table earlier as select name from sqlite_schema");
            if (!done) return done.error();
        }
        if (i == steps.size()) break;
        if (auto done = file.execute(steps[i]); !done) return done.error();
    }
    const auto select = file.prepare(
        "select name from main.sqlite_schema where name not like 'sqlite_%' and name not in "
        "(select name from earlier)");
    if (!select) return select.error();
    std::vector<std::string> names;
    SqliteStatement row{*select};
    while (true) {
        const auto more = row.step();
        if (!more) return more.error();
        if (!*more) return names;
        names.emplace_back(row.bytes(0));
    }
}

/// A program's own table, index, view or trigger of such a name stays as it is.
Result<void> check_names_are_free(SqliteConnection& file, int version) {
    const auto names = names_made_after(version);
    if (!names) return names.error();
    const auto select =
        file.prepare("select count(*) from sqlite_schema where name = ? collate nocase");
    if (!select) return select.error();
    for (const auto& name : *names) {
        SqliteStatement count{*select};
        count.bind_text(1, name);
        if (const auto row = count.step(); !row) return row.error();
        if (count.number(0) == 0) continue;
        return store_error("has another program's " + name,
                           "rename that one, or keep the outbox in a file of its own; this one was "
                           "left as it was");
    }
    return {};
}

Result<void> migrate_outbox(SqliteConnection& file, OutboxTables tables, bool beside_others) {
    SqliteTransaction transaction{file};
    if (auto begun = transaction.begin(); !begun) return begun.error();
    // Another process may have been faster.
    const auto found = find_tables(file);
    if (!found) return found.error();
    if (found->state() == FileState::current) return {};
    if (found->state() == FileState::older && tables != OutboxTables::migrate) {
        return has_earlier_tables();
    }
    if (auto are_free = check_names_are_free(file, found->version); !are_free) return are_free;
    const auto done_before = static_cast<std::size_t>(found->version);
    for (const auto* const step : outbox_migrations().subspan(done_before)) {
        if (auto done = file.execute(step); !done) return done.error();
    }
    auto notes = note_outbox_version_sql();
    // Earlier versions of this library look there; in a program's file it is the program's.
    if (found->has_header || (found->is_empty && !beside_others)) {
        notes += header_sql(outbox_file_kind());
    }
    if (auto done = file.execute(notes.c_str()); !done) return done.error();
    return transaction.commit();
}

/// Bytes of any value survive in UTF-8 alone.
Result<void> check_encoding(SqliteConnection& file) {
    const auto encoding = file.text_of("pragma encoding");
    if (!encoding) return encoding.error();
    if (*encoding == "UTF-8") return {};
    return store_error("is kept in UTF-16, in which not every byte survives",
                       "make it anew, with pragma encoding = 'UTF-8'");
}

}  // namespace

std::string_view network_file_system(unsigned long type) noexcept {
    for (const auto& each : network_file_systems) {
        if (each.type == type) return each.name;
    }
    return {};
}

Result<void> check_file_system(const std::string& path) {
    struct statfs facts = {};
    auto directory = std::filesystem::path{path}.parent_path();
    if (directory.empty()) directory = ".";
    if (::statfs(path.c_str(), &facts) != 0 && ::statfs(directory.c_str(), &facts) != 0) {
        return sqlite_error(SQLITE_CANTOPEN);
    }
    const auto name = network_file_system(static_cast<std::uint32_t>(facts.f_type));
    if (name.empty()) return {};
    return store_error(
        "lies on " + std::string{name} + ", where its locks and its log cannot be relied on",
        "keep it on a disk of this machine, or set allow_network_file_system if one "
        "process alone ever uses it");
}

Result<std::unique_ptr<SqliteConnection>> open_outbox_file(const std::string& path,
                                                           std::chrono::milliseconds busy_timeout,
                                                           OutboxTables tables,
                                                           bool beside_others) {
    auto opened =
        open_database_file(path, busy_timeout, [&](SqliteConnection& file) -> Result<FileState> {
            auto state = look_at_outbox(file, beside_others);
            if (!state) return state;
            if (auto fits = check_encoding(file); !fits) {
                return fits.error();
            }
            return state;
        });
    if (!opened) return opened.error();
    auto& file = *opened->connection;
    if (opened->state == FileState::empty && tables == OutboxTables::require) {
        return lacks_outbox_tables();
    }
    if (opened->state == FileState::older && tables != OutboxTables::migrate) {
        return has_earlier_tables();
    }
    if (opened->state != FileState::current) {
        if (auto made = migrate_outbox(file, tables, beside_others); !made) return made.error();
    }
    // What a work of a batch undoes stays in memory; the log is cut back after a burst. A foreign
    // key of a program's, if it is deferred, would fail at the commit, for all who share it.
    if (auto set = file.execute("pragma temp_store = memory; pragma cache_size = -16000; "
                                "pragma journal_size_limit = 67108864; pragma foreign_keys = off");
        !set) {
        return set.error();
    }
    return std::move(opened->connection);
}

Result<void> check_outbox_tables(SqliteConnection& file) {
    static const auto sql = noted_outbox_version_sql({});
    const auto version = file.number_of(sql);
    if (!version) return version.error();
    const auto ours = outbox_file_kind().schema_version;
    if (*version > ours) return written_by_later_version();
    return *version < ours ? lacks_outbox_tables() : Result<void>{};
}

std::string file_identity(const std::string& path) {
    struct statx facts = {};
    if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &facts) != 0) return {};
    static const std::string machine = first_line_of("/etc/machine-id");
    auto text = machine + '/' + std::to_string(facts.stx_ino) + '/';
    // Numbers of files are used again, and those of devices change when a machine starts: the time
    // at which the file was made tells more, where it is known.
    if ((facts.stx_mask & STATX_BTIME) != 0) {
        text +=
            std::to_string(facts.stx_btime.tv_sec) + '.' + std::to_string(facts.stx_btime.tv_nsec);
    } else {
        text += std::to_string(facts.stx_dev_major) + ':' + std::to_string(facts.stx_dev_minor);
    }
    return identity_hash(text);
}

Result<LeaseTime> machine_lease_time() {
    static const std::string boot = first_line_of("/proc/sys/kernel/random/boot_id");
    struct timespec time = {};
    if (boot.empty() || ::clock_gettime(CLOCK_BOOTTIME, &time) != 0) {
        return store_error("cannot tell when this machine started",
                           "give SqliteOutboxOptions::lease_clock");
    }
    return LeaseTime{boot, static_cast<std::int64_t>(time.tv_sec) * 1'000'000 +
                               static_cast<std::int64_t>(time.tv_nsec) / 1'000};
}

}  // namespace twiliowa::detail
