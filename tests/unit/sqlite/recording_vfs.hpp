/// @file
/// A disk between SQLite and the real one, which writes down what SQLite asks of it, fails when it
/// is told to, and knows what would be left had the power gone.
#pragma once

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <new>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sqlite_test {

/// One thing that SQLite did to a file, or that a test wants to remember between them.
struct DiskEvent {
    enum class Kind { write, truncate, sync, remove, note };
    Kind kind = Kind::note;
    std::string text = {};  ///< The file's name without its directory; what is to be remembered.
    std::int64_t offset = 0;
    std::string bytes = {};
};

/// SQLite's default VFS as long as it lives. Of one thread, as the tests are that use it.
class RecordingVfs {
public:
    RecordingVfs() : real_(sqlite3_vfs_find(nullptr)), shim_(*real_) {
        current() = this;
        // What is not replaced here is the real one's, which does not look at who asks.
        shim_.zName = "twiliowa-recording";
        shim_.pNext = nullptr;
        shim_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
        shim_.xOpen = open;
        shim_.xDelete = remove;
        REQUIRE(sqlite3_vfs_register(&shim_, 1) == SQLITE_OK);
    }
    RecordingVfs(const RecordingVfs&) = delete;
    RecordingVfs& operator=(const RecordingVfs&) = delete;
    ~RecordingVfs() {
        sqlite3_vfs_register(real_, 1);
        sqlite3_vfs_unregister(&shim_);
        current() = nullptr;
    }

    void note(std::string text) {
        if (records) events.push_back({DiskEvent::Kind::note, std::move(text)});
    }
    /// What may fail has been asked for so often.
    int asked() const noexcept { return asked_; }
    /// The n-th thing that may fail from now on, 0 the next one, and with `lasting` all after it.
    /// With SQLITE_FULL those are writes; with another code syncs, too, and what changes files
    /// otherwise.
    void fail(int n, int code, bool lasting) {
        asked_ = 0;
        fails_at_ = n;
        code_ = code;
        lasting_ = lasting;
    }
    void fail_no_more() { fails_at_ = -1; }

    std::vector<DiskEvent> events = {};
    std::function<void()> before_change = {};  ///< Of any file.
    bool records = true;
    bool syncs = true;  ///< Whether the real disk is asked to, which takes time.

private:
    /// Before the file of the real VFS, which lies behind it.
    struct File {
        sqlite3_file base;
        char name[64];
        bool kept;  ///< Has a name, and outlives the process.

        sqlite3_file* real() noexcept { return reinterpret_cast<sqlite3_file*>(this + 1); }
        sqlite3_io_methods const& methods() noexcept { return *real()->pMethods; }
    };

    static RecordingVfs*& current() {
        static RecordingVfs* one = nullptr;
        return one;
    }
    static File& shim_of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
    static sqlite3_file* real_of(sqlite3_file* file) { return shim_of(file).real(); }
    static const sqlite3_io_methods& real_methods(sqlite3_file* file) {
        return *real_of(file)->pMethods;
    }
    static std::string name_of(const char* path) {
        return std::filesystem::path{path}.filename().string();
    }

    /// What to answer; `as` is what SQLite calls the failure of that.
    int may_fail(int as) {
        if (before_change) before_change();
        if (fails_at_ < 0 || (code_ == SQLITE_FULL && as != SQLITE_IOERR_WRITE)) return SQLITE_OK;
        const int n = asked_++;
        if (n != fails_at_ && !(lasting_ && n > fails_at_)) return SQLITE_OK;
        return code_ == SQLITE_IOERR ? as : code_;
    }
    void record(File& file, DiskEvent event) {
        if (!records || !file.kept) return;
        event.text = file.name;
        events.push_back(std::move(event));
    }

    static int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* given) {
        auto& self = *current();
        auto* const shim = new (file) File{};
        const int code = self.real_->xOpen(self.real_, path, shim->real(), flags, given);
        if (shim->real()->pMethods == nullptr) return code;
        shim->kept = path != nullptr;
        if (path != nullptr) {
            const auto name = name_of(path);
            std::memcpy(shim->name, name.data(), std::min(name.size(), sizeof shim->name - 1));
        }
        static const sqlite3_io_methods methods{
            2,       close,       read,         write,   truncate,
            sync,    file_size,   lock,         unlock,  check_reserved_lock,
            control, sector_size, device_facts, shm_map, shm_lock,
            barrier, shm_unmap,   nullptr,      nullptr,
        };
        shim->base.pMethods = &methods;
        return code;
    }
    static int remove(sqlite3_vfs*, const char* path, int sync_directory) {
        auto& self = *current();
        if (const int code = self.may_fail(SQLITE_IOERR_DELETE); code != SQLITE_OK) return code;
        const int code = self.real_->xDelete(self.real_, path, sync_directory);
        if (code == SQLITE_OK && self.records) {
            self.events.push_back({DiskEvent::Kind::remove, name_of(path), sync_directory});
        }
        return code;
    }

    static int close(sqlite3_file* file) { return real_methods(file).xClose(real_of(file)); }
    static int read(sqlite3_file* file, void* to, int count, sqlite3_int64 offset) {
        return real_methods(file).xRead(real_of(file), to, count, offset);
    }
    static int write(sqlite3_file* file, const void* from, int count, sqlite3_int64 offset) {
        auto& self = *current();
        if (const int code = self.may_fail(SQLITE_IOERR_WRITE); code != SQLITE_OK) return code;
        self.record(shim_of(file),
                    {DiskEvent::Kind::write,
                     {},
                     offset,
                     std::string{static_cast<const char*>(from), static_cast<std::size_t>(count)}});
        return real_methods(file).xWrite(real_of(file), from, count, offset);
    }
    static int truncate(sqlite3_file* file, sqlite3_int64 size) {
        auto& self = *current();
        if (const int code = self.may_fail(SQLITE_IOERR_TRUNCATE); code != SQLITE_OK) return code;
        self.record(shim_of(file), {DiskEvent::Kind::truncate, {}, size});
        return real_methods(file).xTruncate(real_of(file), size);
    }
    static int sync(sqlite3_file* file, int flags) {
        auto& self = *current();
        if (const int code = self.may_fail(SQLITE_IOERR_FSYNC); code != SQLITE_OK) return code;
        const int code = self.syncs ? real_methods(file).xSync(real_of(file), flags) : SQLITE_OK;
        if (code == SQLITE_OK) self.record(shim_of(file), {DiskEvent::Kind::sync});
        return code;
    }
    static int file_size(sqlite3_file* file, sqlite3_int64* size) {
        return real_methods(file).xFileSize(real_of(file), size);
    }
    static int lock(sqlite3_file* file, int level) {
        return real_methods(file).xLock(real_of(file), level);
    }
    static int unlock(sqlite3_file* file, int level) {
        return real_methods(file).xUnlock(real_of(file), level);
    }
    static int check_reserved_lock(sqlite3_file* file, int* held) {
        return real_methods(file).xCheckReservedLock(real_of(file), held);
    }
    static int control(sqlite3_file* file, int what, void* with) {
        return real_methods(file).xFileControl(real_of(file), what, with);
    }
    static int sector_size(sqlite3_file* file) {
        return real_methods(file).xSectorSize(real_of(file));
    }
    static int device_facts(sqlite3_file* file) {
        return real_methods(file).xDeviceCharacteristics(real_of(file));
    }
    static int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
        return real_methods(file).xShmMap(real_of(file), page, size, extend, at);
    }
    static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
        return real_methods(file).xShmLock(real_of(file), offset, count, flags);
    }
    static void barrier(sqlite3_file* file) { real_methods(file).xShmBarrier(real_of(file)); }
    static int shm_unmap(sqlite3_file* file, int remove_it) {
        return real_methods(file).xShmUnmap(real_of(file), remove_it);
    }

    sqlite3_vfs* const real_;
    sqlite3_vfs shim_;
    int asked_ = 0;
    int fails_at_ = -1;
    int code_ = SQLITE_OK;
    bool lasting_ = false;
};

