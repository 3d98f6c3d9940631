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

Result<void> migrate_outbox(SqliteConnection& file, OutboxTables tables) {
    SqliteTransaction transaction{file};
    if (auto begun = transaction.begin(); !begun) return begun.error();
    // Another process may have been faster.
    const auto kind = outbox_file_kind();
    const auto state = file_state(file, kind);
    if (!state) return state.error();
    if (*state == FileState::current) return {};
    if (*state == FileState::older && tables != OutboxTables::migrate) return has_earlier_tables();
    const auto version = file.number_of("pragma user_version");
    if (!version) return version.error();
    for (const auto* const step : outbox_migrations().subspan(static_cast<std::size_t>(*version))) {
        if (auto done = file.execute(step); !done) return done.error();
    }
    if (auto done = file.execute(header_sql(kind).c_str()); !done) return done.error();
    return transaction.commit();
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
                                                           OutboxTables tables) {
    auto opened = open_database_file(path, busy_timeout, outbox_file_kind());
    if (!opened) return opened.error();
    auto& file = *opened->connection;
    if (opened->state == FileState::empty && tables == OutboxTables::require) {
        return lacks_outbox_tables();
    }
    if (opened->state == FileState::older && tables != OutboxTables::migrate) {
        return has_earlier_tables();
    }
    if (opened->state != FileState::current) {
        if (auto made = migrate_outbox(file, tables); !made) return made.error();
    }
    const auto encoding = file.text_of("pragma encoding");
    if (!encoding) return encoding.error();
    if (*encoding != "UTF-8") {
        return store_error("is kept in UTF-16, in which not every byte survives",
                           "make it anew, with pragma encoding = 'UTF-8'");
    }
    // What a work of a batch undoes stays in memory; the log is cut back after a burst.
    if (auto set = file.execute("pragma temp_store = memory; pragma cache_size = -16000; "
                                "pragma journal_size_limit = 67108864");
        !set) {
        return set.error();
    }
    return std::move(opened->connection);
}

std::string file_identity(const std::string& path) {
    struct statx facts = {};
    if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &facts) != 0) return {};
    auto text = first_line_of("/etc/machine-id") + '/' + std::to_string(facts.stx_ino) + '/';
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
