/// @file
/// A Store that processes of one machine share: a file, and a lock.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <utility>

#include <twiliowa/state/store.hpp>

namespace twiliowa::test {

/// Holds the lock of a FileStore: no process is within an operation meanwhile.
class FileLock {
public:
    explicit FileLock(const std::string& path)
        : file_(::open((path + ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {
        ::flock(file_, LOCK_EX);
    }
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock() { ::close(file_); }

private:
    int file_;
};

/// Reads and writes the whole file at each operation. A process that is killed leaves it whole, and
/// the lock free. Keys and values are without line breaks.
class FileStore final : public Store {
public:
    explicit FileStore(std::string path) : path_(std::move(path)) {}

    Result<std::optional<StoredValue>> get(std::string_view key) override {
        const FileLock lock{path_};
        const auto all = read();
        const auto found = all.entries.find(std::string{key});
        if (found == all.entries.end()) return std::optional<StoredValue>{};
        return std::optional<StoredValue>{{found->second.value, found->second.version}};
    }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live, Keep) override {
        const FileLock lock{path_};
        auto all = read();
        auto& entry = all.entries[std::string{key}];
        if (entry.version != expected) return std::uint64_t{0};
        entry = {std::string{value}, ++all.last_version, now() + time_to_live.count()};
        const auto version = entry.version;
        write(all);
        return version;
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        const FileLock lock{path_};
        auto all = read();
        const auto found = all.entries.find(std::string{key});
        if (found == all.entries.end() || found->second.version != expected) return false;
        all.entries.erase(found);
        write(all);
        return true;
    }

private:
    struct Entry {
        std::string value = {};
        std::uint64_t version = 0;
        std::int64_t expires = 0;  ///< Milliseconds.
    };
    struct Contents {
        std::uint64_t last_version = 0;
        std::map<std::string, Entry> entries = {};
    };

    static std::int64_t now() {
        using namespace std::chrono;
        return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    }

    /// Without what has expired.
    Contents read() const {
        Contents all;
        std::ifstream file{path_};
        file >> all.last_version;
        std::string key;
        Entry entry;
        while (file >> entry.version >> entry.expires && file.ignore() && std::getline(file, key) &&
               std::getline(file, entry.value)) {
            if (entry.expires > now()) all.entries[key] = entry;
        }
        return all;
    }

    void write(const Contents& all) const {
        const auto next = path_ + ".next";
        std::ofstream file{next};
        file << all.last_version << '\n';
        for (const auto& [key, entry] : all.entries) {
            file << entry.version << ' ' << entry.expires << '\n'
                 << key << '\n'
                 << entry.value << '\n';
        }
        file.close();
        std::rename(next.c_str(), path_.c_str());
    }

    std::string path_;
};

}  // namespace twiliowa::test