/// What a disk holds, by the names of the files.
using DiskImage = std::map<std::string, std::string>;

inline void apply_event(DiskImage& image, const DiskEvent& event) {
    const auto offset = static_cast<std::size_t>(event.offset);
    switch (event.kind) {
        case DiskEvent::Kind::write: {
            auto& file = image[event.text];
            if (file.size() < offset + event.bytes.size()) {
                file.resize(offset + event.bytes.size());
            }
            file.replace(offset, event.bytes.size(), event.bytes);
            break;
        }
        case DiskEvent::Kind::truncate:
            if (image[event.text].size() > offset) image[event.text].resize(offset);
            break;
        case DiskEvent::Kind::remove:
            image.erase(event.text);
            break;
        case DiskEvent::Kind::sync:
        case DiskEvent::Kind::note:
            break;
    }
}

/// Goes through the events one by one, and says what the disk may hold if the power goes then.
class PowerLoss {
public:
    void happen(const DiskEvent& event) {
        if (event.kind == DiskEvent::Kind::note) return;
        if (event.kind == DiskEvent::Kind::sync) {
            // SQLite syncs the directory with a journal or log that is new in it.
            if (is_new(event.text)) settle_removals();
            settle(event.text);
            return;
        }
        pending_.push_back(event);
        // A removal that is to last is waited for.
        if (event.kind == DiskEvent::Kind::remove && event.offset != 0) settle(event.text);
    }
    /// What was not synced is there all the same, in order.
    DiskImage everything() const {
        auto image = durable_;
        for (const auto& event : pending_) apply_event(image, event);
        return image;
    }
    /// Nothing that was not synced is there.
    const DiskImage& nothing_unsynced() const noexcept { return durable_; }
    /// Whatever is not synced is there, or not, by the sectors of a write; the files change in any
    /// order.
    DiskImage some(std::minstd_rand& random) const {
        auto image = durable_;
        std::set<std::string> unreachable;  // New files whose name still is that of the old one.
        for (const auto& event : pending_) {
            if (unreachable.contains(event.text)) continue;
            const auto chance = random() % 3;
            if (chance == 0) {
                if (event.kind == DiskEvent::Kind::remove) unreachable.insert(event.text);
                continue;
            }
            if (chance == 1 || event.kind != DiskEvent::Kind::write) {
                apply_event(image, event);
                continue;
            }
            for (std::size_t at = 0; at < event.bytes.size();) {
                const auto offset = static_cast<std::size_t>(event.offset) + at;
                const auto size = std::min(sector - offset % sector, event.bytes.size() - at);
                if (random() % 2 == 0) {
                    apply_event(image,
                                {DiskEvent::Kind::write, event.text,
                                 static_cast<std::int64_t>(offset), event.bytes.substr(at, size)});
                }
                at += size;
            }
        }
        return image;
    }
    bool has_unsynced() const noexcept { return !pending_.empty(); }

private:
    static constexpr std::size_t sector = 512;

    bool is_new(const std::string& file) const {
        if (!file.ends_with("-wal") && !file.ends_with("-journal")) return false;
        return !durable_.contains(file) ||
               std::any_of(pending_.begin(), pending_.end(), [&](const DiskEvent& event) {
                   return event.kind == DiskEvent::Kind::remove && event.text == file;
               });
    }
    void settle_removals() {
        for (std::size_t i = 0; i < pending_.size();) {
            if (pending_[i].kind != DiskEvent::Kind::remove) {
                ++i;
                continue;
            }
            const auto file = pending_[i].text;
            durable_.erase(file);
            // What was done to the old file is gone with it; what comes after is done to a new one.
            const auto end = pending_.begin() + static_cast<std::ptrdiff_t>(i) + 1;
            pending_.erase(std::remove_if(pending_.begin(), end,
                                          [&](const DiskEvent& each) { return each.text == file; }),
                           end);
            i = 0;
        }
    }
    /// The file is on the disk as it is now. Of other files only what has been synced is.
    void settle(const std::string& file) {
        for (const auto& event : pending_) {
            if (event.text == file) apply_event(durable_, event);
        }
        std::erase_if(pending_, [&](const DiskEvent& event) { return event.text == file; });
    }

    DiskImage durable_ = {};
    std::vector<DiskEvent> pending_ = {};
};

/// Puts the files of an image into a directory that holds nothing else.
inline void write_image(const DiskImage& image, const std::string& directory) {
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        std::filesystem::remove(entry.path());
    }
    for (const auto& [name, bytes] : image) {
        std::ofstream file{std::filesystem::path{directory} / name, std::ios::binary};
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
}

}  // namespace sqlite_test
